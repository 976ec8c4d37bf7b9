"""What a job is: one frozen request per kind, JSON both ways, standard library only.

Pictures are named by the sha256 of their bytes; ``None`` means "the model's own recommendation".
Unknown fields, missing fields and wrong types are refused by name.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from palimpsest.errors import RequestError

Operation = Literal["replace", "insert", "restyle", "remove", "reweight"]
InversionMethod = Literal["direct", "null-text", "ddim"]
ConceptKind = Literal["subject", "style"]
Window = tuple[float, float]  # fractions of the sampling steps, 0 = first (noisiest) step

BUILT_IN = "built-in"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class InversionSettings:
    """How the photo is made reproducible. Everything here is part of the inversion cache's key."""

    method: InversionMethod = "direct"
    steps: int | None = None
    guidance: float | None = None
    inner_steps: int = 10  # null-text only: most Adam steps per timestep
    working_size: int | None = None  # long side in pixels that the model works at; None = near native area


@dataclass(frozen=True)
class Control:
    """Attention control. ``None`` = the operation's default (see core/operations.py)."""

    cross: Window | None = None
    cross_words: dict[str, Window] = field(default_factory=dict)  # per target word, overrides ``cross``
    self_attention: Window | None = None
    blend: bool | None = None  # LocalBlend on the changed words
    blend_include: tuple[str, ...] = ()
    blend_exclude: tuple[str, ...] = ()
    blend_threshold: float = 0.3


@dataclass(frozen=True)
class EditRequest:
    """Edit ``image`` inside ``selection`` so that ``source_prompt`` becomes ``target_prompt``."""

    image: str
    operation: Operation
    source_prompt: str
    target_prompt: str = ""
    selection: str | None = None  # grey, the image's size; 0 = keep, white = edit; None = all
    pairs: tuple[tuple[str, str], ...] = ()  # declared correspondences: source word, target word
    weights: dict[str, float] = field(default_factory=dict)  # equalizer per target word; 1 = as it is
    model: str = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    control: Control = Control()
    feather: int = 8  # width in canvas pixels of the soft edge, inside the selection
    context: float = 0.5  # canvas kept around the selection's box, as a fraction of its longer side
    seed: int = 0
    variations: int = 1
    maps: bool = False  # also return every content word's attention map


@dataclass(frozen=True)
class InvertRequest:
    """Remember a photo: make its inversion ahead of time, and say how well it can be reproduced."""

    image: str
    source_prompt: str
    selection: str | None = None
    model: str = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    context: float = 0.5


@dataclass(frozen=True)
class LearnRequest:
    """Learn a new word from 3 to 5 pictures of one subject or one style."""

    name: str  # without brackets: "my-toy" is written <my-toy> in a prompt
    images: tuple[str, ...]
    noun: str  # class noun: "toy", "cat", "painting"
    kind: ConceptKind = "subject"
    masks: tuple[str | None, ...] = ()  # per picture: where the subject is
    captions: tuple[str | None, ...] = ()  # per picture: what it shows, with {} for the word; None = general
    vectors: int = 2
    steps: int | None = None
    seed: int = 0
    model: str = BUILT_IN
    replace: bool = False  # overwrite a concept of the same name
    accept_outliers: bool = False  # learn even if a picture doesn't seem to fit


@dataclass(frozen=True)
class AttentionRequest:
    """Where in the picture is this word? Its attention map as a grey picture of the image's size."""

    image: str
    source_prompt: str
    word: str
    selection: str | None = None
    model: str = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    context: float = 0.5


@dataclass(frozen=True)
class DescribeRequest:
    """Propose a caption for a picture."""

    image: str
    selection: str | None = None
    model: str = BUILT_IN


@dataclass(frozen=True)
class PullRequest:
    """Download a model of the catalogue, or one file by address."""

    model: str
    url: str | None = None
    sha256: str | None = None


Request = EditRequest | InvertRequest | LearnRequest | AttentionRequest | DescribeRequest | PullRequest
KINDS: dict[str, type[Request]] = {
    "edit": EditRequest,
    "invert": InvertRequest,
    "learn": LearnRequest,
    "attention": AttentionRequest,
    "describe": DescribeRequest,
    "pull": PullRequest,
}

AnyRequest = TypeVar("AnyRequest")


def to_json(request: Any) -> dict[str, Any]:
    """A request (or any part of one) as plain JSON values."""
    return dataclasses.asdict(request)


def from_json(cls: type[AnyRequest], data: Any, where: str = "request") -> AnyRequest:
    """The inverse of ``to_json``. Raises RequestError that names the field and the value."""
    return typing.cast(AnyRequest, _decode(cls, data, where))


def _decode(kind: Any, value: Any, where: str) -> Any:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, where)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _decode(next(a for a in args if a is not type(None)), value, where)
    if origin is Literal:
        return _expect(value in args, value, where, "one of " + ", ".join(map(repr, args)))
    if origin is tuple:
        return _decode_tuple(args, value, where)
    if origin is dict:
        _expect(isinstance(value, dict), value, where, "an object")
        return {key: _decode(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float:
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), value, where, "a number")
        return float(value)
    scalar = typing.cast(type, kind)
    matches = isinstance(value, scalar) and not (scalar is int and isinstance(value, bool))
    return _expect(matches, value, where, f"a {scalar.__name__}")


def _decode_dataclass(cls: type, data: Any, where: str) -> Any:
    _expect(isinstance(data, dict), data, where, "an object")
    hints = typing.get_type_hints(cls)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise RequestError(f"Unknown field {unknown[0]!r} in {where}.", f"Known: {', '.join(hints)}.")
    required = {f.name for f in dataclasses.fields(cls) if _has_no_default(f)}
    missing = sorted(required - set(data))
    if missing:
        raise RequestError(f"Field {missing[0]!r} is missing in {where}.")
    return cls(**{name: _decode(hints[name], item, f"{where}.{name}") for name, item in data.items()})


def _has_no_default(f: dataclasses.Field[Any]) -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def _decode_tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, (list, tuple)), value, where, "a list")
    if args[-1] is Ellipsis:
        return tuple(_decode(args[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    _expect(len(value) == len(args), value, where, f"a list of {len(args)}")
    pairs = zip(args, value, strict=True)
    return tuple(_decode(arg, item, f"{where}[{i}]") for i, (arg, item) in enumerate(pairs))


def _expect(holds: bool, value: Any, where: str, what: str) -> Any:
    if not holds:
        raise RequestError(f"{where} is {value!r}, which is not {what}.")
    return value
