"""Setting the backend up, in steps that are done once: on a thread of its own, told as it goes.

The same for the first time, for going on, for mending and for updating: what is whole is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ..http.connection import remove_launch, write_launch
from ..http.protocol import read_record
from ..lock import taken
from ..text.wording import say
from . import index
from .bundled import Bundle
from .errors import SetupError, of_writing
from .home import BUILD, CHECKED, ENVIRONMENT, PACKAGE, RUNTIME, Home, marks_of, names_in, plain
from .machine import ROOM, TORCH, served, torch_source
from .uv import BEAT, PYTHONS, Runner, Surroundings, find_uv

LOOK_SECONDS = 1.0  # between counts of what has arrived
UV = "uv"  # a step, too
CHECK = """
import json
from importlib.metadata import distributions

def whole(file):
    there = file.locate()
    return there.is_file() and file.size in (None, there.stat().st_size)

found = {}
for one in distributions():
    files = one.files or []
    name = one.metadata["Name"] or one._path.name.partition("-")[0]  # its folder's, where METADATA is lost
    found[name] = bool(files) and all(whole(file) for file in files if file.suffix != ".pyc")
print(json.dumps(found))
"""
ANEW = {RUNTIME: (), BUILD: ("torch",), PACKAGE: ("palimpsest",)}
"""What is installed anew where its version is there already: another build may have the same one."""
UNPACKED = {"cpu": 950 * 10**6, "mps": 950 * 10**6, "cuda": 5200 * 10**6, "rocm": 12000 * 10**6}
"""What has arrived when all is there, about: only the bar goes by it."""


@dataclass(frozen=True)
class Stage:
    """``arrived``: bytes on the disk, unpacked; ``fraction``: 0 … 1, or None where it isn't known."""

    step: str
    arrived: int = 0
    fraction: Optional[float] = None


@dataclass(frozen=True)
class Wish:
    """``folder``: of the configuration; ``index``: a mirror of the package index, or empty."""

    home: Home
    bundle: Bundle
    folder: Path
    build: str
    index: str = ""


