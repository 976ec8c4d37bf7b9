"""Learn a word from a few pictures, and keep it in the library.

An interrupted run goes on where it was, or is finished as it is; a word that was learned is learned on.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of

from palimpsest.contract import LearnRequest
from palimpsest.core.adapters import layers_of
from palimpsest.core.colours import Colours
from palimpsest.core.concept import Concept
from palimpsest.core.learning.gate import GateSettings, check_pictures, check_set
from palimpsest.core.learning.learn import (
    Learned,
    LearningStep,
    Lesson,
    Start,
)
from palimpsest.core.learning.learn import learn as learning
from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.state import LearningState
from palimpsest.core.learning.subject import find_subjects
from palimpsest.core.learning.views import ViewSettings, encode_views
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.composite import quantise
from palimpsest.core.picture.cutout import cut_out
from palimpsest.core.picture.ground import put_on_grounds
from palimpsest.core.picture.region import Mask, Size, bounds
from palimpsest.core.steps import Steps
from palimpsest.core.text.tokens import require_known
from palimpsest.errors import (
    ConceptFileError,
    DiskFullError,
    ImageError,
    RequestError,
    SelectionError,
    StorageError,
    Text,
    noticed,
)
from palimpsest.jobs.events import Events, Finished, Result
from palimpsest.storage.atomic import require_writable, write_atomically
from palimpsest.storage.concept_card import ConceptCard, Provenance, make_thumbnail
from palimpsest.storage.cutouts import MOST_SIDE
from palimpsest.storage.pictures import read_example
from palimpsest.storage.png import encode
from palimpsest.tasks import validation
from palimpsest.tasks.context import TaskContext, canonical, model_identity
from palimpsest.tasks.inversions import concept_hashes
from palimpsest.tasks.progress import PhaseTimer, Preview, memory_errors, with_progress

SECONDS_BETWEEN_SAVES = 5.0  # at least
SHARE_OF_SAVES = 1 / 20  # of the time, at most: the state with SDXL's adapters has 185 MB
BACKWARDS = 3.0  # a step's cost per latent, in encodings of a view
CUTOUTS = "cutouts"  # of a concept's settings: "marked" or "found"
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Examples:
    """Of the pictures in their order, what `Example` says of each; and what is to be said of them."""

    pictures: tuple[NDArray[np.float32], ...]
    masks: tuple[Mask | None, ...]
    opacities: tuple[NDArray[np.float32] | None, ...]
    notices: tuple[str, ...]
    found: tuple[Mask | None, ...]  # where the model found the subject that no mask shows

    @property
    def where(self) -> tuple[Mask | None, ...]:
        """Where the subject is, as the user says it, else as it was found."""
        pairs = zip(self.masks, self.found, strict=True)
        return tuple(own if own is not None else seen for own, seen in pairs)


@dataclass(frozen=True, eq=False)
class Cutouts:
    """A subject's own pictures. ``marked``: people said where it is; else the model found it."""

    pictures: Sequence[NDArray[np.uint8]]
    marked: bool


