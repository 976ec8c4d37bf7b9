"""The head of a safetensors file, and JSON inside it, read as if an enemy had written it. No torch.

Format: 8 bytes with the header's length, little-endian; the header as JSON; the tensors. Nothing is parsed
before its length and depth are known, so whatever can be read here can also be told as JSON elsewhere.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, BinaryIO

MOST_BYTES = 16 << 20  # an SDXL checkpoint's header has 0.4 MB
DEEPEST = 4  # name → entry → shape; or __metadata__ → text. Some savers add a level
MOST_DIGITS = 20
MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


class HeaderError(ValueError):
    """Why the header can't be used, as a clause."""


def read_header(file: BinaryIO, most: int = MOST_BYTES) -> tuple[dict[str, Any], int]:
    """The header, and the byte at which the tensors begin. Raises HeaderError, OSError."""
    start = file.read(8)
    if len(start) < 8:
        raise HeaderError("it has no header")
    length = int.from_bytes(start, "little")
    if length > most:
        raise HeaderError(f"its header would have {length} bytes")
    raw = file.read(length)
    if len(raw) < length or not raw.startswith(b"{"):
        raise HeaderError("it was cut short" if raw.startswith(b"{") else "it has no header")
    return parse(raw), 8 + length


def parse(raw: bytes | str, deepest: int = DEEPEST, what: str = "its header") -> dict[str, Any]:
    """A JSON object of valid Unicode, finite numbers of few digits, no key twice. Raises HeaderError."""
    try:
        return _parse(raw, deepest)
    except HeaderError as error:
        raise HeaderError(f"{what} {error}") from error


def _parse(raw: bytes | str, deepest: int) -> dict[str, Any]:
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        _require_shallow(text, deepest)
        found = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_int=_short,
            parse_float=_finite,
        )
        if "\\u" in text or isinstance(raw, str):  # an escape may be half a character
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise HeaderError("is not valid Unicode") from error
    except json.JSONDecodeError as error:
        raise HeaderError(f"is not JSON ({error.msg})") from error
    if not isinstance(found, dict):
        raise HeaderError("is not a JSON object")
    return found


def _require_shallow(text: str, deepest: int) -> None:
    depth, inside = 0, False
    for mark in MARKS.finditer(text):
        found = mark[0]
        if found == '"':
            inside = not inside
        elif not inside and found in "[{":
            depth += 1
            if depth > deepest:
                raise HeaderError(f"is nested deeper than {deepest} levels")
        elif not inside and found in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise HeaderError("says something twice")
    return found


def _no_number(text: str) -> None:
    raise HeaderError(f"holds {text}")


def _short(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise HeaderError(f"holds a number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise HeaderError("holds a number that is not finite")
    return number
