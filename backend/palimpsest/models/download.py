"""Downloads that are whole or not there: resumed where that is safe, checked at the end, always.

What comes is no more than was said and no more than is allowed, is not unpacked, and leaves the disk's
reserve free. Strangers' addresses are public ones (``models.address``), and what answers there is not told.

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
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from requests.utils import requote_uri
from urllib3.exceptions import HTTPError

from palimpsest.errors import (
    ChecksumError,
    DiskFullError,
    DownloadTooLargeError,
    NetworkError,
    OfflineError,
    StorageError,
    Text,
)
from palimpsest.models import address
from palimpsest.storage.atomic import NO_ROOM, make_folder, private, put_in_place
from palimpsest.storage.room import require_room

CHUNK = 256 << 10
ATTEMPTS = 5  # connections that may break before the download is given up (what has come is kept)
TIMEOUT = (15.0, 60.0)  # seconds to connect, seconds without one byte
ANSWER_SECONDS = 60.0  # for all redirections and the head of the answer, together
HOPS = 10  # redirections that are followed
PIECE_SECONDS = 1.0  # after which what has come is told, even if it is little
SLOW = (60.0, 60 << 10)  # seconds, and the bytes that must come in them
OFFLINE = ("HF_HUB_OFFLINE", "PALIMPSEST_OFFLINE")
NOTHING_KEPT = Text("nothing-kept")
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Progress = Generator[tuple[int, int | None], None, None]  # bytes so far, bytes in all


@dataclass(frozen=True)
class Limits:
    """most_bytes: of one download. networks: where strangers' addresses may lead besides public ones."""

    most_bytes: int = 64 << 30
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remote:
    """A file elsewhere and what is known of it. ``git_sha1``: of a small file that git itself keeps.

    headers: for this host alone. strange: somebody gave the address; it isn't from the catalogue.
    """

    url: str
    size: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    strange: bool = False

    @property
    def hashed(self) -> bool:
        return self.sha256 is not None or self.git_sha1 is not None


def require_online(environment: Mapping[str, str] = os.environ) -> None:
    """Raises OfflineError where downloads are forbidden."""
    for name in OFFLINE:
        if environment.get(name, "").lower() in ("1", "true", "yes", "on"):
            raise OfflineError(Text("offline", name=name), Text("unset-or-bring", name=name))


def download(remote: Remote, target: Path, limits: Limits = Limits()) -> Progress:
    """Bring ``remote`` to ``target``; yields (bytes so far, bytes in all) after each piece.

    ``target`` appears complete and checked, or not at all. Stopping in the middle keeps what has come,
    except where there is no room for it, or too much comes. Raises OfflineError, NetworkError,
    AddressForbiddenError, ChecksumError, DownloadTooLargeError, DiskFullError, StorageError.
    """
    require_online()
    partial = PartialFile(target)
    try:
        with disk_errors(target):
            make_folder(target.parent)
            yield from attempts(remote, partial, limits)
            check(remote, partial)
            put_in_place(partial.path, target)
            partial.forget()
    except BaseException as error:
        if isinstance(error, (DiskFullError, DownloadTooLargeError)) or partial.etag(remote.url) is None:
            with suppress(OSError):
                partial.forget()  # without an ETag nobody could go on with it
        raise


def attempts(remote: Remote, partial: PartialFile, limits: Limits) -> Progress:
    """One connection after the other, until the whole file has come."""
    for left in reversed(range(ATTEMPTS)):
        try:
            yield from fetch(remote, partial, limits)
            return
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            HTTPError,
        ) as error:
            if left == 0:
                raise connection_error(remote, error) from error
        except (requests.RequestException, ValueError) as error:  # an address that can't be one, and such
            raise no_file_error(remote, f"{remote.url} can't be used: {type(error).__name__}.") from error


class PartialFile:
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
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            return notes["etag"] if notes["url"] == url else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def begin(self, url: str, etag: str | None) -> None:
        """Forget what there was; remember what comes now."""
        self.forget()
        if etag is not None and not etag.startswith("W/"):
            with open(self._notes, "w", encoding="utf-8", opener=private) as file:
                json.dump({"url": url, "etag": etag}, file)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)


def fetch(remote: Remote, partial: PartialFile, limits: Limits) -> Progress:
    """One connection's worth of the file."""
    etag = partial.etag(remote.url)
    resume = partial.size if etag is not None else 0
    if resume > 0 and resume == remote.size:
        return
    headers = {"Accept-Encoding": "identity"}
    if resume > 0 and etag is not None:
        headers.update({"Range": f"bytes={resume}-", "If-Range": etag})
    with opened(remote, headers, limits) as answer:
        if answer.status_code == 416:  # the part is longer than the file
            partial.forget()
            raise requests.ConnectionError("the file has become shorter")
        require_success(remote, answer)
        done = resume if is_continuation(answer, resume, etag) else 0
        if done == 0:
            partial.begin(remote.url, answer.headers.get("ETag"))
        total = total_size(answer, done)
        require_size(remote, total, limits)
        require_room(partial.path.parent, 0 if total is None else total - done, NOTHING_KEPT)
        yield from append(answer, remote, partial, done, limits)