def learn(context: TaskContext, request: LearnRequest) -> Events[None]:
    """Artifacts: the concept's thumbnail, and for each picture in which the model found the subject its mask,
    ``found:1``, … as the pictures count. The result names the concept."""
    started = time.monotonic()
    _refuse(context, request)
    more = None if request.start is None else _start(context, request.start)
    examples = read_examples(context, request)
    own = [] if request.kind == "style" else _cut_out(examples, examples.masks)
    yield from context.load(request.model)
    model = context.models.get(request.model)
    require_known(request.noun, model.words)
    settings = _settings(request, model, more)
    lesson = Lesson(
        f"<{request.name}>",
        request.noun,
        request.kind,
        request.vectors if more is None else more.concept.vectors,
        request.captions,
        request.seed,
    )
    saved = _state_file(context, request, model, examples, more)
    learned = best_so_far(saved, lesson, model.family) if request.finish else None
    cutouts, notices = (own, []) if own else _kept_pictures(context, request)
    marked, pace = bool(cutouts), None
    what, lower = Text("what-learning", n=settings.at_once), Text("close-or-learn-on-cpu")
    with memory_errors(context.device, what, lower):
        if request.kind == "subject" and not cutouts:
            examples = yield from _located(model, examples, request)
            cutouts = _cut_out(examples, examples.found)
            notices = [*notices, _told_of(examples, request.name)]
        if learned is None:
            learned, pace = yield from _run(context, model, examples, lesson, settings, request, saved, more)
        if request.kind == "style":
            colours = yield from _colours(model, examples, request.seed)
            learned = replace(learned, concept=replace(learned.concept, colours=colours))
    cut = Cutouts(cutouts, marked)
    card, thumbnail = _store(context, request, model, examples, learned, more, cut)
    if not request.finish:  # else the same request without it goes on from there
        with suppress(OSError):
            saved.unlink(missing_ok=True)
    artifacts = {} if thumbnail is None else {"thumbnail": context.images.put(thumbnail)}
    for number, mask in enumerate(examples.found, start=1):
        if mask is not None:
            artifacts[f"found:{number}"] = context.images.put(encode(mask))
    result = {
        "name": card.name,
        "placeholder": card.placeholder,
        "vectors": card.vectors,
        "kind": card.kind,
        "noun": card.noun,
        "steps": learned.steps,
        "best_step": learned.best_step,
        "loss": {"first": learned.exams[0], "best": min(learned.exams)},
        "views": len(examples.pictures) * ViewSettings().per_picture,
        "start": _start_identity(more),
        "detail": learned.concept.adapters is not None,
        "seconds_per_step": pace,
        "rows_hash": card.rows_hash,
        "masks": [mask is not None for mask in examples.masks],
        "found": [mask is not None for mask in examples.found],
        "cutouts": card.provenance.settings.get(CUTOUTS),
        **noticed(*examples.notices, *notices),
        "model": model_identity(model),
        "seconds": round(time.monotonic() - started, 3),
    }
    yield Finished(artifacts, result)


def read_examples(context: TaskContext, request: LearnRequest) -> Examples:
    """Raises the ImageErrors and SelectionErrors, with the picture's number in the details."""
    masks = request.masks if request.masks else (None,) * len(request.images)
    found, notices = [], []
    for number, (image, mask) in enumerate(zip(request.images, masks, strict=True), start=1):
        where = None if mask is None else context.images.get(mask)
        try:
            found.append(read_example(context.images.get(image), where, context.limits))
        except (ImageError, SelectionError) as error:
            error.details["picture"] = number
            raise
        notices += [_of_picture(number, notice) for notice in found[-1].notices]
    return Examples(
        tuple(example.pixels for example in found),
        tuple(example.mask for example in found),
        tuple(example.opacity for example in found),
        tuple(notices),
        (None,) * len(found),
    )


def _of_picture(number: int, notice: str) -> str:
    """A Text where the notice is one."""
    told = Text("notice-of-picture", n=number, notice=notice)
    return told if isinstance(notice, Text) else str(told)


def _located(model: DiffusionModel, examples: Examples, request: LearnRequest) -> Events[Examples]:
    """With the subject looked for in the pictures without a mask. Raises ConceptImagesError."""
    # Before time is spent on the search.
    check_pictures(examples.pictures, model.native_size, GateSettings(), examples.opacities)
    finding = find_subjects(model, examples.pictures, examples.masks, request.noun, request.seed)
    found = yield from with_progress(finding, PhaseTimer({}))
    return replace(examples, found=found)


def _told_of(examples: Examples, name: str) -> str:
    """What people are told of the search."""
    numbers = [number for number, mask in enumerate(examples.found, start=1) if mask is not None]
    if not numbers:
        return f"The model didn't find <{name}> in the pictures: without masks no edit begins from them."
    found = ", ".join(f"picture {number}" for number in numbers)
    return (
        f"No mask says where <{name}> is, so the model looked for it; edits begin from what it found "
        f"in {found}. If that is wrong, learn it with masks or from cut-outs, or let edits begin "
        "from noise or the photo."
    )


def _start(context: TaskContext, name: str) -> Start:
    """Raises ConceptNotFoundError and what a damaged file raises."""
    return Start(context.concepts.load(name), context.concepts.card(name).provenance.steps or 0)


def _start_identity(more: Start | None) -> dict[str, Any] | None:
    """What decides, of the word that was learned on, which word comes out."""
    if more is None:
        return None
    return {"name": more.concept.placeholder, "rows": concept_hashes(more.concept), "steps": more.steps}


