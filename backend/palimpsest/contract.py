"""What a job is: one frozen request per kind, JSON both ways, standard library only.

Pictures are named by the sha256 of their bytes; ``None`` means "the model's own recommendation".
Unknown fields, missing fields and wrong types are refused by name. Limits stand in the types and hold for
every request from the moment it is made, whoever makes it: shell, API, editor or recipe. Those of the fields
that people set are the panels' (``palimpsest_client.fields.settings``).
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar

from palimpsest.errors import ConceptImagesError, RequestError
from palimpsest.limits import ConceptName, Length, Range, WebAddress, Written, judge, refusal, shown
from palimpsest_client import limits, methods
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.fields.settings import CONTROLS

Start = Literal["automatic", "view", "drawing", "noise", "photo"]
ConceptKind = Literal["subject", "style"]
ResultExtent = Literal["canvas", "region"]
if TYPE_CHECKING:
    Operation = InversionMethod = str
else:
    Operation = Literal[tuple(OPERATIONS)]
    InversionMethod = Literal[methods.OFFERED]

BUILT_IN = "built-in"
ENGINE = 10  # raised when the same request gives other bytes than before
SHA256 = re.compile(r"[0-9a-f]{64}")
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FEWEST_EXAMPLES, MOST_EXAMPLES = limits.EXAMPLES  # pictures that a concept is learned from


def range_of(name: str) -> Range:
    """A field's limits, as the panels' table of them has it."""
    limit = CONTROLS[name].limits
    assert limit is not None, name
    return Range(*limit)


HASH = Written(SHA256.pattern, "the sha256 of a picture")
ADDRESS = WebAddress()
ADDRESS_LENGTH = Length(1, 2000)
PLACE = Length(1, 4096)  # of a model: its name, or in the shell its path
SENTENCE = Length(*limits.SENTENCE)
WORD = Length(1, 200)
WORDS = Length(0, 75)  # more than a text encoder reads
EXAMPLES = Length(0, MOST_EXAMPLES)
ORIGIN = Length(0, 1024)  # what a client notes of where a job comes from
FRACTION = range_of("cross")
WEIGHT = Range(*limits.WEIGHT)
STEPS = range_of("steps")
INNER_STEPS = Range(1, 1000)
LEARNING_STEPS = Range(*limits.LEARNING_STEPS)
GUIDANCE = range_of("guidance")
WORKING_SIZE = range_of("working_size")
GROWTH = range_of("grow")
FEATHER = range_of("feather")
CONTEXT = range_of("context")
FREEDOM = range_of("freedom")
SEED = range_of("seed")
VARIATIONS = range_of("variations")
DRAFTS = Length(0, int(VARIATIONS.most))
VECTORS = Range(1, 16)
LORA_NAME = Length(1, 200)
LORA_STRENGTH = Range(-2, 2)
LORAS = Length(0, 8)
CONCEPT_NAME = ConceptName()

Sha256 = Annotated[str, HASH]
Model = Annotated[str, PLACE]
Sentence = Annotated[str, SENTENCE]
Word = Annotated[str, WORD]
Fraction = Annotated[float, FRACTION]
Window = tuple[Fraction, Fraction]  # fractions of the sampling steps, 0 = first (noisiest) step
Pair = tuple[Word, Word]


class Judged:
    """What is held to its limits when it is made. Raises RequestError, ConceptNameError."""

    def __post_init__(self) -> None:
        judge(self)


@dataclass(frozen=True)
class InversionSettings(Judged):
    """How the photo is made reproducible; part of the key under which it is remembered.

    Of the settings those are in that key on which the method's result depends (``Method.depends``), beside
    the method and its steps; ``working_size`` is in it by the pixels that it leads to.
    """

    method: InversionMethod = methods.RECOMMENDED
    steps: Annotated[int, STEPS] | None = None
    guidance: Annotated[float, GUIDANCE] | None = None
    inner_steps: Annotated[int, INNER_STEPS] = 10  # most steps of optimising per timestep, where it optimises
    working_size: Annotated[int, WORKING_SIZE] | None = None  # long side in pixels; None = near native area


@dataclass(frozen=True)
class Control(Judged):
    """Attention control; null = the operation's own default. Windows are fractions of the steps.

    ``core/editing/recipes.py`` has the defaults.
    """

    cross: Window | None = None
    cross_words: Annotated[dict[Word, Window], WORDS] = field(default_factory=dict)  # overrides ``cross``
    self_attention: Window | None = None
    blend: bool | None = None  # LocalBlend on the changed words
    blend_include: Annotated[tuple[Word, ...], WORDS] = ()
    blend_exclude: Annotated[tuple[Word, ...], WORDS] = ()
    blend_threshold: Fraction = 0.3


@dataclass(frozen=True)
class Windows(Judged):
    """How long the photo's attention is kept; null = as ``control``, or else the operation, has it."""

    cross: Window | None = None
    self_attention: Window | None = None


