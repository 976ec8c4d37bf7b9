"""Files that a person names, read within bounds. Only regular files: a device may have no end, a pipe no
writer. Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

QUICK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)  # a pipe without a writer is not waited for
KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))


def open_regular(path: Path) -> BinaryIO:
    """Raises OSError whose ``strerror`` says why, as a clause: also for what is no regular file."""
    file = open(path, "rb", opener=_quickly)  # noqa: SIM115
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    file.close()
    kind = next((kind for is_kind, kind in KINDS if is_kind(mode)), "something else")
    raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))


def read_regular(path: Path, most: int) -> bytes:
    """What is in it, up to ``most + 1`` bytes: one more tells that it is too long. Raises OSError."""
    with open_regular(path) as file:
        return file.read(most + 1)


def _quickly(path: str, flags: int) -> int:
    return os.open(path, flags | QUICK)
