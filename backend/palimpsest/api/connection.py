"""Connections that end: every wait for a client has a deadline, and their number has limits.

uvicorn closes connections on which nothing is asked. Added here, for those that send or read too slowly:

- a request's head must be whole in time, the first as well as any later one;
- a body whose answer is known already is read and thrown away, so that the client gets to read the answer
  (without that the system would reset the connection), but only for so long;
- an answer must be read, or the connection is dropped.

How fast a body must arrive while somebody reads it is decided by ``api.security``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from palimpsest.api.services import ApiLimits
from palimpsest.errors import BodyStalledError, ConnectionsFullError, PalimpsestError

Phase = Literal["head", "rest", "unread", "closing", "working"]
CONNECTION = "connection"  # its key in a request's ``state``


class TimedConnection(H11Protocol):
    """One client's connection. ``trusted``: it has shown a right token."""

    limits: ApiLimits
    connection_limit: ConnectionLimit

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.app_state = {**self.app_state, CONNECTION: self}
        self.trusted = False
        self.group = ""
        self._answered = 0
        self._awaited: tuple[Phase, int] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(LingeringTransport(transport, self))  # type: ignore[arg-type]
        self.group = group_of(self.client[0] if self.client is not None else "")
        if not self.connection_limit.enter(self):
            self._refuse(ConnectionsFullError("Too many connections are open.", "Close some, or try later."))
        self._watch()

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():  # what comes after the last answer is thrown away
            super().data_received(data)
            self._watch()

    def on_response_complete(self) -> None:
        self._answered += 1
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection_limit.leave(self)
        super().connection_lost(exc)
        self._forget_deadline()

    def make_room(self) -> None:
        """End at once, for somebody who comes later."""
        self.transport.abort()

    def is_sending(self) -> bool:
        """Whether more of a request may be on its way, so that closing at once would lose the answer."""
        return self.conn.their_state not in (h11.IDLE, h11.DONE, h11.CLOSED, h11.MUST_CLOSE)

    def watch_closing(self) -> None:
        self._watch()

    def _phase(self) -> Phase:
        """What the connection waits for: the client, or ourselves ("working")."""
        if self.transport.is_closing():
            return "closing"
        if self.flow.write_paused:
            return "unread"
        if self.cycle is not None and not self.cycle.response_complete:
            return "working"
        return "head" if self.conn.their_state is h11.IDLE else "rest"

    def _watch(self) -> None:
        """Set the deadline anew whenever another thing is waited for."""
        awaited = (self._phase(), self._answered)
        if awaited == self._awaited:
            return
        self._forget_deadline()
        self._awaited = awaited
        if awaited[0] != "working":
            reads = awaited[0] == "unread" or (awaited[0] == "closing" and not self.is_sending())
            seconds = self.limits.unread_seconds if reads else self.limits.stall_seconds
            self._deadline = self.loop.call_later(seconds, self._run_out, awaited[0])

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _run_out(self, phase: Phase) -> None:
        self._deadline = None
        if phase == "head":
            self._refuse(BodyStalledError("The request's head arrives too slowly.", "Send it again."))
        else:
            self.transport.abort()

    def _refuse(self, error: PalimpsestError) -> None:
        """Say why, as far as anybody listens, and let go."""
        body = json.dumps(error.to_json()).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=error.status, headers=headers, reason=error.code.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            told = self.conn.send(event)
            if told:
                self.transport.write(told)
        self.transport.close()


class LingeringTransport:
    """A transport that goes on reading after ``close`` while its client is still sending.

    Our side is closed once everything is written; the client's when it has seen that, or at the deadline.
    """

    def __init__(self, transport: asyncio.Transport, connection: TimedConnection) -> None:
        self._transport = transport
        self._connection = connection
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._closed or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if not self._closed:
            self._transport.write(data)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._connection.is_sending() and self._transport.can_write_eof():
            self._transport.write_eof()
            self._connection.flow.resume_reading()
        else:
            self._transport.close()
        self._connection.watch_closing()


class ConnectionLimit:
    """Limits the number of connections, in all and per address.

    Whoever has shown a right token stays. Of the others the oldest makes room for a newcomer, so nobody
    without a token can keep those with one out. ``proxies`` and this machine itself speak for many: only the
    limit in all counts for them.
    """

    def __init__(self, total: int, per_address: int, proxies: Iterable[str] = ()) -> None:
        self._total = total
        self._per_address = per_address
        self._many = [ipaddress.ip_network(proxy) for proxy in ("127.0.0.0/8", "::1", *proxies)]
        self._open: dict[TimedConnection, None] = {}  # oldest first
        self._counts: Counter[str] = Counter()

    def enter(self, newcomer: TimedConnection) -> bool:
        """Whether there is room; a guest without a token may have to go for it."""
        group = newcomer.group
        own = self._counts[group] >= self._per_address and not self._speaks_for_many(group)
        if own or len(self._open) >= self._total:
            rivals = (c for c in self._open if not own or c.group == group)
            guest = next((c for c in rivals if not c.trusted), None)
            if guest is None:
                return False
            self.leave(guest)
            guest.make_room()
        self._open[newcomer] = None
        self._counts[group] += 1
        return True

    def leave(self, connection: TimedConnection) -> None:
        if connection in self._open:
            del self._open[connection]
            self._counts[connection.group] -= 1
            if self._counts[connection.group] == 0:
                del self._counts[connection.group]

    def _speaks_for_many(self, group: str) -> bool:
        try:
            place = ipaddress.ip_network(group)
        except ValueError:
            return False
        return any(place.version == many.version and many.overlaps(place) for many in self._many)


def group_of(address: str) -> str:
    """An IPv4 address as it is; of IPv6 the network of 64 bits, all of which one client can have."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return "::1" if found.is_loopback else str(ipaddress.ip_network((found, 64), strict=False))


def connection_class(limits: ApiLimits, proxies: Iterable[str] = ()) -> type[TimedConnection]:
    """The class that uvicorn makes one of for each connection of a server."""
    connection_limit = ConnectionLimit(limits.connections, limits.connections_per_address, proxies)
    return type(
        "TimedConnection", (TimedConnection,), {"limits": limits, "connection_limit": connection_limit}
    )


FILES_OF_A_CONNECTION = 2  # itself and the file it reads or writes
FILES_OF_OUR_OWN = 100  # the database, workers' pipes, libraries


def affordable_connections(connections: int) -> int:
    """As many of them as the system lets this process have open, after asking it for more files."""
    if sys.platform == "win32":  # no such limit there
        return connections
    import resource

    wanted = FILES_OF_A_CONNECTION * connections + FILES_OF_OUR_OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS has limits that it doesn't tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, (soft - FILES_OF_OUR_OWN) // FILES_OF_A_CONNECTION))
