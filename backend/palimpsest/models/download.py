"""Downloads that are whole or not there: resumed where that is safe, checked at the end, always.

A broken download goes on only if the server answers 206 for exactly the missing part of a file whose
ETag hasn't changed (RFC 9110, sections 13.1.5 and 14); in every other case it begins again. Mirrors and
proxies are set by the environment (HF_ENDPOINT, HTTPS_PROXY); HF_HUB_OFFLINE=1 or PALIMPSEST_OFFLINE=1
forbids any download.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from palimpsest.errors import ChecksumError, DiskFullError, NetworkError, OfflineError, StorageError
from palimpsest.storage.atomic import NO_ROOM, make_folder, put_in_place
from palimpsest.storage.room import require_room

CHUNK = 256 << 10
ATTEMPTS = 5  # connections that may break before the download is given up (what has come is kept)
TIMEOUT = (15.0, 60.0)  # seconds to connect, seconds without one byte
OFFLINE = ("HF_HUB_OFFLINE", "PALIMPSEST_OFFLINE")
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class Remote:
    """A file elsewhere and what is known of it. ``git_sha1``: of a small file that git itself keeps."""

    url: str
    size: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def require_online(environment: Mapping[str, str] = os.environ) -> None:
    """Raises OfflineError where downloads are forbidden."""
    for name in OFFLINE:
        if environment.get(name, "").lower() in ("1", "true", "yes", "on"):
            raise OfflineError(
                f"Downloads are switched off by {name}.", f"Unset {name}, or bring the files yourself."
            )


def download(remote: Remote, target: Path) -> Iterator[tuple[int, int | None]]:
    """Bring ``remote`` to ``target``; yields (bytes so far, bytes in all) after each piece.

    ``target`` appears complete and checked, or not at all. Stopping in the middle keeps what has come.
    Raises OfflineError, NetworkError, ChecksumError, DiskFullError, StorageError.
    """
    require_online()
    part = Part(target)
    with disk_errors(target):
        make_folder(target.parent)
        for attempt in range(ATTEMPTS):
            try:
                yield from fetch(remote, part)
                break
            except (
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
            ) as error:
                if attempt == ATTEMPTS - 1:
                    raise broken(remote, error) from error
        check(remote, part)
        put_in_place(part.path, target)
        part.forget()


class Part:
    """What has come of a file, and of which version of it."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._notes = target.with_name(target.name + ".part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def etag(self, url: str) -> str | None:
        """The strong ETag under which the part began to come from ``url``."""
        try:
            told = json.loads(self._notes.read_text(encoding="utf-8"))
            return told["etag"] if told["url"] == url else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begin(self, url: str, etag: str | None) -> None:
        """Forget what there was; remember what comes now."""
        self.forget()
        if etag is not None and not etag.startswith("W/"):
            self._notes.write_text(json.dumps({"url": url, "etag": etag}), encoding="utf-8")

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)


def fetch(remote: Remote, part: Part) -> Iterator[tuple[int, int | None]]:
    """One connection's worth of the file."""
    etag = part.etag(remote.url)
    resume = part.size if etag is not None else 0
    if resume > 0 and resume == remote.size:
        return
    headers = {"Accept-Encoding": "identity", **dict(remote.headers)}
    if resume > 0 and etag is not None:
        headers.update({"Range": f"bytes={resume}-", "If-Range": etag})
    with requests.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # the part is longer than the file
            part.forget()
            raise requests.ConnectionError("the file has become shorter")
        require_success(remote, answer)
        done = resume if continues(answer, resume, etag) else 0
        if done == 0:
            part.begin(remote.url, answer.headers.get("ETag"))
        total = total_size(answer, done)
        require_room(part.path.parent, 0 if total is None else total - done)
        yield from append(answer, part, done, total)


def append(
    answer: requests.Response, part: Part, done: int, total: int | None
) -> Iterator[tuple[int, int | None]]:
    with part.path.open("ab") as file:
        for chunk in answer.iter_content(CHUNK):
            file.write(chunk)
            done += len(chunk)
            yield done, total
        file.flush()
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise requests.ConnectionError(f"{done} of {total} bytes came")


def continues(answer: requests.Response, start: int, etag: str | None) -> bool:
    """Whether the answer is exactly the rest of what we have."""
    if start == 0 or answer.status_code != 206 or answer.headers.get("ETag") != etag:
        return False
    found = RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return found is not None and int(found[1]) == start and int(found[2]) + 1 == int(found[3])


def total_size(answer: requests.Response, done: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return done + int(length) if length.isdecimal() else None


def require_success(remote: Remote, answer: requests.Response) -> None:
    if answer.status_code in (401, 403):
        raise NetworkError(
            f"{remote.url} may not be downloaded ({answer.status_code}).",
            "Accept the model's licence on its page and set HF_TOKEN to your access token.",
        )
    if answer.status_code not in (200, 206):
        raise NetworkError(f"{remote.url} answered {answer.status_code}.", "Check the address.")
    if answer.status_code == 206 and "Range" not in answer.request.headers:
        raise NetworkError(f"{remote.url} sent a part that nobody asked for.", "Try another mirror.")


def check(remote: Remote, part: Part) -> None:
    """Size and hash of the whole file. What is wrong is removed. Raises ChecksumError."""
    size = part.size
    found, expected = digest(part.path, remote)
    if remote.size in (None, size) and expected in (None, found):
        return
    part.forget()
    raise ChecksumError(
        f"{remote.url} came with {size} bytes and hash {found}; {remote.size} and {expected} were expected.",
        "It was damaged on its way, or the file has changed: try again.",
    )


def digest(path: Path, remote: Remote) -> tuple[str, str | None]:
    """The file's hash of the kind that is known of the remote one, and that one."""
    by_git = remote.sha256 is None and remote.git_sha1 is not None
    hashed = hashlib.sha1(usedforsecurity=False) if by_git else hashlib.sha256()
    if by_git:
        hashed.update(b"blob %d\0" % path.stat().st_size)  # as git names its blobs
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            hashed.update(chunk)
    return hashed.hexdigest(), remote.git_sha1 if by_git else remote.sha256


def broken(remote: Remote, error: Exception) -> NetworkError:
    return NetworkError(
        f"The connection to {remote.url} broke: {type(error).__name__}.",
        "What has come is kept: the next attempt goes on from there.",
    )


class disk_errors:  # noqa: N801 (a context manager that reads like a function)
    """OSErrors of the disk as DiskFullError and StorageError; those of the network pass."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError) or isinstance(error, requests.RequestException):
            return
        if error.errno in NO_ROOM:
            raise DiskFullError(
                f"The disk of {self._target.parent} is full.", "Free some space: what has come is kept."
            ) from error
        raise StorageError(f"{self._target} can't be written: {error.strerror}.") from error
