"""Connections whose request heads must arrive in time. Bodies are watched at the door (``api.security``)."""

from __future__ import annotations

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from palimpsest.errors import BodyStalledError


class PatientConnection(H11Protocol):
    """Waits ``head_seconds`` for a whole request head, the first as well as any later one."""

    head_seconds: float = 20.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._expect_head()
        else:
            self._forget_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._give_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Say why, as far as anybody listens, and let go."""
        self._deadline = None
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            return
        error = BodyStalledError("The request's head arrives too slowly.", "Send it again.")
        body = json.dumps(error.to_json()).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=error.status, headers=headers, reason=b"Request Timeout"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            told = self.conn.send(event)
            if told:
                self.transport.write(told)
        self.transport.close()


def patient(head_seconds: float) -> type[PatientConnection]:
    """The class that uvicorn makes one of for each connection."""
    return type("PatientConnection", (PatientConnection,), {"head_seconds": head_seconds})
