"""One hash of everything in a model that decides what it computes.

It is part of every cache key and of every recipe. Reading gigabytes takes seconds, so the hash of each
file is remembered by its path, size and modification time.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from palimpsest.errors import DiskFullError, StorageError
from palimpsest.storage.atomic import write_atomically

log = logging.getLogger(__name__)
CHUNK = 1 << 22


def weights_hash(files: Sequence[Path], root: Path, memory: Path | None = None) -> str:
    """sha256 over (path inside ``root``, sha256 of the content) of all ``files``, in order of path.

    ``memory`` is a JSON file that remembers the hash of every file; None remembers nothing.
    """
    known = _remembered(memory)
    digest = hashlib.sha256()
    fresh: dict[str, str] = {}
    for file in sorted(files):
        key = _key(file)
        content = known.get(key)
        if content is None:
            content = fresh[key] = _sha256(file)
        digest.update(f"{file.relative_to(root).as_posix()}\0{content}\n".encode())
    if memory is not None and fresh:
        _remember(memory, {**known, **fresh})
    return digest.hexdigest()


def file_hash(file: Path, memory: Path | None = None) -> str:
    """sha256 of one file's content; ``memory`` as above."""
    known, key = _remembered(memory), _key(file)
    if key not in known:
        known[key] = _sha256(file)
        if memory is not None:
            _remember(memory, known)
    return known[key]


def _key(file: Path) -> str:
    stat = file.stat()
    return f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _remember(memory: Path, known: dict[str, str]) -> None:
    """Not to remember costs seconds the next time, and is no reason to fail."""
    try:
        write_atomically(memory, json.dumps(known, indent=1).encode())
    except (DiskFullError, StorageError) as error:
        log.warning("Hashes of weights could not be remembered: %s", error)


def _remembered(memory: Path | None) -> dict[str, str]:
    """A memory that is missing or damaged is an empty one: it can always be made again."""
    if memory is None:
        return {}
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(memory.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return {key: value for key, value in content.items() if isinstance(value, str)}
    return {}
