"""Hashes of files' content, remembered while the files stay what they were."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

SETTLED = 2 * 10**9  # nanoseconds: a file so young may change again without its times showing it
Key = tuple[str, int, int, int, int, int]


class Digests:
    """sha256 of files, by what a file that was written anew never keeps: inode, size, time of writing.

    ``most``: how many are remembered; the oldest go first.
    """

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._known: dict[Key, str] = {}
        self._lock = threading.Lock()

    def of(self, path: Path, start: int = 0) -> str:
        """Of what stands in the file from byte ``start`` on. Raises OSError."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            key = (os.fspath(path), start, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            with self._lock:
                found = self._known.get(key)
            if found is None:
                file.seek(start)
                digest = hashlib.sha256()
                while block := file.read(1 << 20):
                    digest.update(block)
                found = digest.hexdigest()
                if time.time_ns() - status.st_mtime_ns > SETTLED:
                    self._remember(key, found)
        return found

    def _remember(self, key: Key, digest: str) -> None:
        with self._lock:
            self._known[key] = digest
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]
