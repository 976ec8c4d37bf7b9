"""What can go wrong while the backend is set up: one sentence each, and how it is told from what came.

uv speaks English alone, so its words are read; what none of them fits is shown as it came.
"""

from __future__ import annotations

import errno
import re
import urllib.error
from typing import Sequence, Tuple

from ..text.wording import say

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
WINDOWS_FULL = (39, 112)  # the disk, as Windows numbers it
SIGNS: Sequence[Tuple[str, str]] = (
    ("full", r"no space left on device|quota exceeded|not enough space on the disk|os error (28|112|122)\b"),
    ("forbidden", r"permission denied|access is denied|read-only file system|os error (13|30)\b"),
    ("hash", r"hash mismatch|no hash provided"),
    ("no-python", r"no interpreter found|python-build-standalone|no python (executable|installation)"),
    ("proxy", r"tunnel error|proxy (error|authentication)|unsuccessful tunnel|407 proxy"),
    ("away", r"dns error|connection refused|network is unreachable|timed out|connection reset"),
    ("wrong", r"not found in the package registry|http status (client|server) error"),
    ("away", r"error sending request|request failed|error decoding response|network was disabled"),
    ("wrong", r"failed to fetch|no solution found"),
)
"""What it is → what uv says then. The first that fits counts."""


class SetupError(Exception):
    """``str`` of it is a sentence for people."""


class CancelledError(SetupError):
    """People stopped it."""

    def __init__(self) -> None:
        super().__init__(say("setup-cancelled"))


def of_uv(complaints: str, place: str, index: str) -> SetupError:
    """``index``: the mirror that people named; empty = the usual index."""
    kind = next((kind for kind, sign in SIGNS if re.search(sign, complaints, re.IGNORECASE)), "")
    package = re.search(r"mismatch for `([^`]+)`", complaints)
    reason = last_error(complaints) if kind != "hash" or package is None else package[1]
    return error_of(kind, place, index, reason)


def of_reading(error: Exception, index: str, proxy: bool) -> SetupError:
    """Of what urllib raises. ``proxy``: whether it went through one."""
    reason = getattr(error, "reason", error)
    if isinstance(error, urllib.error.HTTPError):
        kind = "proxy" if error.code == 407 else "wrong"
        return error_of(kind, "", index, f"{error.code} {error.reason}")
    if "Tunnel connection failed" in str(reason):
        return error_of("proxy", "", index, str(reason))
    if isinstance(reason, ConnectionError) and proxy:
        return error_of("proxy", "", index, str(reason))
    return error_of("away", "", index, str(reason))


def of_writing(error: OSError, place: str) -> SetupError:
    place = str(error.filename) if error.filename is not None else place
    if error.errno in FULL or getattr(error, "winerror", None) in WINDOWS_FULL:
        return error_of("full", place)
    return error_of("forbidden" if error.errno in FORBIDDEN else "", place, reason=str(error))


def error_of(kind: str, place: str, index: str = "", reason: str = "") -> SetupError:
    if kind in ("away", "wrong") and index:
        shown = without_password(index)
        return SetupError(say("setup-mirror", address=shown, reason=without_password(reason)))
    if kind == "full":
        return SetupError(say("setup-full", place=place))
    if kind == "forbidden":
        return SetupError(say("setup-forbidden", place=place))
    if kind == "hash":
        return SetupError(say("setup-hash", name=reason))
    if kind == "no-python":
        return SetupError(say("setup-no-python"))
    if kind == "proxy":
        return SetupError(say("setup-proxy", reason=reason))
    if kind == "away":
        return SetupError(say("setup-offline"))
    return SetupError(say("setup-failed", reason=reason))


def last_error(complaints: str) -> str:
    """What uv calls its error, with the innermost cause; else the last line."""
    lines = [line.strip() for line in complaints.splitlines() if line.strip()]
    errors = _after(("error:",), lines)
    causes = _after(("cause:", "caused by:"), lines)  # the second: older versions'
    last = (errors or lines or [say("setup-silent")])[-1]
    return f"{last} ({causes[-1]})" if errors and causes else last


def _after(marks: Tuple[str, ...], lines: Sequence[str]) -> Sequence[str]:
    return [line.partition(":")[2].strip() for line in lines if line.lower().startswith(marks)]


def without_password(address: str) -> str:
    """As it may be shown."""
    return re.sub(r"//[^/\s]*@", "//", address)