@dataclass(frozen=True)
class LoraUse(Judged):
    """A LoRA that takes part in what is made. Strength 0 is none, 1 as it was trained."""

    name: Annotated[str, LORA_NAME]
    strength: Annotated[float, LORA_STRENGTH] = 1.0


@dataclass(frozen=True)
class EditRequest(Judged):
    """Edit inside ``selection`` so that ``source_prompt`` becomes ``target_prompt``."""

    image: Sha256
    operation: Operation
    source_prompt: Sentence
    target_prompt: Sentence = ""
    selection: Sha256 | None = None  # grey, the image's size; 0 = keep, white = edit; None = all
    pairs: Annotated[tuple[Pair, ...], WORDS] = ()  # declared correspondences: source word, target word
    weights: Annotated[dict[Word, Annotated[float, WEIGHT]], WORDS] = field(
        default_factory=dict
    )  # equalizer per target word; 1 = as it is
    model: Model = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    control: Control = Control()
    grow: Annotated[int, GROWTH] | None = None  # canvas pixels the selection grows by; None = operation's own
    feather: Annotated[int, FEATHER] = 8  # width in canvas pixels of the soft edge, inside what may change
    context: Annotated[float, CONTEXT] = 0.5  # canvas around the selection's box, in its longer sides
    begin_from: Start = "automatic"  # what the selection begins from; replace and insert
    freedom: Annotated[float, FREEDOM] | None = None  # share of the noise levels put on it; 0 = as it is
    reflect: bool = True  # replace: what is selected in a mirror becomes the new thing's image
    reflection: Sha256 | None = None  # where in the selection the mirror is, as grey; None = it is found
    seed: Annotated[int, SEED] = 0
    variations: Annotated[int, VARIATIONS] = 1
    maps: bool = False  # also return every content word's attention map
    extent: ResultExtent = "canvas"  # of layer, merged picture and maps: the picture's, or the region's alone
    draft: bool = False  # of a remembered photo: a small picture of the region alone, nothing to keep
    windows: Annotated[tuple[Windows, ...], DRAFTS] = ()  # of a draft: a picture with each of these windows
    loras: Annotated[tuple[LoraUse, ...], LORAS] = ()  # of what is made, not of what the photo shows


@dataclass(frozen=True)
class InvertRequest(Judged):
    """Remember a photo ahead of time.

    Its inversion is made, and how well it can be reproduced is said.
    """

    image: Sha256
    source_prompt: Sentence
    selection: Sha256 | None = None
    model: Model = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    context: Annotated[float, CONTEXT] = 0.5


@dataclass(frozen=True)
class LearnRequest(Judged):
    """Learn a new word from pictures of one subject or one style.

    3 to 20 of them; 3 to 5 are best.
    """

    name: Annotated[str, CONCEPT_NAME]  # without brackets: "my-toy" is written <my-toy> in a prompt
    images: tuple[Sha256, ...]
    noun: Word  # class noun: "toy", "cat", "painting"
    kind: ConceptKind = "subject"
    masks: Annotated[tuple[Sha256 | None, ...], EXAMPLES] = ()  # per picture: where the subject is
    captions: Annotated[tuple[Sentence | None, ...], EXAMPLES] = ()  # with {} for the word; None = general
    vectors: Annotated[int, VECTORS] = 2
    detail: bool = False  # learn low-rank adapters with the rows; always of a ``start`` that has some
    steps: Annotated[int, LEARNING_STEPS] | None = None
    seed: Annotated[int, SEED] = 0
    model: Model = BUILT_IN
    start: Annotated[str, CONCEPT_NAME] | None = None  # learn more: from this concept's rows, its vectors
    finish: bool = False  # no step more: keep the best of this request's interrupted run
    replace: bool = False  # overwrite a concept of the same name
    accept_outliers: bool = False  # learn even if a picture doesn't seem to fit

    def __post_init__(self) -> None:
        super().__post_init__()
        if not FEWEST_EXAMPLES <= len(self.images) <= MOST_EXAMPLES:
            raise ConceptImagesError(
                f"{len(self.images)} pictures were given; a concept is learned from {FEWEST_EXAMPLES} to "
                f"{MOST_EXAMPLES}.",
                "Three to five good ones are best.",
                images=len(self.images),
            )


@dataclass(frozen=True)
class AttentionRequest(Judged):
    """Where in the picture is this word?

    Its attention map as a grey picture of the image's size.
    """

    image: Sha256
    source_prompt: Sentence
    word: Word
    selection: Sha256 | None = None
    model: Model = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    context: Annotated[float, CONTEXT] = 0.5


