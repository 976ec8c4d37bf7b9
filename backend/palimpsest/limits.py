"""What a value of a request may be: limits as data, each with the one sentence that refuses it.

``contract`` writes them into its types (``Annotated[int, Range(1, 1000)]``) and has every request judged
when it is made, whoever makes it; the API's description is derived from them.
"""

from __future__ import annotations

import functools
import re
import types
import typing
from dataclasses import dataclass
from typing import Any

from palimpsest.errors import ConceptNameError, RequestError

NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")  # device names on Windows, with any suffix
SHOWN = 60  # characters of a value that a message repeats at most


@dataclass(frozen=True)
class Range:
    """The least and the most that a number may be."""

    least: float
    most: float

    def judge(self, value: float, where: str) -> None:
        if not self.least <= value <= self.most:  # also what is no number
            raise refusal(where, f"{where} is {value}; it can be {self.least} to {self.most}.")


@dataclass(frozen=True)
class Length:
    """How many characters a text may have, or a list or an object items."""

    least: int
    most: int

    def judge(self, value: typing.Sized, where: str) -> None:
        if self.least <= len(value) <= self.most:
            return
        if not value:
            raise refusal(where, f"{where} is empty.")
        counted = f"{len(value)} {'characters' if isinstance(value, str) else 'items'}"
        raise refusal(where, f"{where} has {counted}; it can have {self.least} to {self.most}.")


@dataclass(frozen=True)
class Written:
    """How a text is written: ``pattern`` from its first to its last character, ``what`` in words."""

    pattern: str
    what: str

    def judge(self, value: str, where: str) -> None:
        if re.fullmatch(self.pattern, value) is None:
            raise refusal(where, f"{where} is {shown(value)}, which is not {self.what}.")


@dataclass(frozen=True)
class WebAddress:
    """An address to download from. Nothing of it is repeated: it may hold a password."""

    pattern: str = r"[Hh][Tt][Tt][Pp][Ss]?://.*"

    def judge(self, value: str, where: str) -> None:
        if re.fullmatch(self.pattern, value) is None:
            raise refusal(where, f"{where} is not an address that begins with https:// or http://.")
        if "@" in re.split(r"[/?#]", value.partition("://")[2], maxsplit=1)[0]:
            raise refusal(
                where,
                f"{where} has a user's name or a password in it, which would be kept with the job.",
                "Use one that needs none, or put the file into the models folder yourself.",
            )


@dataclass(frozen=True)
class ConceptName:
    """A concept's name; what is none is refused with a proposal."""

    def judge(self, value: str, where: str) -> None:
        require_name(value)


Limit = Range | Length | Written | ConceptName


def judge(part: Any) -> None:
    """Hold every field of a dataclass to the limits of its type. Raises a PalimpsestError for the first."""
    for name, kind in field_types(type(part)).items():
        _judge(kind, getattr(part, name), name)


@functools.cache
def field_types(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields, limits included."""
    return typing.get_type_hints(cls, include_extras=True)


def _judge(kind: Any, value: Any, where: str) -> None:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        _judge(args[0], value, where)
        for limit in args[1:]:
            limit.judge(value, where)
    elif origin in (types.UnionType, typing.Union):
        if value is not None:
            _judge(args[0], value, where)
    elif isinstance(value, str):
        _require_text(value, where)
    elif origin is tuple and args[-1] is Ellipsis:
        for i, item in enumerate(value):
            _judge(args[0], item, f"{where}[{i}]")
    elif origin is tuple:
        for i, (part, item) in enumerate(zip(args, value, strict=True)):
            _judge(part, item, f"{where}[{i}]")
    elif origin is dict:
        for key, item in value.items():
            _judge(args[0], key, f"a name in {where}")
            _judge(args[1], item, f"{where}.{key}")


def _require_text(value: str, where: str) -> None:
    """Bytes of a shell that are no UTF-8, and half characters of JSON, can't be kept or sent."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise refusal(where, f"{where} is no text: character {error.start + 1} is broken.") from error


def refusal(where: str, message: str, hint: str = "") -> RequestError:
    """``details.field`` names the field for programs."""
    return RequestError(message, hint, field=where)


def shown(value: Any) -> str:
    """A value in a message: short, in ASCII, and never a whole prompt."""
    if isinstance(value, str):
        return ascii(value) if len(value) <= SHOWN else f"a text of {len(value)} characters"
    if isinstance(value, (dict, list, tuple)):
        return "an object" if isinstance(value, dict) else "a list"
    told = ascii(value)
    return told if len(told) <= SHOWN else told[:SHOWN] + "…"


def require_name(name: str) -> str:
    """``name`` if it can be a concept's; raises ConceptNameError that proposes one."""
    if is_name(name):
        return name
    message = f"{shown(name)} can't be a concept's name: use 1 to 64 small letters a-z, digits, - and _."
    try:
        hint = f"For instance {propose_name(name)!r}."
    except ConceptNameError:
        hint = "For instance 'my-toy'."
    raise ConceptNameError(message, hint, name=name[:SHOWN])


def propose_name(text: str) -> str:
    """The nearest allowed name to ``text``, such as a file's name."""
    words = re.sub(r"[^a-z0-9_-]+", "-", text.lower())[:64].strip("-_")
    proposed = f"my-{words}" if RESERVED.fullmatch(words) else words
    if not is_name(proposed):
        raise ConceptNameError(f"No name can be made from {shown(text)}.", "Give one, for instance 'my-toy'.")
    return proposed


def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and RESERVED.fullmatch(name) is None
