"""How a running server is found: a lock that only one holds, a state file, and files with tokens.

All of them are readable by their owner alone. The lock is the system's, so it is free the moment its
holder is gone, however it went.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from palimpsest.errors import ServerRunningError, TokenError
from palimpsest.storage.atomic import write_atomically

STATE_FILE, LOCK_FILE, TOKENS_FOLDER = "server.json", "server.lock", "tokens"
LOCAL_OWNER = "local"
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Announcement:
    """The content of the state file."""

    address: str
    pid: int
    protocol: int
    version: str
    token_file: str

    def publish(self, folder: Path) -> None:
        path = folder / STATE_FILE
        write_atomically(path, json.dumps(asdict(self), indent=1).encode(), reserved=False)
        path.chmod(0o600)


def read_announcement(folder: Path) -> Announcement | None:
    """What the last server said of itself, if it can be read. Whether it still runs: ``is_held``."""
    try:
        return Announcement(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def withdraw(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / STATE_FILE).unlink(missing_ok=True)


def make_token(path: Path) -> str:
    """The token in the file, made if there is none. Raises TokenError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
    return read_token(path)


def read_token(path: Path) -> str:
    """Raises TokenError if the file can't be read, is too short, or can be read by others."""
    try:
        token = path.read_text(encoding="utf-8").strip()
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
def hold(folder: Path) -> Iterator[None]:
    """Be the only server over these folders. Raises ServerRunningError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+b") as file:
        if not _lock(file.fileno()):
            raise ServerRunningError("A Palimpsest server runs already.", "See: palimpsest status")
        yield


def is_held(folder: Path) -> bool:
    """Whether a server runs."""
    try:
        with (folder / LOCK_FILE).open("r+b") as file:
            return not _lock(file.fileno())
    except OSError:
        return False


if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        except OSError:
            return False
else:

    def _lock(descriptor: int) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            return False