class BackendSetup:
    """``tell`` gets every stage. Everything raises SetupError; what is whole by then is kept."""

    def __init__(self, wish: Wish, runner: Runner, tell: Callable[[Stage], None]) -> None:
        self._wish, self._runner, self._tell = wish, runner, tell
        self._home = wish.home
        self._around = Surroundings(wish.home.place, wish.index)
        self._build = f"{TORCH} {wish.build}"
        self._served = served(wish.build, bool(wish.index), sys.platform)
        self._step, self._looked_at = "", 0.0
        self._program = ""

    def set_up(self) -> None:
        """Ends with a backend that "Start it" starts."""
        with alone(self._home):
            self._home.make()
            broken = self._broken()
            self._refuse_too_little_room()
            self._stop_backend()
            remove_launch(self._wish.folder, self._home.python)
            self._home.strike(CHECKED)
            self._install(broken)
            if broken and _lacking(self._packages()):
                self._home.strike(ENVIRONMENT)  # no step brings it: a library of an earlier lock, say
                self._install({})
            self._check()
            write_launch(self._wish.folder, self._home.python)
            shutil.rmtree(str(self._home.cache), ignore_errors=True)

    def remove(self) -> None:
        """The environment with all that was fetched for it, and nothing else."""
        with alone(self._home):
            self._say("removing")
            self._stop_backend()
            remove_launch(self._wish.folder, self._home.python)
            if self._home.has_marker:
                self._home.clear(self._home.place)

    # The steps.

    def _install(self, broken: Mapping[str, Sequence[str]]) -> None:
        """``broken``: step → packages of which files are missing."""
        done = self._home.done()
        wanted = {**marks_of(self._wish.bundle), BUILD: self._build}
        if ENVIRONMENT not in done:
            self._make_environment()
            done, broken = self._home.done(), {}
        commands = {RUNTIME: self._libraries, BUILD: self._torch, PACKAGE: self._package}
        for step, command in commands.items():
            differs, again = done.get(step) != wanted[step], broken.get(step, [])
            if differs or again:
                self._home.strike(step)
                self._pip(step, [*again, *(ANEW[step] if differs else [])], command())
                self._home.note(step, wanted[step])

    def _make_environment(self) -> None:
        """With a Python of this system where there is one that suits, else with one that uv brings."""
        self._home.strike(*self._home.done())
        self._home.clear(self._home.environment)
        self._uv(ENVIRONMENT, "venv", "--python-preference", "system", "--python", PYTHONS, "--no-project")
        self._home.note(ENVIRONMENT, PYTHONS)

    def _libraries(self) -> List[str]:
        return ["--no-deps", "--require-hashes", "-r", str(self._wish.bundle.lock)]

    def _torch(self) -> List[str]:
        """A mirror that people named serves the build that it has: nothing comes from elsewhere."""
        mirrored = bool(self._wish.index) and self._wish.build == "cpu"
        source = [] if mirrored else torch_source(self._wish.build, sys.platform)
        return [f"torch=={TORCH}", *source]

    def _package(self) -> List[str]:
        return ["--no-deps", str(self._wish.bundle.wheel)]

    def _pip(self, step: str, again: Sequence[str], arguments: Sequence[str]) -> None:
        """``again``: nothing else is installed anew; a library of the lock never without its hash."""
        more = [f"--reinstall-package={name}" for name in again]
        self._uv(step, "pip", "install", "--python", str(self._home.python), *more, *arguments)

    def _uv(self, step: str, *arguments: str) -> None:
        program = self._found_uv()
        self._say(step)
        target = [str(self._home.environment)] if step == ENVIRONMENT else []
        self._runner.run([program, *arguments, *target], self._around, self._count)

    def _found_uv(self) -> str:
        """One that is there already, else the one that was fetched, else it is fetched."""
        own = self._home.place / "uv" / index.VERSION / index.program_name()
        if not self._program:
            self._program = aside(find_uv, self._runner) or (str(own) if own.exists() else "")
        if not self._program:
            self._say(UV)
            wheel = index.this_wheel()
            arrived = lambda size: self._runner.check()  # noqa: E731
            fetch = lambda: index.fetch_uv(wheel, self._wish.index, own.parent, arrived)  # noqa: E731
            self._program = str(aside(fetch, self._runner))
        return self._program

    # Whether it is whole.

    def _broken(self) -> Dict[str, List[str]]:
        """Step → packages of which files are missing. An environment whose Python is gone is made anew."""
        done = self._home.done()
        if ENVIRONMENT not in done:
            return {}
        self._say("checking")
        found = self._packages()
        if found is None:
            self._home.strike(*done)
            return {}
        libraries = names_in(self._wish.bundle.lock.read_text(encoding="utf-8"))
        named = dict.fromkeys(json.loads(done.get("packages", "[]")), False)
        steps: Dict[str, List[str]] = {}
        for name, whole in sorted({**named, **found}.items()):
            if not whole:
                steps.setdefault(step_of(name, libraries), []).append(name)
        return steps

    def _check(self) -> None:
        self._say("checking")
        found = self._packages()
        lacking = _lacking(found)
        if found is None or lacking:
            names = ", ".join(lacking)
            raise SetupError(say("setup-not-whole", names=names, deed=say("setup-go-on")))
        self._home.note("packages", json.dumps(sorted(found)))
        self._home.note(CHECKED, self._wish.bundle.version)

    def _packages(self) -> Optional[Dict[str, bool]]:
        """Name → whether all its files are there; None where the environment's Python doesn't run."""
        if not os.path.lexists(str(self._home.python)):  # its Python may be seen outside a flatpak alone
            return None
        command = [str(self._home.python), "-I", "-c", CHECK]
        try:
            said = self._runner.run(command, self._around, lambda: None)
            told = json.loads(said.strip().splitlines()[-1])
        except (SetupError, OSError, ValueError, IndexError):
            self._runner.check()
            return None
        return {plain(name): bool(whole) for name, whole in told.items()}

    def _stop_backend(self) -> None:
        """The one that runs would go on with what is no longer there. Its jobs are kept."""
        if os.path.lexists(str(self._home.python)) and read_record(self._wish.folder) is not None:
            try:
                command = [str(self._home.python), "-I", "-m", "palimpsest", "stop"]
                self._runner.run(command, self._around, lambda: None)
            except SetupError:
                self._runner.check()  # it may be as broken as what is mended here

    def _refuse_too_little_room(self) -> None:
        done = self._home.done()
        if done.get(BUILD) == self._build:
            return
        there = self._home.cache if BUILD in done else self._home.place  # what is replaced goes last
        if shutil.disk_usage(str(self._home.place)).free + arrived_in(there) < ROOM[self._served]:
            raise SetupError(say("setup-full", place=self._home.place))

    # How far it is.

    def _say(self, step: str) -> None:
        self._runner.check()
        self._step, self._looked_at = step, 0.0
        self._tell(Stage(step))

    def _count(self) -> None:
        if self._step in (RUNTIME, BUILD) and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            size = arrived_in(self._home.cache)
            self._tell(Stage(self._step, size, min(0.99, size / UNPACKED[self._served])))


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """One at a time in one folder, whichever editor it is of. Raises SetupError where another one is, and for
    what can't be written meanwhile."""
    try:
        home.lock.parent.mkdir(parents=True, exist_ok=True)
        with home.lock.open("a+b") as file:
            if not taken(file):
                raise SetupError(say("setup-elsewhere"))
            yield
    except OSError as error:
        raise of_writing(error, str(home.place)) from error


def aside(call: Callable[[], Any], runner: Runner) -> Any:
    """What ``call`` returns; it is left to itself when people stop it, wherever it waits."""
    came: List[Any] = []
    failed: List[BaseException] = []

    def work() -> None:
        try:
            came.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="palimpsest uv", daemon=True)
    thread.start()
    while thread.is_alive():
        runner.check()
        thread.join(BEAT)
    if failed:
        raise failed[0]
    return came[0]


def arrived_in(folder: Path) -> int:
    """Bytes of all files below. What goes meanwhile doesn't count."""
    return sum(_sizes(str(folder)))


def _sizes(folder: str) -> Iterator[int]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(entry.path)
            else:
                yield entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def _lacking(found: Optional[Mapping[str, bool]]) -> List[str]:
    """Packages that aren't whole. ``found``: as they were found, None where Python doesn't run."""
    if found is None:
        return ["Python"]
    return sorted(name for name in {"torch", "palimpsest", *found} if not found.get(name, False))


def step_of(name: str, libraries: Sequence[str]) -> str:
    """The step that installs a package."""
    if name == "palimpsest":
        return PACKAGE
    return RUNTIME if name in libraries else BUILD
