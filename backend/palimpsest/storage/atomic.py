"""Files that are written whole or not at all, are still there after the power fails, and are one's own.

What the program keeps is made readable for its owner alone, whatever the umask; only what a person asked to
have in a folder of their own (``SHARED``) has the permissions that the person's files usually have.

While a file is being written it lies beside its place under a name of its own, locked by its writer. One
that nobody holds was left by a process that was killed, and ``sweep`` removes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from palimpsest.errors import DiskFullError, StorageError, Text
from palimpsest.storage.room import require_room

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
UNFINISHED = ".writing-"
PRIVATE, SHARED = 0o600, 0o666


def write_atomically(
    path: Path, content: bytes, replace: bool = True, reserved: bool = True, mode: int = PRIVATE
) -> None:
    """Write all of ``content`` to ``path``, or leave everything as it was.

    Without ``replace`` never over another file, even one that appears meanwhile: FileExistsError.
    ``reserved``: leave the disk's reserve free; not for what is small and must not fail, nor for what a
    person asked to have in a folder of their own. ``mode``: of the file, less the umask. Raises
    DiskFullError and StorageError.
    """
    with written_aside(path, content, replace, reserved, mode):
        pass


@contextlib.contextmanager
def written_aside(
    path: Path, content: bytes, replace: bool = True, reserved: bool = True, mode: int = PRIVATE
) -> Iterator[None]:
    """As ``write_atomically``, but inside the ``with`` all of ``content`` is on the disk and not yet in its
    place: it is put there at the end, and removed if an error ends it."""
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    with contextlib.ExitStack() as stack:
        stack.callback(_remove, temporary)
        with _our_error(path):
            make_folder(path.parent, mode | (mode & 0o444) >> 2)  # who may read may enter
            if reserved:
                require_room(path.parent, len(content))
            file = stack.enter_context(open(temporary, "xb", opener=partial(_open, mode=mode)))
            _hold(file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield  # still held: nobody takes it for abandoned
        with _our_error(path):
            if os.name != "posix":  # an open file can't be renamed there, nor removed by others
                file.close()
            _place(temporary, path, replace)


@contextlib.contextmanager
def _our_error(path: Path) -> Iterator[None]:
    """An OSError as one of ours; FileExistsError stays."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFullError(
                Text("no-room-to-write", name=path.name, place=str(path.parent), reason=error.strerror),
                Text("nothing-changed"),
            ) from error
        raise StorageError(f"Can't write {path}: {error.strerror}.") from error


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


def put_in_place(source: Path, target: Path) -> None:
    """Rename a whole file or folder on the same disk, over what was there. Raises OSError."""
    os.replace(source, target)
    sync_folder(target.parent)


def private(path: str, flags: int) -> int:
    """For ``open(path, …, opener=private)``: a file that is made is its owner's alone."""
    return _open(path, flags, PRIVATE)


def _open(path: str, flags: int, mode: int) -> int:
    return os.open(path, flags, mode)


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Make it and what is missing above it, all of it safe on the disk. Raises OSError."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with contextlib.suppress(FileExistsError):  # somebody else was faster
            place.mkdir(mode)
            sync_folder(place.parent)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def tighten(folder: Path) -> list[Path]:
    """Close to other accounts what is open to them: the folder, what is in it, and what is in that.

    What lies deeper is closed with the folder. Links and what belongs to somebody else stay as they are.
    Returns what could not be closed.
    """
    if os.name != "posix" or not folder.is_dir():
        return []
    root = folder.resolve()
    inside = _entries(root)
    places = [root, *inside, *(below for place in inside if place.is_dir() for below in _entries(place))]
    return [place for place in places if not _close(place)]


def _entries(folder: Path) -> list[Path]:
    try:
        return [] if folder.is_symlink() else list(folder.iterdir())
    except OSError:
        return []


def _close(place: Path) -> bool:
    try:
        found = place.lstat()
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & 0o077:
            return True
        if found.st_uid != os.geteuid():
            return False
        place.chmod(found.st_mode & 0o700)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """A rename is on the disk only when its folder is. Where folders can't be opened nothing is done."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # it may be written but not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that knows no such thing
            raise
    finally:
        os.close(descriptor)


def require_writable(folder: Path) -> None:
    """Raises StorageError, DiskFullError: asked before long work whose result goes there."""
    probe = folder / f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        write_atomically(probe, b"", reserved=False)
    except StorageError as error:
        why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else str(error)
        raise StorageError(
            f"Nothing can be written to {folder}: {why}.", "Check its permissions and its disk."
        ) from error
    with contextlib.suppress(OSError):
        probe.unlink()


def sweep(folder: Path) -> int:
    """Remove what killed writers left in ``folder`` and one below; returns how many files."""
    removed = 0
    for path in (*folder.glob(f"{UNFINISHED}*"), *folder.glob(f"*/{UNFINISHED}*")):
        with contextlib.suppress(OSError):
            if _is_abandoned(path):
                path.unlink()
                removed += 1
    return removed


def _place(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        put_in_place(temporary, path)
        return
    try:
        os.link(temporary, path)  # unlike a rename, it fails if somebody else was faster
        sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileExistsError) or path.exists():
            raise FileExistsError(path) from error
        put_in_place(temporary, path)  # a file system without links


if sys.platform == "win32":
    LONGEST_WRITE = 3600.0  # seconds

    def _hold(descriptor: int) -> None:
        """The system lets nobody remove an open file."""

    def _is_abandoned(path: Path) -> bool:
        return time.time() - path.stat().st_mtime > LONGEST_WRITE
else:
    import fcntl

    def _hold(descriptor: int) -> None:
        with contextlib.suppress(OSError):  # a file system without locks: nothing is swept there
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_abandoned(path: Path) -> bool:
        with path.open("rb") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                return False
