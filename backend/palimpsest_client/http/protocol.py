"""What client and server agree on: the protocol's number, where a server is found, how it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..text.wording import error_text, in_a_row, say

PROTOCOL = 2
PROTOCOL_HEADER = "Palimpsest-Protocol"
STATE_FILE = "server.json"
ENDED = ("finished", "failed", "cancelled")
UNATTENDED = "Nobody was waiting for it."  # why a job was cancelled whose owner went away without a word


class ClientError(Exception):
    """``str`` of it is a sentence for people; ``code`` is for programs."""

    code = "client"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return in_a_row(self.message, self.hint)


class UnreachableError(ClientError):
    """No server answers: not started, stopped, or the connection broke. Trying again is safe."""

    code = "unreachable"


class RefusedError(ClientError):
    """The server answered with an error. ``code`` as in its documentation."""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        self.told = {"message": say("answered-status", status=status), **told}
        super().__init__(error_text(self.told, "message"), error_text(self.told, "hint"))
        self.status = status
        self.code = str(told.get("code", f"status_{status}"))
        self.details: dict[str, Any] = dict(told.get("details", {}))


class ServerRecord(NamedTuple):
    """The server's state file. ``token_file``: the path of a file that holds the token."""

    address: str
    pid: int
    protocol: int
    version: str
    token_file: str

    def token(self) -> str:
        """Raises UnreachableError when the token can't be read."""
        try:
            return Path(self.token_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UnreachableError(
                say("token-unreadable", address=self.address, reason=error.strerror)
            ) from error


def read_record(folder: Path) -> ServerRecord | None:
    """The server that says it runs, or None. It may be gone: only asking it tells."""
    try:
        told = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        return ServerRecord(
            str(told["address"]),
            int(told["pid"]),
            int(told["protocol"]),
            str(told["version"]),
            str(told["token_file"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
