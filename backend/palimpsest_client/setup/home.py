"""The folder in which the panel sets the backend up, and what is done in it already.

A step is noted when it is whole, and struck out before it is done anew: whatever breaks off leaves what is
whole, and what isn't is known.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from ..folders import data_folder
from ..json_file import read_json, write_json
from ..text.wording import say
from .bundled import Bundle
from .errors import SetupError

MARKER = ".made-by-palimpsest"
ENVIRONMENT, RUNTIME, BUILD, PACKAGE, CHECKED = "environment", "runtime", "torch", "package", "checked"
ABSENT, INCOMPLETE, OLDER, WHOLE = "absent", "incomplete", "older", "whole"


@dataclass(frozen=True)
class Home:
    place: Path

    @property
    def environment(self) -> Path:
        return self.place / "environment"

    @property
    def python(self) -> Path:
        inner = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return self.environment.joinpath(*inner)

    @property
    def cache(self) -> Path:
        return self.place / "cache"

    @property
    def lock(self) -> Path:
        """Beside it: it may be removed meanwhile."""
        return self.place.with_name(self.place.name + ".lock")

    def make(self) -> None:
        """Raises SetupError where something else lies there, OSError where it can't be written."""
        marker = self.place / MARKER
        if self.place.exists() and not marker.exists() and any(self.place.iterdir()):
            raise SetupError(say("setup-foreign", place=self.place))
        self.place.mkdir(parents=True, exist_ok=True)
        marker.write_text("Made by Palimpsest's panel; may be deleted at any time.\n", encoding="utf-8")

    @property
    def has_marker(self) -> bool:
        return (self.place / MARKER).exists()

    def done(self) -> Dict[str, str]:
        """Step → what it was done with."""
        told = read_json(self.place / "steps.json")
        return {str(step): str(value) for step, value in told.items()} if isinstance(told, dict) else {}

    def note(self, step: str, value: str) -> None:
        write_json(self.place / "steps.json", {**self.done(), step: value})

    def strike(self, *steps: str) -> None:
        done = self.done()
        kept = {step: value for step, value in done.items() if step not in steps}
        if kept != done:
            write_json(self.place / "steps.json", kept)

    def build(self) -> str:
        """Of PyTorch, of any version, that is here; empty where none is."""
        return self.done().get(BUILD, "").partition(" ")[2]

    def kind(self, marks: Mapping[str, str]) -> str:
        """``marks``: step → what it would be done with from what the plug-in brought."""
        done = self.done()
        if not self.has_marker:
            return ABSENT
        if CHECKED not in done:
            return INCOMPLETE
        return WHOLE if all(done.get(step) == mark for step, mark in marks.items()) else OLDER

    def clear(self, folder: Path) -> None:
        """Remove a folder of ours; seen from outside it is gone at once, whatever breaks off."""
        going = self.place.with_name(self.place.name + ".going")
        shutil.rmtree(str(going), ignore_errors=True)
        if folder.exists():
            os.replace(str(folder), str(going))
            shutil.rmtree(str(going), ignore_errors=True)


def this_home() -> Home:
    return Home(data_folder() / "backend")


def marks_of(bundle: Bundle) -> Dict[str, str]:
    return {RUNTIME: bundle.lock_mark, PACKAGE: bundle.wheel_mark}


def names_in(lock: str) -> List[str]:
    """Of the libraries in a lock, as indexes write names."""
    lines = (line for line in lock.splitlines() if line[:1].isalnum())
    return [plain(line.partition("==")[0]) for line in lines]


def plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")
