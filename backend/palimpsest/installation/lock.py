"""One installation at a time in one folder: a second one waits for the first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from palimpsest.installation.environment import InstallationError, say
from palimpsest_client import lock

LOCK = ".venv.lock"  # beside .venv, which may be made anew; the system frees it when a setup is killed
SECONDS = 0.5


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Raises InstallationError where nothing can be written, or locked."""
    try:
        file = (root / LOCK).open("a+b")
    except OSError as error:
        raise InstallationError(f"{root} can't be written to: {error.strerror}.") from error
    with file:
        if not taken(file):
            say("Another setup is running in this folder: waiting until it has ended …")
            while not taken(file):
                time.sleep(SECONDS)
        yield


def taken(file: IO[bytes]) -> bool:
    """Whether the lock is ours now. Closing the file gives it back. Raises InstallationError."""
    try:
        return lock.taken(file)
    except OSError as error:
        raise InstallationError(
            f"{file.name} can't be locked: {error.strerror}. Some network file systems know no locks: "
            "put Palimpsest's folder on another disk."
        ) from error
