"""Palimpsest edits a photo by words and by the user's own concepts, and changes nothing else."""

import os
import sys

__version__ = "0.1.0"

# ``python -m palimpsest…`` has put the working folder first on the module path, before the standard library,
# so that a downloaded queue.py in it would be run. This is the one place that comes before every import.
_ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_as_module = (getattr(sys, "argv", None) or [""])[0] == "-m"
_protected = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
if _as_module and not _protected and os.path.abspath(sys.path[0]) != _ours:
    del sys.path[0]


def _leave_working_folder() -> None:
    """Off the module path with it, where an empty entry of PYTHONPATH, or ".", has put it there."""
    told = os.environ.get("PYTHONPATH", "")
    try:
        here = os.getcwd()
        named = [place for place in told.split(os.pathsep) if os.path.abspath(place) == here]
        if told and not all(map(os.path.isabs, named)) and here != _ours:
            sys.path[:] = [place for place in sys.path if os.path.abspath(place) != here]
    except OSError:  # the working folder is gone: nothing is found in it
        return


if not sys.flags.ignore_environment and (
    _as_module or os.path.basename(sys.argv[0] if getattr(sys, "argv", None) else "").startswith("palimpsest")
):
    _leave_working_folder()
