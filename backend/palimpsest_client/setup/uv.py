"""Running uv: one command at a time, broken off within a fraction of a second. Blocks."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ..folders import in_flatpak
from ..http.connection import clean_environment, detached
from .errors import CancelledError, of_uv

LEAST = (0, 5)  # of a uv that is there already: it knows all options that are given here
BEAT = 0.1  # seconds between looks at a running command
PYTHONS = ">=3.10,<3.14"
INDEX, INDEX_BEFORE = "UV_DEFAULT_INDEX", "UV_INDEX_URL"  # the second is what older versions call it
HAND_OVER = (
    f"IFS= read -r {INDEX}; unset {INDEX_BEFORE}; "
    f'if [ -n "${INDEX}" ]; then export {INDEX}; else unset {INDEX}; fi; exec "$@" < /dev/null'
)
"""Out of a flatpak, for a shell of the system: the index, which may hold a password, comes by standard input.
A command's arguments can be read by other accounts."""


@dataclass(frozen=True)
class Surroundings:
    """``place``: the environment's folder, where all that is fetched goes. ``index``: a mirror, or empty."""

    place: Path
    index: str = ""

    @property
    def cache(self) -> Path:
        return self.place / "cache"

    def variables(self) -> Dict[str, str]:
        """uv's own, besides those that people set for it. Which index it asks is another matter."""
        own = {"UV_CACHE_DIR": self.cache, "UV_PYTHON_INSTALL_DIR": self.place / "python"}
        told = {name: str(path) for name, path in own.items()}
        return {**told, "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}


def outside() -> List[str]:
    """What begins a command: out of a flatpak everything runs on the system itself."""
    return ["flatpak-spawn", "--host", "--watch-bus"] if in_flatpak(os.environ) else []


def surroundings(own: Mapping[str, str]) -> Dict[str, str]:
    """The editor's, without what it set for its own Python and its own programs."""
    kept = clean_environment(os.environ)
    for name in ("VIRTUAL_ENV", INDEX, INDEX_BEFORE):  # the panel says which index it is, and it is that one
        kept.pop(name, None)
    kept["PATH"] = os.pathsep.join(path_of_the_system())
    return {**kept, **own}


def path_of_the_system() -> List[str]:
    """PATH without folders that come with the editor: its Python goes with it when that is updated."""
    own = [os.environ.get("APPDIR", ""), "" if sys.prefix in ("/usr", "/usr/local", "/") else sys.prefix]
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return [place for place in places if not any(_within(place, folder) for folder in own if folder)]


def find_uv() -> str:
    """One that is there already and new enough; empty where there is none."""
    if not outside() and shutil.which("uv", path=os.pathsep.join(path_of_the_system())) is None:
        return ""
    try:
        done = subprocess.run(
            [*outside(), "uv", "--version"], env=surroundings({}), capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.match(r"uv (\d+)\.(\d+)", done.stdout)
    return "uv" if found is not None and (int(found[1]), int(found[2])) >= LEAST else ""


def with_index(around: Surroundings) -> Dict[str, str]:
    own = around.variables()
    return {**own, INDEX: around.index} if around.index else own


def handed_over(command: Sequence[str], around: Surroundings) -> Tuple[List[str], Dict[str, str]]:
    """The command that runs ``command`` on the system, out of a flatpak, and its own variables."""
    handed = [f"--env={name}={value}" for name, value in around.variables().items()]
    return [*outside(), *handed, "sh", "-uc", HAND_OVER, "sh", *command], {}


class Runner:
    """Of one setup. ``stop`` may be called on any thread; whatever runs then ends."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._alone = threading.Lock()  # between a look whether it is stopped, and a program's start
        self._process: Optional[subprocess.Popen[Any]] = None

    def stop(self) -> None:
        """An editor that goes takes its threads along: what runs is ended here, not by the one that waits."""
        with self._alone:
            self.stopped.set()
            if self._process is not None and self._process.poll() is None:
                kill(self._process)

    def check(self) -> None:
        """Raises CancelledError when people stopped it."""
        if self.stopped.is_set():
            raise CancelledError

    def run(self, command: Sequence[str], around: Surroundings, beat: Callable[[], None]) -> str:
        """What it says. ``beat`` is called while it runs. Raises SetupError."""
        whole, own = handed_over(command, around) if outside() else (list(command), with_index(around))
        with self._alone:
            self.check()
            process = self._process = subprocess.Popen(
                whole,
                cwd=str(around.place),
                env=surroundings(own),
                stdin=subprocess.PIPE if outside() else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **detached(),
            )
        if process.stdin is not None:
            with suppress(OSError), process.stdin as told:  # it may have ended at once
                told.write(f"{around.index}\n".encode())
        said: List[bytes] = []
        reader = threading.Thread(target=_read, args=(process, said), daemon=True)
        reader.start()
        try:
            while process.poll() is None:
                self.check()
                beat()
                self.stopped.wait(BEAT)
        finally:
            if process.poll() is None:
                kill(process)
            process.wait()
        self.check()
        reader.join()
        text = b"".join(said).decode("utf-8", "replace")
        if process.returncode != 0:
            raise of_uv(text, str(around.place), around.index)
        return text


def kill(process: subprocess.Popen[Any]) -> None:
    """With all that it started."""
    try:
        if os.name == "nt":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except (OSError, AttributeError):  # it has ended
        pass


def _read(process: subprocess.Popen[Any], said: List[bytes]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)


def _within(place: str, folder: str) -> bool:
    place, folder = os.path.normcase(os.path.abspath(place)), os.path.normcase(os.path.abspath(folder))
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)
