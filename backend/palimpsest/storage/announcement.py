"""How a running server is found: locks that only one holds, a state file, and files with tokens.

All of them are readable by their owner alone. The locks are the system's, so they are free the moment their
holder is gone, however it went; its number is in them. There is one in the data folder, because two servers
would run the same jobs, and one in the configuration folder, which has room for one state file.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, cast

from palimpsest.errors import ServerRunningError, StorageError, TokenError
from palimpsest.storage.atomic import make_folder, private, write_atomically
from palimpsest.storage.files import read_regular
from palimpsest.storage.lock import HELD, lock_now

STATE_FILE, LOCK_FILE, TOKENS_FOLDER = "server.json", "server.lock", "tokens"
LOCAL_OWNER = "local"
SHORTEST_TOKEN, LONGEST_TOKEN = 16, 4096
TURN_SECONDS = 10.0


@dataclass(frozen=True)
class Announcement:
    """The content of the state file."""

    address: str
    pid: int
    protocol: int
    version: str
    token_file: str

    def publish(self, folder: Path) -> None:
        write_atomically(folder / STATE_FILE, json.dumps(asdict(self), indent=1).encode(), reserved=False)


def read_announcement(folder: Path) -> Announcement | None:
    """What the last server said of itself, if it can be read. Whether it still runs: ``holder``."""
    try:
        return Announcement(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def withdraw(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / STATE_FILE).unlink(missing_ok=True)


def make_token(path: Path) -> str:
    """The token in the file, made if there is none. Raises TokenError."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            write_atomically(path, (secrets.token_urlsafe(32) + "\n").encode(), replace=False, reserved=False)
    return read_token(path)


def read_token(path: Path) -> str:
    """Raises TokenError if the file can't be read, is too short, or can be read by others."""
    try:
        token = read_regular(path, LONGEST_TOKEN).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"The token file {path} can't be read: {error}.") from error
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise TokenError(f"The token file {path} can be read by others.", f"Run: chmod 600 {path}")
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenError(
            f"The token in {path} is too easy to guess or to mistake.",
            f"Use {SHORTEST_TOKEN} or more letters and digits, for instance: openssl rand -hex 32",
        )
    return token


def read_tokens(folder: Path) -> dict[str, str]:
    """One more owner per file in ``tokens``: the file's name is the owner's. Raises TokenError."""
    files = sorted(path for path in (folder / TOKENS_FOLDER).glob("*") if path.is_file())
    return {path.name: read_token(path) for path in files}


@contextlib.contextmanager
def hold(*folders: Path) -> Iterator[None]:
    """Be the only server over each of these folders. Raises ServerRunningError, StorageError."""
    with contextlib.ExitStack() as stack:
        for folder in folders:
            stack.enter_context(_held(folder))
        yield


def holder(folder: Path) -> int | None:
    """The process of the server that runs over this folder. A lock that no server of ours holds is none."""
    try:
        with _opened(folder / LOCK_FILE) as file:
            return None if _lock(file, folder / LOCK_FILE) else _server_in(file, folder)
    except (OSError, StorageError):
        return None


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    path = folder / LOCK_FILE
    try:
        make_folder(folder)
        with _turn(path):
            file = _take(path)
    except OSError as error:
        raise StorageError(f"Can't lock {path}: {error.strerror}.", "Look at its permissions.") from error
    with file:
        yield


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """One server after the other looks at the lock. Raises ServerRunningError, StorageError, OSError."""
    deadline = time.monotonic() + TURN_SECONDS
    turn = path.with_name(f"{LOCK_FILE}-turn")
    with _opened(turn, os.O_CREAT) as file:
        while not _lock(file, turn):
            if time.monotonic() > deadline:
                raise ServerRunningError(f"Another server is starting on {path.parent}.", "Try again.")
            time.sleep(0.05)
        yield


def _take(path: Path) -> BinaryIO:
    """The lock file, locked and with our number in it. Raises ServerRunningError, StorageError, OSError.

    Locked by something that is no server of ours, it was opened by another account while it was still open
    to it. That may keep the file; a new one, which it can't open, takes its place.
    """
    file = _opened(path, os.O_CREAT)
    if not _lock(file, path):
        number = _server_in(file, path.parent)
        file.close()
        if number is not None:
            raise ServerRunningError(
                f"A Palimpsest server, process {number}, runs already on {path.parent}.",
                "See: palimpsest status",
            )
        path.unlink()
        file = _opened(path, os.O_CREAT | os.O_EXCL)
        if not _lock(file, path):
            file.close()
            raise StorageError(f"{path} can't be locked.", "Choose a folder on another file system.")
    file.truncate(0)
    file.seek(0)
    file.write(f"{os.getpid()}\n".encode())
    return file


def _opened(path: Path, flags: int = 0) -> BinaryIO:
    """The file, ours and closed to others. Raises StorageError, OSError."""
    flags |= os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(private(str(path), flags), "r+b", buffering=0)
    if os.name == "posix":
        found = os.fstat(file.fileno())
        if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid) or not stat.S_ISREG(found.st_mode):
            file.close()
            raise StorageError(f"{path} belongs to another account.", "Remove it, or use another folder.")
        if found.st_mode & 0o077:
            os.fchmod(file.fileno(), 0o600)
    return cast(BinaryIO, file)


def _lock(file: BinaryIO, path: Path) -> bool:
    """Whether the lock is ours now; False: somebody else holds it. Raises StorageError where none works."""
    try:
        lock_now(file.fileno())
        return True
    except OSError as error:
        if error.errno in HELD:
            return False
        file.close()
        raise StorageError(
            f"{path} can't be locked: {error.strerror}.",
            "Some network file systems know no locks: set PALIMPSEST_HOME to a folder on another disk.",
        ) from error


def _server_in(file: BinaryIO, folder: Path) -> int | None:
    """The living process of ours that signed the lock, or that an older version announced."""
    file.seek(0)
    digits = file.read(32).strip()
    announced = read_announcement(folder)
    number = int(digits) if digits.isdigit() else announced.pid if announced is not None else 0
    return number if number > 0 and _lives(number) else None


if sys.platform == "win32":

    def _lives(number: int) -> bool:
        return True  # nobody else can hold a lock there
else:

    def _lives(number: int) -> bool:
        """A process of this account; those of others can't be signalled, nor run a server of ours."""
        try:
            os.kill(number, 0)
            return True
        except OSError:
            return False
