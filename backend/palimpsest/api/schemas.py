"""The shapes of the HTTP API: what may come in, field by field, and what goes out.

The requests mirror ``palimpsest.contract`` (a test compares them), which judges them: the same mistake gets
the same sentence here as in a shell. Its limits, with descriptions and examples, make the API's description.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal, TypeVar

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
from palimpsest.contract import BUILT_IN, ConceptKind, InversionMethod, Operation, Start
from palimpsest.jobs.state import Priority, State
from palimpsest.limits import NAME, Length, Range
from palimpsest_client.fields.settings import CONTROLS


def bounded(least: float, most: float) -> Any:
    """FastAPI makes floats of bounds; ``application.Described`` makes them whole again. Where ``most`` has
    no float, as 2⁶³ - 1, the number behind it has one, and is the first that is too large."""
    return Field(ge=least, le=most) if float(most) == most else Field(ge=least, lt=most + 1)


def within(limit: Range | Length) -> Any:
    """A limit of the contract in pydantic's terms."""
    if isinstance(limit, Range):
        return bounded(limit.least, limit.most)
    return Field(min_length=limit.least, max_length=limit.most)


Sha256 = Annotated[str, StringConstraints(pattern=f"^{contract.SHA256.pattern}$"), Field(examples=["5" * 64])]
ConceptName = Annotated[  # what is no name is refused with a proposal, by the contract
    str,
    Field(
        description="Small letters, digits, - and _; written <name> in a prompt.",
        json_schema_extra={"pattern": f"^{NAME.pattern}$"},
        examples=["my-toy"],
    ),
]
Model = Annotated[str, within(contract.PLACE)]
Prompt = Annotated[str, within(contract.SENTENCE)]
Word = Annotated[str, within(contract.WORD)]
WHOLE = BeforeValidator(lambda value: int(value) if is_whole(value) else value)
Fraction = Annotated[float, within(contract.FRACTION)]
Window = Annotated[list[Fraction], Field(min_length=2, max_length=2, examples=[[0.0, 0.8]])]
Words = Annotated[list[Word], within(contract.WORDS)]
Pair = Annotated[list[Word], Field(min_length=2, max_length=2)]
Steps = Annotated[int, within(contract.STEPS), WHOLE]
Seed = Annotated[int, within(contract.SEED), WHOLE]
Context = Annotated[float, within(contract.CONTEXT)]
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


def table_of(*groups: str) -> type[Shape]:
    """The numbers that people set in one part of a request, as the panels' table describes them."""
    fields: dict[str, Any] = {}
    for control in CONTROLS.values():
        if control.request[:-1] == groups and control.request and control.limits and not control.window:
            limit = bounded(control.limits.least, control.limits.most)
            kind: Any = Annotated[int, limit, WHOLE] if control.whole else Annotated[float, limit]
            told = Field(default=control.default, description=control.about.replace("\n", ". "))
            fields[control.request[-1]] = (kind | None if control.automatic else kind, told)
    return create_model("Table", __base__=Shape, **fields)


def as_in_contract(shape: type[AnyShape]) -> type[AnyShape]:
    """Its fields in the contract's order, wherever they are described."""
    fields = shape.__pydantic_fields__
    order = [field.name for field in dataclasses.fields(getattr(contract, shape.__name__))]
    assert sorted(order) == sorted(fields), shape.__name__
    shape.__pydantic_fields__ = {name: fields[name] for name in order}
    shape.model_rebuild(force=True)
    return shape


AnyShape = TypeVar("AnyShape", bound=Shape)
EditTable, InversionTable = table_of(), table_of("inversion")


@as_in_contract
class InversionSettings(InversionTable):
    """How the photo is made reproducible; part of the key under which it is remembered."""

    method: InversionMethod = contract.InversionSettings.method
    inner_steps: Annotated[int, within(contract.INNER_STEPS), WHOLE] = 10


class Control(Shape):
    """Attention control; null = the operation's own default. Windows are fractions of the steps."""

    cross: Window | None = None
    cross_words: Annotated[dict[Word, Window], within(contract.WORDS)] = {}
    self_attention: Window | None = None
    blend: bool | None = None
    blend_include: Words = []
    blend_exclude: Words = []
    blend_threshold: Fraction = 0.3


class Windows(Shape):
    """How long the photo's attention is kept; null = as ``control``, or else the operation, has it."""

    cross: Window | None = None
    self_attention: Window | None = None


@as_in_contract
class EditRequest(Judged, EditTable):
    """Edit inside ``selection`` so that ``source_prompt`` becomes ``target_prompt``."""

    image: Sha256
    operation: Operation
    source_prompt: Prompt
    target_prompt: Prompt = ""
    selection: Sha256 | None = Field(
        default=None, description="Grey, the image's size: 0 = keep, white = edit."
    )
    pairs: Annotated[list[Pair], within(contract.WORDS)] = []
    weights: Annotated[dict[Word, Annotated[float, within(contract.WEIGHT)]], within(contract.WORDS)] = {}
    model: Model = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    control: Control = Control()
    begin_from: Start = Field(
        default="automatic",
        description="Of replace and insert: what the selection begins from. view: the subject's own picture.",
    )
    maps: bool = False
    draft: bool = Field(
        default=False,
        description="Of a remembered photo: a small picture of the region alone, and no result to keep.",
    )
    windows: Annotated[list[Windows], within(contract.DRAFTS)] = Field(
        default=[],
        description="Of a draft of one variation: a picture with each of these windows, in one batch.",
    )


