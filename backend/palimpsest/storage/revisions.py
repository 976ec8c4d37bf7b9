"""Texts that are others when what they stand for has changed, so that clients ask for it anew only then."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path


def of_folder(folder: Path) -> str:
    """Of the names, times and sizes of what lies in it, whichever process put it there. What lies deeper
    counts only as far as it changes its folder's time; hidden files, among them what is on its way, don't."""
    digest = hashlib.sha256()
    with suppress(OSError), os.scandir(folder) as entries:  # one that isn't there is as an empty one
        for entry in sorted(entries, key=lambda entry: entry.name):
            with suppress(OSError):  # removed meanwhile
                status = entry.stat()
                if not entry.name.startswith("."):
                    digest.update(ascii((entry.name, status.st_mtime_ns, status.st_size)).encode())
    return digest.hexdigest()[:16]