@contextmanager
def opened(remote: Remote, headers: Mapping[str, str], limits: Limits) -> Iterator[requests.Response]:
    """The answer at the end of all redirections, whose own bodies are not read."""
    url = remote.url
    with address.session(limits.networks if remote.strange else None, ANSWER_SECONDS) as http:
        for _ in range(HOPS):
            own = dict(remote.headers) if origin(url) == origin(remote.url) else {}
            with ask(http, url, {**headers, **own}) as answer:
                leads_to = http.get_redirect_target(answer)
                if leads_to is None:
                    yield answer
                    return
                url = urljoin(url, requote_uri(leads_to))
            if urlsplit(url).scheme not in (("https", "http") if remote.hashed else ("https",)):
                raise no_file_error(remote, f"{remote.url} leads to an address that is not https.")
    raise no_file_error(remote, f"{remote.url} leads on and on: {HOPS} redirections.")


def ask(http: requests.Session, url: str, headers: Mapping[str, str]) -> requests.Response:
    """One request. ``Session.send`` reads a redirection's whole body, even where it doesn't follow it."""
    prepared = http.prepare_request(requests.Request("GET", url, dict(headers)))
    how = http.merge_environment_settings(str(prepared.url), {}, True, None, None)
    return http.get_adapter(str(prepared.url)).send(prepared, timeout=TIMEOUT, **how)


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def append(
    answer: requests.Response, remote: Remote, partial: PartialFile, done: int, limits: Limits
) -> Progress:
    total = total_size(answer, done)
    with open(partial.path, "ab", opener=private) as file:
        for piece in pieces(answer):
            done += len(piece)
            require_size(remote, done, limits)
            require_room(partial.path.parent, len(piece), NOTHING_KEPT)
            file.write(piece)
            file.flush()  # a full disk is noticed here
            yield done, total
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise requests.ConnectionError(f"{done} of {total} bytes came")


def pieces(answer: requests.Response) -> Iterator[bytes]:
    """The body as it comes, at most CHUNK bytes at once. A trickle is a broken connection."""
    gathered, last_piece = bytearray(), time.monotonic()
    window, came = last_piece, 0
    while True:
        piece = answer.raw.read1(CHUNK - len(gathered), decode_content=False) or b""
        gathered += piece
        came += len(piece)
        now = time.monotonic()
        if now - window > SLOW[0]:
            if came < SLOW[1]:
                raise requests.ConnectionError(f"{came} bytes came in {now - window:.0f} seconds")
            window, came = now, 0
        if gathered and (not piece or len(gathered) >= CHUNK or now - last_piece > PIECE_SECONDS):
            yield bytes(gathered)
            gathered.clear()
            last_piece = time.monotonic()
        if not piece:
            return


def require_size(remote: Remote, size: int | None, limits: Limits) -> None:
    """Raises DownloadTooLargeError for more bytes than were said or are allowed."""
    most = limits.most_bytes if remote.size is None else min(remote.size, limits.most_bytes)
    if size is None or size <= most:
        return
    limit = f"{remote.size} bytes were said" if most == remote.size else f"{most} are allowed"
    raise DownloadTooLargeError(
        f"{remote.url} is too large: {limit}.",
        "Nothing of it is kept. PALIMPSEST_MAX_DOWNLOAD_BYTES sets the limit.",
    )


def is_continuation(answer: requests.Response, start: int, etag: str | None) -> bool:
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
        raise no_file_error(
            remote,
            Text("download-forbidden", address=remote.url, status=answer.status_code),
            Text("accept-licence"),
        )
    if answer.status_code not in (200, 206):
        raise no_file_error(remote, f"{remote.url} answered {answer.status_code}.")
    if answer.status_code == 206 and "Range" not in answer.request.headers:
        raise no_file_error(remote, f"{remote.url} sent a part that nobody asked for.", "Try another mirror.")
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        packed = f"{remote.url} sent it packed, though it was asked for as it is."
        raise no_file_error(remote, packed, "Try another mirror.")


def no_file_error(remote: Remote, why: str, hint: str = "Check the address.") -> NetworkError:
    """Why there is no file. Of a stranger's address nothing is told of what answers there."""
    if remote.strange:
        return NetworkError(f"{remote.url} gives no file.", "Check the address; try it in a browser.")
    return NetworkError(why, hint)


def check(remote: Remote, partial: PartialFile) -> None:
    """Size and hash of the whole file. What is wrong is removed. Raises ChecksumError."""
    size = partial.size
    found, expected = digest(partial.path, remote)
    if remote.size in (None, size) and expected in (None, found):
        return
    partial.forget()
    if remote.strange:
        raise ChecksumError(
            f"{remote.url} is not the file with the sha256 that was given.", "Check both; nothing is kept."
        )
    raise ChecksumError(
        Text("download-wrong", address=remote.url, n=size, found=found, of=remote.size, expected=expected),
        Text("damaged-or-changed"),
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


def connection_error(remote: Remote, error: Exception) -> NetworkError:
    if remote.strange:
        return no_file_error(remote, "")
    return NetworkError(
        Text("download-broke", address=remote.url, reason=type(error).__name__), Text("goes-on-there")
    )


class disk_errors:  # noqa: N801 (a context manager that reads like a function)
    """OSErrors of the disk as DiskFullError and StorageError; those of the network pass."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError) or isinstance(error, (requests.RequestException, HTTPError)):
            return
        if error.errno in NO_ROOM:
            raise DiskFullError(
                Text("disk-full", place=str(self._target.parent)),
                Text("two-sentences", one=NOTHING_KEPT, two=Text("free-some-space")),
            ) from error
        raise StorageError(Text("not-written", place=str(self._target), reason=error.strerror)) from error