class InvertRequest(Judged):
    """Remember a photo ahead of time."""

    image: Sha256
    source_prompt: Prompt
    selection: Sha256 | None = None
    model: Model = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    context: Context = 0.5


class LearnRequest(Judged):
    """Learn a new word from pictures of one subject or one style."""

    name: ConceptName
    images: Annotated[
        list[Sha256], Field(min_length=contract.FEWEST_EXAMPLES, max_length=contract.MOST_EXAMPLES)
    ]
    noun: Word
    kind: ConceptKind = "subject"
    masks: Annotated[list[Sha256 | None], within(contract.EXAMPLES)] = []
    captions: Annotated[list[Prompt | None], within(contract.EXAMPLES)] = Field(
        default=[], description="What each picture shows, with {} where the word stands."
    )
    vectors: Annotated[int, within(contract.VECTORS), WHOLE] = 2
    detail: bool = Field(
        default=False,
        description="Learn low-rank adapters with the rows: always where what it starts from has some.",
    )
    steps: Annotated[int, within(contract.LEARNING_STEPS), WHOLE] | None = None
    seed: Seed = 0
    model: Model = BUILT_IN
    start: ConceptName | None = Field(
        default=None, description="Learn more: begin with this concept's rows (and so its vectors)."
    )
    finish: bool = Field(
        default=False, description="Keep the best of this request's interrupted run, without a step more."
    )
    replace: bool = False
    accept_outliers: bool = False


class AttentionRequest(Judged):
    """Where in the picture is this word?"""

    image: Sha256
    source_prompt: Prompt
    word: Word
    selection: Sha256 | None = None
    model: Model = BUILT_IN
    inversion: InversionSettings = InversionSettings()
    context: Context = 0.5


class DescribeRequest(Judged):
    """Propose a caption."""

    image: Sha256
    selection: Sha256 | None = None
    model: Model = BUILT_IN


class DrawRequest(Judged):
    """Draw a picture from words alone, at the model's native size."""

    prompt: Prompt
    model: Model = BUILT_IN
    seed: Seed = 0
    steps: Steps | None = Field(default=None, description="Sampling steps; null = the model's.")
    guidance: Annotated[float, within(contract.GUIDANCE)] | None = Field(
        default=None, description="Classifier-free guidance; null = the model's."
    )


class PullRequest(Judged):
    """Download a model of the catalogue, or one file by address."""

    model: Model
    url: (
        Annotated[
            str,
            within(contract.ADDRESS_LENGTH),
            StringConstraints(pattern=f"^{contract.ADDRESS.pattern}$"),
        ]
        | None
    ) = None
    sha256: Sha256 | None = None


class Submission(Shape):
    id: JobId
    priority: Priority = Field(
        default="interactive", description="Batch jobs run when no interactive one waits."
    )
    unattended_seconds: Annotated[float, Field(ge=1, le=86400)] | None = Field(
        default=None,
        description="Cancel the job when its client asked nothing about it for so long; null = never.",
    )
    origin: Annotated[str, within(contract.ORIGIN)] = Field(
        default="",
        description="The client's own note of where the job comes from; it is kept and given back unread.",
        examples=['{"document": "7f3a-1", "at": [64, 0]}'],
    )


class EditJob(Submission):
    kind: Literal["edit"]
    request: EditRequest


class InvertJob(Submission):
    kind: Literal["invert"]
    request: InvertRequest


class LearnJob(Submission):
    kind: Literal["learn"]
    request: LearnRequest


class AttentionJob(Submission):
    kind: Literal["attention"]
    request: AttentionRequest


class DescribeJob(Submission):
    kind: Literal["describe"]
    request: DescribeRequest


class DrawJob(Submission):
    kind: Literal["draw"]
    request: DrawRequest


class PullJob(Submission):
    kind: Literal["pull"]
    request: PullRequest


AnyJob = Annotated[
    EditJob | InvertJob | LearnJob | AttentionJob | DescribeJob | DrawJob | PullJob,
    Field(discriminator="kind"),
]
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


class WorkerInfo(Answer):
    lane: str
    device: str
    kinds: list[str]
    pid: int | None = Field(description="null: no worker is running, and no memory is held.")
    running: str | None = Field(description="The kind of the job that runs, whoever's it is.")
    status: dict[str, Any] = Field(description="What the worker last said of its device and model.")


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


class ImageStored(Answer):
    image: Sha256
    new: bool


class ImageKept(Answer):
    image: Sha256
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
    name: ConceptName
