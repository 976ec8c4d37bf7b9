"""Which backend the editor talks to, and starting the one that is installed here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

from ..folders import in_flatpak
from ..json_file import read_json, write_json
from ..text.wording import say
from .client import Client, find_client
from .protocol import UnreachableError
from .transport import Transport

CHOICE = "connection.json"
LAUNCH = "launch.json"
LOG = "backend.log"
IDLE = "900"  # seconds after the last editor has closed
POISONOUS = ("PYTHON", "LD_LIBRARY_PATH", "LD_PRELOAD")
"""What variables begin with that editors set for their own Python and libraries: another Python would break
on them, or run code from where they lead."""


@dataclass(frozen=True)
class Choice:
    """Another computer's backend, or this one's with a token of one's own. No address = this computer."""

    address: str = ""
    token: str = ""


def read_choice(folder: Path) -> Choice:
    """What was chosen last; this computer where nothing readable was kept."""
    try:
        told = json.loads((folder / CHOICE).read_text(encoding="utf-8"))
        return Choice(str(told["address"]), str(told["token"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Choice()


def write_choice(folder: Path, choice: Choice) -> None:
    """Keep it for the next time, readable by this user alone. Raises OSError."""
    write_json(folder / CHOICE, {"address": choice.address, "token": choice.token})


def connector(folder: Path, choice: Choice) -> Callable[[], Client]:
    """What a session connects with."""
    if not choice.address:
        return lambda: find_client(folder)
    return lambda: Client(Transport(choice.address, choice.token))


def check_choice(choice: Choice) -> str:
    """Why it can't be used; empty if it can."""
    if not choice.address:
        return ""
    try:
        Transport(choice.address, choice.token)
    except UnreachableError as error:
        return str(error)
    return "" if choice.token else say("say-token")


def launch_command(folder: Path, environment: Mapping[str, str] = os.environ) -> List[str]:
    """How the installed backend is started; empty when none is installed here.

    Out of a flatpak that is allowed only to those who were given the right; others see why it failed.
    """
    try:
        command = json.loads((folder / LAUNCH).read_text(encoding="utf-8"))["command"]
        through = ["flatpak-spawn", "--host"] if in_flatpak(environment) else []
        return through + [str(part) for part in command]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def launch_of(python: Path) -> List[str]:
    """Isolated: neither the editor's folder nor variables it set for a Python of its own count."""
    return [str(python), "-I", "-m", "palimpsest", "serve", "--stop-after-idle", IDLE]


def write_launch(folder: Path, python: Path, update: str = "") -> Path:
    """From now on the backend in this environment is started. ``update``: what a person types to have its
    plug-ins put into the editors. Raises OSError."""
    told = {"command": launch_of(python)}
    write_json(folder / LAUNCH, {**told, "update": update} if update else told)
    return folder / LAUNCH


def update_command(folder: Path) -> str:
    """What a person types to have the plug-ins of the installed backend put into the editors."""
    record = read_json(folder / LAUNCH)
    update = record.get("update") if isinstance(record, dict) else None
    return update if isinstance(update, str) and update else say("update-command")


def remove_launch(folder: Path, python: Path) -> None:
    """If it is this environment's. Raises OSError."""
    if launch_command(folder, {})[:1] == [str(python)]:
        (folder / LAUNCH).unlink()


def launch(folder: Path) -> subprocess.Popen[Any]:
    """Start the backend so that it outlives the editor; what it says goes to ``backend.log``.

    It works in ``folder``: Python takes modules from where it works, and the editor may work in a folder of
    downloads.

    Raises UnreachableError where none is installed or it can't be started.
    """
    command = launch_command(folder)
    if not command:
        raise UnreachableError(say("not-installed"))
    try:
        with (folder / LOG).open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=str(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=clean_environment(os.environ),
                **detached(),
            )
    except OSError as error:
        raise UnreachableError(say("start-failed", reason=str(error))) from error


def detached(platform: str = sys.platform) -> Dict[str, Any]:
    """A session of its own, and on Windows no console window."""
    if platform != "win32":
        return {"start_new_session": True}
    no_window, new_group = 0x08000000, 0x00000200
    return {"creationflags": no_window | new_group}


def clean_environment(environment: Mapping[str, str]) -> Dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(POISONOUS)}


def last_words(folder: Path) -> str:
    """The last line of what the backend said before it ended."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
