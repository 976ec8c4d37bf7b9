"""Locks of the system on files: free the moment their holder is gone, however it went."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from palimpsest.storage.atomic import make_folder, private

HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)  # by another; every other error is one

if sys.platform == "win32":

    def lock_now(descriptor: int) -> None:
        """Lock the file for this process, or raise OSError: one of ``HELD`` if somebody else has."""
        import msvcrt

        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # far behind what is written
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:

    def lock_now(descriptor: int) -> None:
        """Lock the file for this process, or raise OSError: one of ``HELD`` if somebody else has."""
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Whether this process is the only one inside, over this file, which is removed at the end.

    Where the file system knows no locks everybody is. Raises OSError where nothing can be written.
    """
    make_folder(path.parent)
    file = _taken(path)
    try:
        yield file is not None
    finally:
        if file is not None:
            with contextlib.suppress(OSError):  # while it is held; where that isn't possible it stays
                path.unlink(missing_ok=True)
            file.close()


def _taken(path: Path) -> BinaryIO | None:
    while True:
        file: BinaryIO = open(path, "ab", opener=private)  # noqa: SIM115
        try:
            lock_now(file.fileno())
        except OSError as error:
            if error.errno in HELD:
                file.close()
                return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its last holder has removed it since it was opened
