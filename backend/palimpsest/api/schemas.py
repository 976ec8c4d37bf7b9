"""The shapes of the HTTP API: what may come in, field by field, and what goes out.

The requests are made from ``palimpsest.contract``, which judges them: the same mistake gets the same sentence
here as in a shell. A field, its default and its limits are written there once; here is what is said of it.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)

from palimpsest import contract
from palimpsest.jobs.state import Priority, State
from palimpsest.limits import NAME, ConceptName, Length, Limit, Range, WebAddress, Written, field_types
from palimpsest_client.fields.settings import CONTROLS


def bounded(least: float, most: float) -> Any:
    """FastAPI makes floats of bounds; ``application.DescribedApi`` makes them whole again. Where ``most`` has
    no float, as 2⁶³ - 1, the number behind it has one, and is the first that is too large."""
    return Field(ge=least, le=most) if float(most) == most else Field(ge=least, lt=most + 1)


SHA256 = Annotated[str, StringConstraints(pattern=f"^{contract.SHA256.pattern}$"), Field(examples=["5" * 64])]
CONCEPT_NAME = Annotated[  # what is no name is refused with a proposal, by the contract
    str,
    Field(
        description="Small letters, digits, - and _; written <name> in a prompt.",
        json_schema_extra={"pattern": f"^{NAME.pattern}$"},
        examples=["my-toy"],
    ),
]
WHOLE = BeforeValidator(lambda value: int(value) if is_whole(value) else value)
JobId = Annotated[
    str,
    StringConstraints(pattern=f"^{contract.JOB_ID.pattern}$"),
    Field(description="Chosen by the client: posting it twice is the same job.", examples=["3f6c-edit-1"]),
]


def is_whole(value: Any) -> bool:
    """To JSON 30.0 is an integer, too."""
    return isinstance(value, float) and value.is_integer()


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Judged(Shape):
    """A request: the contract's own class of the same name makes it, or refuses it."""

    @model_validator(mode="before")
    @classmethod
    def judge(cls, told: Any) -> Any:
        contract.from_json(getattr(contract, cls.__name__), told)
        return told


SAID: dict[str, dict[str, dict[str, Any]]] = {
    "EditRequest": {
        "selection": {"description": "Grey, the image's size: 0 = keep, white = edit."},
        "begin_from": {
            "description": "Of replace and insert: what the selection begins from. view: the learned "
            "subject's own picture; drawing: one that the model draws of what comes in."
        },
        "reflect": {"description": "Of replace: what is selected in a mirror becomes the new thing's image."},
        "reflection": {
            "description": "Grey, the image's size: where in the selection the mirror is; null = it is found "
            "if the first sentence names one."
        },
        "draft": {
            "description": "Of a remembered photo: a small picture of the region alone, and no result to "
            "keep."
        },
        "windows": {
            "description": "Of a draft of one variation: a picture with each of these windows, in one batch."
        },
        "loras": {"description": "By name, as the backend's machine has them: of what is made alone."},
    },
    "LearnRequest": {
        "images": {"min_length": contract.FEWEST_EXAMPLES, "max_length": contract.MOST_EXAMPLES},
        "captions": {"description": "What each picture shows, with {} where the word stands."},
        "detail": {
            "description": "Learn low-rank adapters with the rows: always where what it starts from has some."
        },
        "start": {"description": "Learn more: begin with this concept's rows (and so its vectors)."},
        "finish": {"description": "Keep the best of this request's interrupted run, without a step more."},
    },
    "DrawRequest": {
        "steps": {"description": "Sampling steps; null = the model's."},
        "guidance": {"description": "Classifier-free guidance; null = the model's."},
    },
}
"""What is said of fields beyond their types."""
GROUPS = {"EditRequest": (), "InversionSettings": ("inversion",)}
"""Shapes whose numbers are the panels' controls, and are described as there: with the part of a request
that each is."""


def shape_of(part: type) -> Any:
    """The pydantic class of one of the contract's: its fields, types, limits, defaults and first line."""
    kinds = field_types(part)
    fields: dict[str, Any] = {
        field.name: (described(kinds[field.name]), told_of(part.__name__, field))
        for field in dataclasses.fields(part)
    }
    base: Any = Judged if part in contract.KINDS.values() else Shape
    doc = (part.__doc__ or "").splitlines()[0]
    return create_model(part.__name__, __base__=base, __doc__=doc, __module__=__name__, **fields)


