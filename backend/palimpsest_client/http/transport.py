"""One HTTP request at a time over the standard library. Blocks: never call it on a UI thread."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NamedTuple, Union
from urllib.parse import SplitResult, urlsplit

from ..text.wording import say
from .protocol import PROTOCOL, PROTOCOL_HEADER, RefusedError, UnreachableError

Body = Union[bytes, BinaryIO]
PIECE = 1 << 20  # bytes sent at once


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise UnreachableError(say("no-server-of-ours")) from error


class Transport:
    """``address`` as in ``http://127.0.0.1:8391``; https goes through the system's certificates."""

    def __init__(self, address: str, token: str, timeout: float = 30.0) -> None:
        parts = parsed(address)
        if not token.isascii() or not token.isprintable():
            raise UnreachableError(say("bad-token"))
        self.address = address.rstrip("/")
        self._parts = parts
        self._token = token
        self._timeout = timeout

    def ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = 0.0,
    ) -> Answer:
        """The answer, whatever its status. ``patience``: seconds the server itself was asked to wait."""
        connection = self._connect(self._timeout + patience)
        try:
            with breaking(self.address):
                told = {} if body is None else {"Content-Length": str(size_of(body))}
                self._begin(connection, method, path, {**told, **(headers or {})})
                with suppress(OSError):  # the server refused before everything was sent: its answer says why
                    for piece in pieces(body):
                        connection.send(piece)
                return answer_of(connection)
        finally:
            connection.close()

    def upload(self, path: str) -> Upload:
        """A POST whose body is sent while it is made."""
        connection = self._connect(self._timeout)
        try:
            with breaking(self.address):
                self._begin(connection, "POST", path, {"Transfer-Encoding": "chunked"})
        except UnreachableError:
            connection.close()
            raise
        return Upload(connection, self.address)

    def ask_json(self, method: str, path: str, told: Any = None, patience: float = 0.0) -> Any:
        """The parsed answer to a JSON request. Raises RefusedError for any status from 400."""
        body = None if told is None else json.dumps(told).encode("utf-8")
        headers = {} if body is None else {"Content-Type": "application/json"}
        answer = require(self.ask(method, path, body, headers, patience))
        return None if answer.status == 204 else answer.json()

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        make = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        return make(self._parts.hostname, self._parts.port, timeout=timeout)

    def _begin(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str]
    ) -> None:
        told: dict[str, str] = {
            "Authorization": "Bearer " + self._token,
            PROTOCOL_HEADER: str(PROTOCOL),
            "Connection": "close",
        }
        told.update(headers)
        connection.putrequest(method, self._parts.path.rstrip("/") + path, skip_accept_encoding=True)
        for name, value in told.items():
            connection.putheader(name, value)
        connection.endheaders()


class Upload:
    """A body on its way: ``send`` its pieces, ``end`` it, read the ``answer``; ``close`` it. What is closed
    without an end, the server forgets. Raises UnreachableError."""

    def __init__(self, connection: http.client.HTTPConnection, address: str) -> None:
        self._connection = connection
        self._address = address

    def send(self, piece: bytes) -> None:
        """One chunk, as HTTP/1.1 has them (RFC 9112, 7.1)."""
        with breaking(self._address):
            for part in (b"%x\r\n" % len(piece), *pieces(piece), b"\r\n") if piece else ():
                self._connection.send(part)

    def end(self) -> None:
        with breaking(self._address):
            self._connection.send(b"0\r\n\r\n")

    def answer(self) -> Answer:
        with breaking(self._address):
            return answer_of(self._connection)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def breaking(address: str) -> Iterator[None]:
    """A connection that breaks is a server that can't be reached."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        reason = type(error).__name__
        raise UnreachableError(say("connection-broke", address=address, reason=reason)) from error


def answer_of(connection: http.client.HTTPConnection) -> Answer:
    answer = connection.getresponse()
    told = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, told, answer.read())


def parsed(address: str) -> SplitResult:
    """Raises UnreachableError for what is no address."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # such a port, such a bracket
        pass
    raise UnreachableError(say("bad-address", address=address))


def pieces(body: Body | None) -> Any:
    if body is None:
        return
    if isinstance(body, (bytes, bytearray, memoryview)):
        view = memoryview(body)
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
        return
    piece = body.read(PIECE)
    while piece:
        yield piece
        piece = body.read(PIECE)


def size_of(body: Body) -> int:
    """Bytes; an open file is measured from where it stands."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return len(body)
    here = body.tell()
    end = body.seek(0, 2)
    body.seek(here)
    return end - here


def require(answer: Answer) -> Answer:
    """Raises RefusedError for any status from 400."""
    if answer.status < 400:
        return answer
    try:
        told = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        told = {}
    raise RefusedError(answer.status, told if isinstance(told, dict) else {})
