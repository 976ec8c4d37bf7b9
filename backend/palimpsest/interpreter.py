"""How further Pythons are started: never with the working folder on their module path.

A plain ``python -m`` or ``python -c`` looks for modules in the working folder before the standard library, so
a downloaded ``queue.py`` there would be run. Every start in this package is one of these:

- ``module_command`` for our own modules, with ``surroundings`` as environment: the child finds modules where
  we do. ``-P`` since Python 3.11; before, the path is cleaned before anything is imported.
- ``isolated`` for an environment that is complete by itself.

Children also run in ``SAFE_FOLDER``, so that whatever they start in turn begins there. Paths that are handed
to them are therefore absolute. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

SAFE_FOLDER = sys.prefix  # the environment's own: nothing is downloaded into it, and it can't be on the path
CLEAN_PATH = "import sys; sys.path[:] = [place for place in sys.path if place]"
RUN_MODULE = "import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def module_command(
    module: str, *arguments: str, version: tuple[int, ...] = sys.version_info[:2]
) -> list[str]:
    """``python -m module arguments``; ``version``: of this Python. Hand on ``surroundings()``."""
    if version >= (3, 11):
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", f"{CLEAN_PATH}; {RUN_MODULE.format(module=module)}", *arguments]


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a child that is to find modules where this process finds them.

    What this process itself was told to ignore (``-E``, ``-I``) its children don't get either.
    """
    ignored = sys.flags.ignore_environment
    kept = {name: value for name, value in os.environ.items() if not (ignored and name.startswith("PYTHON"))}
    places = (os.path.abspath(place) for place in sys.path if place)
    return {**kept, "PYTHONPATH": os.pathsep.join(places), **more}


def isolated(python: Path, *arguments: str) -> list[str]:
    """A Python that takes modules from its own environment only."""
    return [str(python), "-I", *arguments]


@contextlib.contextmanager
def in_safe_folder() -> Iterator[None]:
    """For starts whose working folder can't be chosen: this process stands there meanwhile."""
    before = os.getcwd()
    os.chdir(SAFE_FOLDER)
    try:
        yield
    finally:
        os.chdir(before)
