"""What processes that were killed have left: it is found at the next start, and now and then."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from palimpsest.storage import atomic
from palimpsest.storage.owned_images import UNFINISHED
from palimpsest.storage.paths import Folders


def upload_folder(folders: Folders) -> Path:
    """Where files lie on their way into the concept library."""
    return folders.cache / "arriving"


def remove_uploads(folders: Folders) -> None:
    """Half uploads of the last server. Only for the server itself, before it takes any."""
    for path in folders.images.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            path.unlink()
    shutil.rmtree(upload_folder(folders), ignore_errors=True)


def redate(folders: Folders) -> None:
    """After the clock has jumped half downloads are as fresh as today."""
    for path in (folders.models / ".arriving").rglob("*"):
        with contextlib.suppress(OSError):
            os.utime(path)


def sweep(folders: Folders, keep_seconds: float) -> None:
    """Files that nobody writes any more, and downloads that nobody went on with for so long."""
    for folder in (folders.data, folders.images, folders.cache, folders.config):
        atomic.sweep(folder)
    for path in (folders.models / ".arriving").rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and time.time() - path.stat().st_mtime > keep_seconds:
                path.unlink()