class Doubt(NamedTuple):
    """A word that a caption isn't sure of: its characters start … stop - 1, and how probable it is."""

    start: int
    stop: int
    probability: float


@dataclass(frozen=True)
class DescribeRequest(Judged):
    """Propose a caption."""

    image: Sha256
    selection: Sha256 | None = None
    model: Model = BUILT_IN


@dataclass(frozen=True)
class DrawRequest(Judged):
    """Draw a picture from words alone, at the model's native size.

    To see what a word stands for.
    """

    prompt: Sentence
    model: Model = BUILT_IN
    seed: Annotated[int, SEED] = 0
    steps: Annotated[int, STEPS] | None = None
    guidance: Annotated[float, GUIDANCE] | None = None
    loras: Annotated[tuple[LoraUse, ...], LORAS] = ()


@dataclass(frozen=True)
class PullRequest(Judged):
    """Download a model of the catalogue, or one file by address."""

    model: Model
    url: Annotated[str, ADDRESS_LENGTH, ADDRESS] | None = None
    sha256: Annotated[str, Written(SHA256.pattern, "a sha256: 64 digits 0-9 and letters a-f")] | None = None


Request = (
    EditRequest
    | InvertRequest
    | LearnRequest
    | AttentionRequest
    | DescribeRequest
    | DrawRequest
    | PullRequest
)
KINDS: dict[str, type[Request]] = {
    "edit": EditRequest,
    "invert": InvertRequest,
    "learn": LearnRequest,
    "attention": AttentionRequest,
    "describe": DescribeRequest,
    "draw": DrawRequest,
    "pull": PullRequest,
}

AnyRequest = TypeVar("AnyRequest")


def to_json(request: Any) -> dict[str, Any]:
    """A request (or any part of one) as plain JSON values."""
    return dataclasses.asdict(request)


def from_json(cls: type[AnyRequest], data: Any, where: str = "") -> AnyRequest:
    """The inverse of ``to_json``; ``where`` is what the data is in, where it is no request.

    Raises RequestError that names the field and the value, and what making one raises.
    """
    return typing.cast(AnyRequest, _decode(cls, data, where))


def request_of(recipe: Any) -> EditRequest:
    """The request that a recipe says to do again. Raises RequestError for what is no recipe of ours.

    What a recipe leaves out was not done when it was made: one without ``grow`` grew nothing, one without
    ``reflect`` saw no mirrors, and one without ``begin_from`` began from noise where something was inserted
    into a selection.
    """
    if not isinstance(recipe, dict) or recipe.get("kind") != "edit" or "request" not in recipe:
        raise RequestError("This is not a recipe.", "A recipe is the recipe.json written beside a result.")
    request = recipe["request"]
    whole = (
        {"grow": 0, "reflect": False, **_began(request), **request} if isinstance(request, dict) else request
    )
    return from_json(EditRequest, whole, "the recipe's request")


def _began(request: dict[str, Any]) -> dict[str, str]:
    told = OPERATIONS.get(str(request.get("operation")))
    if told is None or not told.begins:
        return {}
    return {"begin_from": "photo" if request.get("selection") is None else told.begins}


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
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return _float(_expect(number, value, where, "a number"), where)
    if kind is int:
        whole = isinstance(value, float) and value.is_integer()  # to JSON 30.0 is an integer, too
        number = whole or (isinstance(value, int) and not isinstance(value, bool))
        return int(_expect(number, value, where, "a whole number"))
    scalar = typing.cast(type, kind)
    return _expect(isinstance(value, scalar), value, where, SCALARS.get(scalar, f"a {scalar.__name__}"))


SCALARS = {str: "a text", bool: "true or false"}


def _float(value: float, where: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise refusal(where, f"{where} is {shown(value)}, which is beyond all limits.") from error


def _decode_dataclass(cls: type, data: Any, where: str) -> Any:
    _expect(isinstance(data, dict), data, where or "The request", "an object")
    hints = typing.get_type_hints(cls)
    unknown = sorted(set(data) - set(hints))
    place = where or "the request"
    if unknown:
        said = f"Unknown field {shown(unknown[0])} in {place}."
        raise refusal(_within(where, unknown[0]), said, f"Known: {', '.join(hints)}.")
    required = {f.name for f in dataclasses.fields(cls) if _has_no_default(f)}
    missing = sorted(required - set(data))
    if missing:
        raise refusal(_within(where, missing[0]), f"Field {missing[0]!r} is missing in {place}.")
    return cls(**{name: _decode(hints[name], item, _within(where, name)) for name, item in data.items()})


def _within(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


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
        raise refusal(where, f"{where} is {shown(value)}, which is not {what}.")
    return value
