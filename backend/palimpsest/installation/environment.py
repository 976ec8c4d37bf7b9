"""The virtual environment beside install.py: made once, never over a folder that is not ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from palimpsest.interpreter import SAFE_FOLDER, isolated

MARKER = ".made-by-palimpsest"
GIB = 1 << 30
NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Connection refused",
    "Connection aborted",
    "Network is unreachable",
    "Temporary failure in name resolution",
    "ProxyError",
    "getaddrinfo failed",
    "IncompleteRead",
)
LOOK = """
import json, sys
from importlib.metadata import PackageNotFoundError, distribution
from pip._vendor.packaging.requirements import Requirement

def whole(name):
    try:
        files = distribution(name).files
    except PackageNotFoundError:
        return False
    return files is not None and all(f.locate().exists() for f in files if f.suffix != ".pyc")

wanted = [Requirement(text) for text in sys.argv[1:]]
wanted = [each.name for each in wanted if each.marker is None or each.marker.evaluate()]
print(json.dumps([name for name in wanted if not whole(name)]))
"""
NO_ROOM = ("No space left on device", "Disk quota exceeded", "There is not enough space on the disk")


class InstallationError(Exception):
    """One sentence that says what is wrong and what to do."""


@dataclass
class Environment:
    """``.venv`` under ``root``, and which steps are done in it (step → what it was done with)."""

    root: Path
    done: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def scripts(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / ("python.exe" if os.name == "nt" else "python")

    @property
    def stamp(self) -> Path:
        return self.folder / "palimpsest-installed.json"

    def read(self) -> None:
        try:
            told = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            told = {}
        self.done = {str(step): str(value) for step, value in told.items()} if isinstance(told, dict) else {}

    def note(self, step: str, value: str) -> None:
        """A step is done. Written whole or not at all."""
        self.done[step] = value
        partial = self.stamp.with_suffix(".partial")
        partial.write_text(json.dumps(self.done, indent=1), encoding="utf-8")
        partial.replace(self.stamp)

    def works(self) -> bool:
        """False for an environment that is missing, half made, or whose Python was removed."""
        if not self.done or not self.python.exists():
            return False
        command = isolated(self.python, "-m", "pip", "--version")
        try:
            done = subprocess.run(command, cwd=SAFE_FOLDER, capture_output=True, check=False)
            return done.returncode == 0
        except OSError:
            return False

    def lacking(self, requirements: list[str]) -> list[str]:
        """The names of those that aren't here, or not with all their files."""
        command = isolated(self.python, "-c", LOOK, *requirements)
        told = subprocess.run(command, cwd=SAFE_FOLDER, capture_output=True, text=True, check=False)
        try:
            return [str(name) for name in json.loads(told.stdout)]
        except ValueError as error:
            raise InstallationError(f"{self.folder} is damaged. Remove it and run this again.") from error

    def holds_a_copy(self) -> bool:
        """Whether a wheel was installed into it: then that runs, and not what lies in ``root``."""
        places = ("lib/python*/site-packages", "Lib/site-packages")
        return any(True for place in places for _ in self.folder.glob(f"{place}/palimpsest/__init__.py"))

    def remove(self, name: str) -> None:
        """Of a library whatever is here."""
        command = isolated(self.python, "-m", "pip", "uninstall", "--yes", "--quiet", name)
        subprocess.run(command, cwd=SAFE_FOLDER, capture_output=True, check=False)

    def make(self) -> None:
        """A new environment, unless a working one is there. Raises InstallationError."""
        if self.works():
            return
        marker = self.folder / MARKER
        if self.folder.exists() and any(self.folder.iterdir()) and not marker.exists():
            raise InstallationError(
                f"{self.folder} was not made by install.py. Move it away and run the same command again."
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        marker.write_text("Made by install.py; may be deleted at any time.\n", encoding="utf-8")
        command = isolated(Path(sys.executable), "-m", "venv", str(self.folder))
        result = subprocess.run(command, cwd=SAFE_FOLDER, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise InstallationError(explain(result.stdout + result.stderr))
        self.done = {}
        self.note("python", sys.version.split()[0])

    def pip(self, arguments: list[str]) -> None:
        """``pip install``, its progress shown. Raises InstallationError."""
        command = isolated(self.python, "-m", "pip", "install", "--disable-pip-version-check", *arguments)
        # pip reports on stdout, but our stdout is for results
        process = subprocess.Popen(
            command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        _, complaints = process.communicate()
        if process.returncode != 0:
            raise InstallationError(explain(complaints))

    def call(self, arguments: list[str]) -> int:
        """Run this environment's Python in the root; returns its exit code."""
        say("> python " + " ".join(arguments))
        here = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
        command = isolated(self.python, *arguments)
        return subprocess.run(command, cwd=self.root, env=here, check=False).returncode


def refuse_too_little_room(root: Path, needed: int) -> None:
    free = shutil.disk_usage(root).free
    if free < needed:
        raise InstallationError(
            f"Too little disk space: {root} has {free / GIB:.1f} GiB free, "
            f"the installation needs {needed / GIB:.0f} GiB. Make room and run the same command again."
        )


def explain(complaints: str) -> str:
    """What pip or venv said, as one or two sentences."""
    if any(sign in complaints for sign in NO_ROOM):
        return "The disk is full. Make room and run the same command again: it goes on where it stopped."
    if any(sign in complaints for sign in NO_NETWORK):
        return (
            "The package registry can't be reached. Check the network (and the proxy), then run the same "
            "command again: it goes on where it stopped."
        )
    if "ensurepip" in complaints or "python3-venv" in complaints:
        return "This Python can't make environments. On Debian and Ubuntu: sudo apt install python3-venv."
    if "No module named venv" in complaints or "No module named pip" in complaints:
        return "This Python lacks venv or pip. On Debian and Ubuntu: sudo apt install python3-venv."
    if "DO NOT MATCH THE HASHES" in complaints:
        named = ", ".join(re.findall(r"^ {4}(\S+==\S+)", complaints, re.MULTILINE)) or "a package"
        return (
            f"What came is not what was released: {named} has another hash than the "
            "one in backend/requirements. It was not installed. Try again, or with another mirror."
        )
    if "No matching distribution found for torch" in complaints:
        have = ".".join(map(str, sys.version_info[:2]))
        return f"PyTorch has no build for this machine's Python {have}. Use a 64-bit Python 3.10 to 3.13."
    lines = [line.strip() for line in complaints.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no reason given"]
    return f"pip failed: {errors[-1]}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
