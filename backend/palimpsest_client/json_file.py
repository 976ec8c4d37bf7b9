"""Small files of JSON in the configuration folder, read with patience and written whole or not at all."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Iterator

from .lock import taken

PATIENCE, GLANCE = 0.05, 0.005  # seconds: writing takes less, and an editor's own thread waits


def read_json(place: Path) -> Any:
    """None if it isn't there or can't be read: what is kept there is never needed to go on."""
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


@contextmanager
def alone_with(place: Path) -> Iterator[None]:
    """While what the other editor wrote is read, added to and written. One that holds it for longer, or a
    file system without locks, doesn't keep anybody from writing. Raises OSError."""
    make_folder(place.parent)
    deadline = time.monotonic() + PATIENCE
    with place.with_suffix(".lock").open("ab") as file:
        with suppress(OSError):
            while not taken(file) and time.monotonic() < deadline:
                time.sleep(GLANCE)
        yield


def write_json(place: Path, told: Any) -> None:
    """Readable by this account alone. Raises OSError."""
    make_folder(place.parent)
    part = place.with_suffix(".part")
    part.touch(mode=0o600)
    part.chmod(0o600)  # one that was left
    part.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(str(part), str(place))


def make_folder(folder: Path) -> None:
    """With those above it, closed to other accounts where it is made here. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
