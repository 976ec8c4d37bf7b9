"""The backend that came with the plug-in's zip: its wheel, and the lock of the libraries it needs."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

FOLDER = "wheels"  # in the client's folder, in a zip alone: install.py brings a backend of its own
LOCK = "runtime.txt"  # exact versions with their hashes


@dataclass(frozen=True)
class Bundle:
    """``wheel_mark``, ``lock_mark``: what was installed from others is another backend."""

    wheel: Path
    lock: Path
    wheel_mark: str
    lock_mark: str

    @property
    def version(self) -> str:
        return self.wheel.name.split("-")[1]


def find_bundle(folder: Path) -> Optional[Bundle]:
    """None where the plug-in brought no backend along, or none that can be read."""
    wheels, lock = sorted((folder / FOLDER).glob("palimpsest-*.whl")), folder / FOLDER / LOCK
    try:
        (wheel,) = wheels
        return Bundle(wheel, lock, _mark(_record(wheel)), _mark(lock.read_bytes()))
    except (ValueError, OSError, LookupError, zipfile.BadZipFile):
        return None


def _record(wheel: Path) -> bytes:
    """The list of its files with their hashes: read in an instant, unlike the files."""
    with zipfile.ZipFile(wheel) as file:
        return file.read(f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/RECORD")


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
