"""Standard output and standard error that never end a command.

What a command has done is on the disk before it is printed, so nothing that happens to the words may undo
it: a reader that has gone, a full disk behind the pipe, an encoding that lacks a letter.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

LENIENT = "palimpsest-lenient"
LOST = 1  # exit code when the results could not be said


def json_text(value: Any, indent: int | None = None) -> str:
    """Letters as they are; bytes of a file's name that are no text as JSON's escapes: ``\\udce9``."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    """One line without control characters, which a file's name may hold and a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@contextmanager
def hushed(quiet: bool) -> Iterator[None]:
    """With --quiet, around what says nothing but progress and remarks on standard error."""
    if not quiet:
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


class Stream:
    """A text stream that keeps what happened to it in ``lost`` instead of raising it."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream  # None where the process was started without one
        self.lost: Exception | None = None

    def write(self, text: str) -> int:
        self._try("write", text)
        return len(text)

    def flush(self) -> None:
        self._try("flush")

    def isatty(self) -> bool:
        return self._stream is not None and self.lost is None and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, action: str, *arguments: str) -> None:
        if self._stream is None or self.lost is not None:
            return
        try:
            getattr(self._stream, action)(*arguments)
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self.lost = error
            self._drop()

    def _drop(self) -> None:
        """Python writes what is left in the buffer once more at its end: let that go nowhere."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())  # pyright: ignore


@contextmanager
def lenient() -> Iterator[tuple[Stream, Stream]]:
    """Within it, printing never raises. What the encoding lacks is written as an escape: ``\\xe9``."""
    before = sys.stdout, sys.stderr
    kept = [(stream, stream.errors) for stream in before if isinstance(stream, io.TextIOWrapper)]
    for stream, _ in kept:
        stream.reconfigure(errors=LENIENT)
    out, err = Stream(sys.stdout), Stream(sys.stderr)
    sys.stdout, sys.stderr = out, err  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield out, err
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
        for stream, errors in kept:
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors=errors)


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a file's name that are no text come out as they were; other letters as escapes."""
    assert isinstance(error, UnicodeEncodeError)
    part = error.object[error.start : error.end]
    if all("\udc80" <= letter <= "\udcff" for letter in part):
        return bytes(ord(letter) - 0xDC00 for letter in part), error.end
    first = part[:1]
    if "\udc80" <= first <= "\udcff":
        return bytes([ord(first) - 0xDC00]), error.start + 1
    return first.encode("ascii", "backslashreplace").decode("ascii"), error.start + 1


codecs.register_error(LENIENT, _escaped)
