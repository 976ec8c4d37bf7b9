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
import shlex
import string
import sys
from collections.abc import Iterator
from pathlib import Path

SAFE_FOLDER = sys.prefix  # the environment's own: nothing is downloaded into it, and it can't be on the path
PLAIN = frozenset(string.ascii_letters + string.digits + "/._-+=@: ")  # plain in every shell, in quotes
CLEAN_PATH = "import sys; sys.path[:] = [place for place in sys.path if place]"
RUN_MODULE = "import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def module_command(
    module: str, *arguments: str, version: tuple[int, ...] = sys.version_info[:2]
) -> list[str]:
    """``python -m module arguments``; ``version``: of this Python. Hand on ``surroundings()``."""
    if version >= (3, 11):
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", f"{CLEAN_PATH}; {RUN_MODULE.format(module=module)}", *arguments]


def to_paste(module: str, function: str, *places: Path) -> str:
    """A command for a person to run: ``function(*places)`` of a module of ours, places as strings.

    It names this Python, works in every folder and shell, and takes no module from the folder it is run in.
    """
    python = this_python()
    plain = python.with_name("python" + python.suffix * (os.name == "nt"))
    arguments = ", ".join(_literal(str(place.absolute())) for place in places)
    code = f"{CLEAN_PATH}; from {module} import {function}; {function}({arguments})"
    return f'{_quoted(str(plain if plain.exists() else python))} -c "{code}"'


def _literal(text: str) -> str:
    """A string of Python in which nothing is special to a shell, even between double quotes."""
    return "'" + "".join(c if c in PLAIN else _escaped(c) for c in text) + "'"


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}" if character.isascii() else ascii(character)[1:-1]


def _quoted(path: str) -> str:
    if all(character in PLAIN for character in path) and " " not in path:
        return path
    return f'"{path}"' if os.name == "nt" else shlex.quote(path)


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a child that is to find modules where this process finds them.

    What this process itself was told to ignore (``-E``, ``-I``) its children don't get either.
    """
    ignored = sys.flags.ignore_environment
    kept = {name: value for name, value in os.environ.items() if not (ignored and name.startswith("PYTHON"))}
    places = (os.path.abspath(place) for place in sys.path if place)
    return {**kept, "PYTHONPATH": os.pathsep.join(places), **more}


def this_python() -> Path:
    """For a record that says where it is; not to be started by it."""
    return Path(sys.executable)


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