def _refuse(context: TaskContext, request: LearnRequest) -> None:
    """What can be seen to be wrong before anything is read."""
    validation.require_concepts(request, context.concepts)
    if request.replace and context.concepts.has(request.name):
        context.concepts.require_own(request.name, context.owner)
    require_writable(context.concepts.folder)  # known before the work, not after it
    validation.require_valid(request)


def _settings(request: LearnRequest, model: DiffusionModel, more: Start | None) -> LearnSettings:
    has_adapters = more is not None and more.concept.adapters is not None
    settings = model.learning.settings(request.detail or has_adapters)
    return settings if request.steps is None else replace(settings, steps=request.steps)


def _run(
    context: TaskContext,
    model: DiffusionModel,
    examples: Examples,
    lesson: Lesson,
    settings: LearnSettings,
    request: LearnRequest,
    saved: Path,
    more: Start | None,
) -> Events[tuple[Learned, float | None]]:
    """What was learned, and seconds per step, previews included; None where no step was left to take."""
    how = ViewSettings(mirrored=lesson.kind == "style")
    count = len(examples.pictures) * how.per_picture
    timer = PhaseTimer({"preparing": (count, 1.0), "learning": (settings.steps, BACKWARDS * settings.batch)})
    checking = check_set(
        model,
        examples.pictures,
        examples.masks,
        lesson.noun,
        GateSettings(),
        lesson.kind,
        request.accept_outliers,
        examples.opacities,
    )
    yield from with_progress(checking, timer)
    grounding = put_on_grounds(model, examples.pictures, examples.opacities, lesson.seed)
    pictures = yield from with_progress(grounding, timer)
    preparing = encode_views(model, pictures, examples.masks, how, lesson.seed)
    views = yield from with_progress(preparing, timer)
    state, preview = read_state(saved), Preview(model, context.images, context.previews)
    steps = learning(model, views, lesson, settings, state, preview.wanted, more)
    begun = time.monotonic()
    learned = yield from with_progress(saving(steps, saved), timer, preview)
    taken = learned.steps - (0 if state is None else state.step)
    return learned, round((time.monotonic() - begun) / taken, 4) if taken > 0 else None


def _colours(model: DiffusionModel, examples: Examples, seed: int) -> Events[Colours]:
    """Those of a style's pictures, each of them once and whole."""
    grounding = put_on_grounds(model, examples.pictures, examples.opacities, seed)
    pictures = yield from with_progress(grounding, PhaseTimer({}))
    preparing = encode_views(model, pictures, examples.masks, ViewSettings(per_picture=1), seed)
    views = yield from with_progress(preparing, PhaseTimer({}))
    return Colours.of([view.mean for view in views])


def best_so_far(saved: Path, lesson: Lesson, family: str) -> Learned:
    """Of an interrupted run. Raises RequestError where none is kept."""
    state = read_state(saved)
    if state is None:
        raise RequestError(
            "No interrupted run of this request is kept: there is nothing to finish.",
            "Ask for the same pictures, settings and seed, or learn without finish.",
            field="finish",
        )
    adapters = None if state.adapters is None else state.adapters.best
    concept = Concept(lesson.placeholder, state.best, family, lesson.kind, lesson.noun, adapters)
    return Learned(concept, state.step, state.best_step, state.exams)


def saving(steps: Steps[Result], file: Path) -> Steps[Result]:
    """The same steps; every few seconds, and when they are broken off, their state is kept in ``file``.

    Where writing takes long, less often: for no more than ``SHARE_OF_SAVES`` of the time."""
    state: LearningState | None = None
    last, pause = time.monotonic(), SECONDS_BETWEEN_SAVES
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                state = None
                return stop.value
            state = step.state if isinstance(step, LearningStep) else None
            if state is not None and time.monotonic() - last > pause:
                begun = time.monotonic()
                write_state(file, state)
                last = time.monotonic()
                pause = max(SECONDS_BETWEEN_SAVES, (last - begun) * (1 / SHARE_OF_SAVES - 1))
            yield step
    finally:
        steps.close()
        if state is not None:
            write_state(file, state)


