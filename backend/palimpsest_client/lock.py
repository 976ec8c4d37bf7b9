"""A lock on a file that the system frees when its holder ends, however that is."""

from __future__ import annotations

import errno
import os
from typing import IO

HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)  # by another; every other error is one


def taken(file: IO[bytes]) -> bool:
    """Whether the lock is ours now; closing the file gives it back. Raises OSError where none can be had."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            return False
        raise
    return True