def told_of(shape: str, field: dataclasses.Field[Any]) -> Any:
    """A field's default, and what is said of it."""
    said = {**control_said(shape, field.name), **SAID.get(shape, {}).get(field.name, {})}
    if field.default_factory is not dataclasses.MISSING:
        return Field(default=field.default_factory(), **said)
    if field.default is dataclasses.MISSING:
        return Field(**said)
    return Field(default=plain(field.default), **said)


def control_said(shape: str, field: str) -> dict[str, str]:
    where = None if shape not in GROUPS else (*GROUPS[shape], field)
    found = [control for control in CONTROLS.values() if control.request == where and control.limits]
    return {"description": found[0].about.replace("\n", ". ")} if found and not found[0].window else {}


def plain(default: Any) -> Any:
    """As JSON has it; a part of a request as its shape."""
    if dataclasses.is_dataclass(default):
        return SHAPES[type(default)]()
    return list(default) if isinstance(default, tuple) else default


def described(kind: Any) -> Any:
    """A type of the contract in pydantic's terms."""
    if kind == contract.Window:
        return Annotated[pair_of(kind), Field(examples=[[0.0, 0.8]])]
    if kind in SHAPES:
        return SHAPES[kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return limited(args[0], args[1:])
    if origin in (types.UnionType, typing.Union):
        return described(args[0]) | None
    if origin is tuple:
        return list[described(args[0])] if args[-1] is Ellipsis else pair_of(kind)
    if origin is dict:
        return dict[described(args[0]), described(args[1])]
    return kind


def pair_of(kind: Any) -> Any:
    first, second = typing.get_args(kind)
    assert first == second, kind
    return Annotated[list[described(first)], Field(min_length=2, max_length=2)]


def limited(kind: Any, limits: Sequence[Limit]) -> Any:
    """A type with its limits."""
    made = described(kind)
    for limit in limits:
        if isinstance(limit, ConceptName):
            return CONCEPT_NAME
        if isinstance(limit, Written):
            return SHA256
        if isinstance(limit, WebAddress):
            made = Annotated[made, StringConstraints(pattern=f"^{limit.pattern}$")]
        if isinstance(limit, Range):
            made = Annotated[made, bounded(limit.least, limit.most)]
        if isinstance(limit, Length):
            made = Annotated[made, Field(min_length=limit.least, max_length=limit.most)]
    return Annotated[made, WHOLE] if kind is int else made


SHAPES: dict[Any, Any] = {}
for part in (
    contract.InversionSettings,
    contract.Control,
    contract.Windows,
    contract.LoraUse,
    *contract.KINDS.values(),
):
    SHAPES[part] = shape_of(part)


class Submission(Shape):
    id: JobId
    priority: Priority = Field(
        default="interactive", description="Batch jobs run when no interactive one waits."
    )
    unattended_seconds: Annotated[float, Field(ge=1, le=86400)] | None = Field(
        default=None,
        description="Cancel the job when its client asked nothing about it for so long; null = never.",
    )
    origin: Annotated[str, Field(min_length=contract.ORIGIN.least, max_length=contract.ORIGIN.most)] = Field(
        default="",
        description="The client's own note of where the job comes from; it is kept and given back unread.",
        examples=['{"document": "7f3a-1", "at": [64, 0]}'],
    )


class Job(Submission):
    kind: str
    request: Any


def job_of(kind: str, part: type) -> type[Job]:
    fields: dict[str, Any] = {"kind": (Literal[kind], ...), "request": (SHAPES[part], ...)}
    return create_model(kind.capitalize() + "Job", __base__=Job, __module__=__name__, **fields)


JOBS = {kind: job_of(kind, part) for kind, part in contract.KINDS.items()}
if TYPE_CHECKING:
    AnyJob = Job
else:
    AnyJob = Annotated[reduce(or_, JOBS.values()), Field(discriminator="kind")]
SUBMISSION_EXAMPLES: list[Any] = [
    {
        "id": "3f6c-edit-1",
        "kind": "edit",
        "request": {
            "image": "5" * 64,
            "operation": "replace",
            "source_prompt": "a photo of a cat next to a mirror",
            "target_prompt": "a photo of <my-toy> next to a mirror",
        },
    },
    {"id": "3f6c-pull-1", "kind": "pull", "request": {"model": "sd15"}},
]


class Answer(BaseModel):
    """What goes out."""


class Error(Answer):
    code: str = Field(examples=["job_not_found"], description="Stable: clients match on it.")
    message: str = Field(examples=["There is no job '3f6c-edit-1'."])
    hint: str = Field(examples=["It may have been removed by its age."], description="What to do next.")
    details: dict[str, Any] = {}
    texts: dict[str, Any] = Field(
        default={},
        examples=[{"message": {"name": "job-not-there", "values": {"job": "3f6c-edit-1"}}}],
        description="Message and hint for translation: which text each is, and what was filled in.",
    )


class Health(Answer):
    status: Literal["ok"] = "ok"
    protocol: int = Field(examples=[2])
    version: str = Field(examples=["0.1.0"])
    engine: int = Field(default=contract.ENGINE, description="as in recipes")


class WorkerInfo(Answer):
    lane: str
    device: str
    kinds: list[str]
    pid: int | None = Field(description="null: no worker is running, and no memory is held.")
    running: str | None = Field(description="The kind of the job that runs, whoever's it is.")
    status: dict[str, Any] = Field(
        description="What the worker last said of its device, its model, and the bytes kept in its memory."
    )


class System(Answer):
    protocol: int
    versions: dict[str, str]
    owner: str = Field(description="Whose token this is.")
    workers: list[WorkerInfo]
    queue: dict[str, int] = Field(examples=[{"waiting": 2, "running": 1}])
    limits: dict[str, float]
    notices: list[str] = Field(description="What the person who runs the server should know.")
    store: str = Field(description="Which list of jobs this is: another one, and nothing known before holds.")
    revisions: dict[str, str] = Field(
        description="What has another text than before is another: concepts, models, one's own results.",
        examples=[{"concepts": "5d1f", "models": "09ab", "results": "3"}],
    )
    downloads: list[str] = Field(description="Ids of one's own jobs that fetch a model and haven't ended.")


class ModelInfo(Answer):
    name: str
    installed: bool
    details: dict[str, Any] = Field(description="Capabilities of an installed model; licence, size, memory.")


class LeftOut(Answer):
    """What a list can't tell, and why."""

    name: str
    code: str
    message: str


class Models(Answer):
    models: list[ModelInfo]
    left_out: list[LeftOut] = Field(default=[], description="What couldn't be told, and why.")


class LoraInfo(Answer):
    name: str
    bytes: int
    base: str | None = Field(description="sd1, say; null where neither its layers nor its metadata tell.")
    context: int | None = Field(description="Width of the text that its base reads.")
    rank: int | None = Field(description="The largest; null: all of its updates are whole.")
    words: list[str] = Field(description="That it was trained with.")
    title: str | None
    error: str | None = Field(description="Why it can't be used.")


class Loras(Answer):
    loras: list[LoraInfo]


class ImageStored(Answer):
    image: SHA256
    new: bool


class ImageKept(Answer):
    image: SHA256
    bytes: int
    used: float = Field(description="When, in seconds since the epoch.")


class Images(Answer):
    images: list[ImageKept]
    bytes: int = Field(description="Of all of them.")
    most_bytes: int = Field(description="That each owner may keep.")


class Progress(Answer):
    phase: str
    index: int
    total: int
    seconds_left: float | None


class JobView(Answer):
    id: str
    kind: str
    state: State
    priority: Priority
    attempt: int
    sequence: int = Field(description="Number of the job's last event.")
    created: float = Field(description="When it was accepted, seconds since 1970, as all times.")
    started: float | None = Field(description="When a worker first took it; null before.")
    updated: float = Field(description="When its last event was: of an ended job, when it ended.")
    ahead: int | None = Field(description="How many jobs come before this one; null when it doesn't wait.")
    progress: Progress | None
    preview: str | None = Field(description="The latest preview, a picture's sha256.")
    artifacts: dict[str, str] = Field(description="Name → sha256 of the results.")
    result: dict[str, Any]
    error: Error | None
    request: dict[str, Any]
    origin: str = Field(description="What its client noted when the job was posted.")


class Jobs(Answer):
    jobs: list[JobView]
    next: int | None = Field(description="Give it as ``before`` to get older jobs; null at the end.")


class EventView(Answer):
    model_config = ConfigDict(extra="allow")
    sequence: int
    time: float
    event: str = Field(examples=["progressed"])


class Events(Answer):
    events: list[EventView]
    job: JobView


class ConceptView(Answer):
    name: str
    kind: str
    noun: str
    family: str
    vectors: int
    widths: list[int]
    rows_hash: str
    provenance: dict[str, Any]
    owner: str = Field(description="Who may change it; everybody may use it.")
    thumbnail: bool = Field(description="Whether there is one.")
    rank: int | None = Field(description="Of its adapters; null: learned without detail.")


class Concepts(Answer):
    concepts: list[ConceptView]
    left_out: list[LeftOut] = Field(default=[], description="Files that can't be read, and why.")


class Rename(Shape):
    name: CONCEPT_NAME