def write_state(file: Path, state: LearningState) -> None:
    """A cache that is full or can't be written must not end the learning itself."""
    try:
        write_atomically(file, bytes_of(state.to_tensors()))
    except (DiskFullError, StorageError) as error:
        log.warning("The state of the learning could not be kept: %s", error)


def read_state(file: Path) -> LearningState | None:
    """None if there is none or it can't be read: learning then starts anew."""
    try:
        return LearningState.from_tensors(tensors_of(file.read_bytes()))
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _state_file(
    context: TaskContext, request: LearnRequest, model: DiffusionModel, examples: Examples, more: Start | None
) -> Path:
    """Where the state of this very learning is kept until its concept is."""
    key = _key(request, model, _settings(request, model, more), examples, more)
    return context.learning / f"{key}.safetensors"


def _key(
    request: LearnRequest,
    model: DiffusionModel,
    settings: LearnSettings,
    examples: Examples,
    more: Start | None,
) -> str:
    """Everything that has a bearing on what is learned: not the name it will have."""
    parts = {**asdict(request), "name": "", "replace": False, "finish": False, "settings": asdict(settings)}
    parts["start"] = None if more is None else {"rows": concept_hashes(more.concept), "steps": more.steps}
    parts["masked"] = [mask is not None for mask in examples.masks]
    return hashlib.sha256(canonical({**parts, "model": model_identity(model)}).encode()).hexdigest()


def _store(
    context: TaskContext,
    request: LearnRequest,
    model: DiffusionModel,
    examples: Examples,
    learned: Learned,
    more: Start | None,
    cutouts: Cutouts,
) -> tuple[ConceptCard, bytes | None]:
    begun = 0 if more is None else more.steps
    settings: dict[str, Any] = {
        "vectors": learned.concept.vectors,
        "masks": [mask is not None for mask in examples.masks],
    }
    if cutouts.pictures:
        settings[CUTOUTS] = "marked" if cutouts.marked else "found"
    chosen, adapters = _settings(request, model, more).adapters, learned.concept.adapters
    if chosen is not None and adapters is not None:  # those of a word that is learned on stay what they are
        kept = {"rank": adapters.rank, "layers": layers_of(model.network, adapters)}
        settings["adapters"] = {**asdict(chosen), **kept}
    provenance = Provenance(
        model=request.model,
        weights_hash=model.weights_hash,
        steps=begun + learned.steps,
        seed=request.seed,
        sources=request.images,
        settings=settings if more is None else {**settings, "start": _start_identity(more)},
    )
    thumbnail = _thumbnail(examples.pictures[0], examples.where[0])
    concept = replace(learned.concept, rows=tuple(rows.detach().cpu() for rows in learned.concept.rows))
    card = context.concepts.save(
        concept, provenance, thumbnail, request.replace, context.owner, cutouts.pictures
    )
    return card, thumbnail


def _cut_out(examples: Examples, masks: Sequence[Mask | None]) -> list[NDArray[np.uint8]]:
    """The subject out of every picture that has a mask."""
    parts = zip(examples.pictures, masks, examples.opacities, strict=True)
    return [
        cut_out(picture, mask, opacity, MOST_SIDE, number)
        for number, (picture, mask, opacity) in enumerate(parts, start=1)
        if mask is not None
    ]


def _kept_pictures(context: TaskContext, request: LearnRequest) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Those of the word that is learned on, which stay its own; and what is to be said of them. None of
    another kind of thing, nor such as were only found: those are found anew in the pictures given."""
    if request.start is None or request.kind == "style":
        return [], []
    card = context.concepts.card(request.start)
    settings = card.provenance.settings
    marked = settings.get(CUTOUTS, "marked" if any(settings.get("masks", ())) else "found")
    if card.noun != request.noun or marked != "marked":
        return [], []
    try:
        return list(context.concepts.pictures(request.start, context.owner)), []
    except ConceptFileError as error:
        return [], [error.message]


def _thumbnail(picture: NDArray[np.float32], mask: Mask | None) -> bytes:
    """The first picture, or the subject in it."""
    height, width = picture.shape[:2]
    box = None if mask is None else bounds(mask, Size(width, height))
    part = picture if box is None else picture[box.slices]
    return make_thumbnail(quantise(part, 255).astype(np.uint8))
