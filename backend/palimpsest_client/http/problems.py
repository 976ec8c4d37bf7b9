"""What can be the matter between a client and its backend, as errors, sentences and states."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from ..text.wording import fault, say
from .protocol import PROTOCOL, ClientError, RefusedError, UnreachableError


def require_protocol(health: Mapping[str, Any]) -> None:
    if health["protocol"] != PROTOCOL:
        text = say("mismatch", theirs=health["protocol"], ours=PROTOCOL)
        raise RefusedError(426, {"code": "protocol_mismatch", "message": text})


def trouble(error: ClientError) -> str:
    """The connection's state after ``error``."""
    if error.code == "protocol_mismatch":
        return "mismatch"
    return "searching" if isinstance(error, UnreachableError) else "refused"


def as_client_error(error: Exception) -> ClientError:
    """A fault of ours becomes a sentence too: the network's thread must go on."""
    if isinstance(error, ClientError):
        return error
    traceback.print_exc()
    return ClientError(fault(error))


def error_json(error: ClientError) -> dict[str, Any]:
    """As the JSON of a job's error."""
    if isinstance(error, RefusedError):
        return {**error.told, "code": error.code, "details": error.details}
    return {"code": error.code, "message": error.message, "hint": error.hint, "details": {}}
