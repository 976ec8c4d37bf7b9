"""Access control: who may come in, from where, how often, and with how much in their hands.

- ``Host`` must be a name of this machine: a page that rebinds its own name to 127.0.0.1 is refused.
- A request with a foreign ``Origin`` (or that a browser marks as cross-site) is refused; no CORS.
- Every route but health and the dashboard's page needs a token, compared in constant time; each token is
  an owner of its own.
- Bodies are counted as they arrive; those that stop arriving are cut off.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from palimpsest.api.connection import CONNECTION, group_of
from palimpsest.api.dashboard import TYPES
from palimpsest.api.errors import error_response
from palimpsest.api.services import PROTOCOL, AppServices
from palimpsest.errors import (
    BodyStalledError,
    BodyTooLargeError,
    HostForbiddenError,
    OriginForbiddenError,
    PalimpsestError,
    ProtocolMismatchError,
    RateLimitedError,
    TokenError,
)

PAGE = ("/", *(f"/dashboard/{name}" for name in TYPES))  # the dashboard: no secret is in it
OPEN_PATHS = ("/v1/health", *PAGE)
PROTOCOL_HEADER = "palimpsest-protocol"
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class AccessControl:
    """ASGI middleware around the whole application; puts the owner's name into ``scope["owner"]``."""

    def __init__(self, app: ASGIApp, services: AppServices) -> None:
        self._app = app
        self._services = services
        self._digests = {owner: digest(token) for owner, token in services.tokens.items()}
        self._requests = Buckets(services.limits.requests_per_second, services.limits.requests_per_second * 2)
        self._refusals = Buckets(
            services.limits.refusals_per_minute / 60, services.limits.refusals_per_minute
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check(scope, headers)
            limit = self._body_limit(scope["path"])
            refuse_declared(headers, limit)
        except PalimpsestError as error:
            await error_response(error, {"Connection": "close"})(scope, receive, hardened(send))
            return
        self._services.last_request[0] = time.monotonic()
        body = CountedBody(receive, limit, self._services)
        await self._app(scope, body.receive, hardened(send))

    def _check(self, scope: Scope, headers: Headers) -> None:
        require_host(headers.get("host", ""), self._services)
        if scope["path"] not in PAGE:  # a link from elsewhere may lead to it
            require_origin(headers)
        if scope["path"] not in OPEN_PATHS:
            scope["owner"] = self._authenticate(scope, headers)
            if not self._requests.take(scope["owner"]):
                raise RateLimitedError("Too many requests.", "Ask less often, or use ?wait= on events.")
        require_protocol(headers.get(PROTOCOL_HEADER))

    def _authenticate(self, scope: Scope, headers: Headers) -> str:
        """Whose token it is. A right one is let in however many wrong ones came from the same address."""
        owner = owner_of(headers.get("authorization", ""), self._digests)
        if owner is not None:
            mark_trusted(scope)
            return owner
        address = scope["client"][0] if scope.get("client") is not None else ""
        if not self._refusals.take(group_of(address)):
            raise RateLimitedError("Too many wrong tokens.", "Wait a minute.")
        raise TokenError(
            "The token is missing or wrong.",
            "Send 'Authorization: Bearer TOKEN'; the server's state file says where its token is kept.",
        )

    def _body_limit(self, path: str) -> int:
        limits = self._services.limits
        if path == "/v1/images" or path.startswith("/v1/images/"):
            return limits.image_bytes
        return limits.concept_bytes if path.startswith("/v1/concepts/") else limits.json_bytes


class CountedBody:
    """A request's body that may neither grow beyond its limit nor dry up."""

    def __init__(self, receive: Receive, limit: int, services: AppServices) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = services.limits.stall_seconds
        self._least_rate = services.limits.least_rate
        self._began = time.monotonic()
        self._bytes = 0
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()  # only the news that the client went away
        try:
            message = await asyncio.wait_for(self._receive(), self._patience)
        except asyncio.TimeoutError:
            raise BodyStalledError("The request stopped arriving.", "Send it again.") from None
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            self._judge()
        return message

    def _judge(self) -> None:
        if self._bytes > self._limit:
            raise too_large(self._limit)
        lasted = time.monotonic() - self._began
        if not self._complete and lasted > self._patience and self._bytes < lasted * self._least_rate:
            raise BodyStalledError(
                "The request arrives too slowly.", "Send it again over a better connection."
            )


class Buckets:
    """Token buckets by name: ``rate`` per second, at most ``size`` at once."""

    def __init__(self, rate: float, size: float) -> None:
        self._rate = rate
        self._size = size
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> bool:
        level = self._level(name)
        if level < 1:
            return False
        if len(self._levels) > 10_000:  # many addresses: begin anew rather than grow without end
            self._levels.clear()
        self._levels[name] = (level - 1, time.monotonic())
        return True

    def _level(self, name: str) -> float:
        level, then = self._levels.get(name, (self._size, 0.0))
        return min(self._size, level + (time.monotonic() - then) * self._rate)


def mark_trusted(scope: Scope) -> None:
    """The connection has shown a right token: it need not make room for others."""
    connection = scope.get("state", {}).get(CONNECTION)
    if connection is not None:
        connection.trusted = True


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def owner_of(authorization: str, digests: Mapping[str, bytes]) -> str | None:
    """Whose token this is. Takes the same time for every wrong one."""
    scheme, _, token = authorization.partition(" ")
    given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
    found = None
    for owner, expected in digests.items():
        if hmac.compare_digest(given, expected):
            found = owner
    return found if scheme.lower() == "bearer" else None


def require_host(host: str, services: AppServices) -> None:
    """A name of this machine, one of the configured names, or, on an open network, an address."""
    name = host_name(host)
    if name in THIS_MACHINE or name in services.hosts or (services.any_address and is_address(name)):
        return
    raise HostForbiddenError(
        f"This server does not answer to the name {name!a}.",
        "Use its address, or add the name with --allow-host when starting it.",
    )


def host_name(host: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if parts.hostname is not None and parts.username is None else ""
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return False


def require_origin(headers: Headers) -> None:
    """A browser says where a page comes from; only our own pages may ask."""
    origin, host = headers.get("origin"), headers.get("host", "")
    foreign = origin is not None and place_of(origin) != host.lower()
    if foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise OriginForbiddenError("Pages from elsewhere may not use this server.")


def place_of(origin: str) -> str:
    """Host and port of a page's origin; nothing for one that can't be read."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def require_protocol(told: str | None) -> None:
    if told is not None and told != str(PROTOCOL):
        raise ProtocolMismatchError(
            f"This server speaks protocol {PROTOCOL}, the client {told!a}.",
            "Run install.py again, so that plug-in and server are of the same version.",
        )


def refuse_declared(headers: Headers, limit: int) -> None:
    declared = headers.get("content-length", "")
    digits = declared.strip().lstrip("0")
    if digits.isdecimal() and (len(digits) > 18 or int(digits) > limit):
        raise too_large(limit)


def too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"The request is larger than {limit} bytes.", "The limit is one of the settings."
    )


def hardened(send: Send) -> Send:
    """Answers are for this client only, and are what they say they are."""

    async def send_hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            headers += [(b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY")]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return send_hardened
