"""Whose a picture is, written beside it: this outlives the list of jobs.

``ab/abcd….owners`` holds a JSON list of names. One process at a time writes here: the server's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from palimpsest.storage.atomic import write_atomically

SUFFIX = ".owners"
MOST_BYTES = 1 << 20


class Owners:
    """``folder``: that of the image store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[str]:
        """The ids of all pictures whose owners are known, in no order."""
        for path in self._folder.glob(f"??/*{SUFFIX}"):
            yield path.name.removesuffix(SUFFIX)

    def of(self, image: str) -> frozenset[str]:
        """Nobody, if that was never written or can't be read."""
        try:
            with self._path(image).open("rb") as file:
                content = json.loads(file.read(MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return frozenset()
        names = content if isinstance(content, list) else []
        return frozenset(name for name in names if isinstance(name, str))

    def add(self, image: str, owner: str) -> None:
        """Raises DiskFullError, StorageError."""
        known = self.of(image)
        if owner not in known:
            self._write(image, known | {owner})

    def remove(self, image: str, owner: str) -> None:
        """Raises DiskFullError, StorageError."""
        known = self.of(image)
        if known == {owner}:
            self.forget(image)
        elif owner in known:
            self._write(image, known - {owner})

    def forget(self, image: str) -> None:
        """Raises OSError."""
        self._path(image).unlink(missing_ok=True)

    def _write(self, image: str, owners: frozenset[str]) -> None:
        write_atomically(self._path(image), json.dumps(sorted(owners)).encode(), reserved=False)

    def _path(self, image: str) -> Path:
        return self._folder / image[:2] / f"{image}{SUFFIX}"
