"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from palimpsest.errors import DiskFullError, StorageError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def write_atomically(path: Path, content: bytes, replace: bool = True) -> None:
    """Write all of ``content`` to ``path``, or leave everything as it was.

    Without ``replace`` never over another file, even one that appears meanwhile: FileExistsError.
    Raises DiskFullError and StorageError.
    """
    temporary = path.with_name(f".writing-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _place(temporary, path, replace)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFullError(
                f"No room to write {path.name} in {path.parent}: {error.strerror}.",
                "Nothing was changed. Make room and try again.",
            ) from error
        raise StorageError(f"Can't write {path}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _place(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)  # unlike a rename, it fails if somebody else was faster
    except OSError as error:
        if isinstance(error, FileExistsError) or path.exists():
            raise FileExistsError(path) from error
        os.replace(temporary, path)  # a file system without links
