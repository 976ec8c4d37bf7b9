"""What an edit begins from inside its selection: the photo, noise, or pictures laid in: the learned subject's
own, or drawings of what comes in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.contract import EditRequest, Start
from palimpsest.core.concept import Concept
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.cutout import CutOut, by_fit, paste
from palimpsest.core.picture.drawing import LOOKS, STEPS, draw_thing
from palimpsest.core.picture.fill import harmonic_fill, widened
from palimpsest.core.steps import Step, retold
from palimpsest.core.text.alignment import align
from palimpsest.core.text.phrases import alone_on_ground
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import PLACEHOLDER, words_of
from palimpsest.errors import RequestError
from palimpsest.jobs.events import Events, Progressed
from palimpsest.storage.inversions import pixels_hash
from palimpsest.tasks.canvas import Canvas
from palimpsest.tasks.context import TaskContext
from palimpsest.tasks.progress import PhaseTimer, with_progress
from palimpsest_client.fields.operations import OPERATIONS, PHOTO


@dataclass(frozen=True, eq=False)
class Subject:
    """A learned word that comes in, and its pictures, cut out: (height, width, 4) of uint8 each."""

    placeholder: str
    pictures: Sequence[NDArray[np.uint8]]


def start_of(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> Start:
    """What the request begins from, where it leaves that to the operation: a learned subject that is inserted
    from its pictures if it has any, what else is inserted from a drawing; what replaces, from the photo.

    Raises RequestError where a view or a drawing is asked for and there is nothing to show.
    """
    begins = OPERATIONS[request.operation].begins
    if not begins:
        return request.begin_from
    if request.begin_from == "view":
        _subject(context, request, concepts)
    if request.begin_from == "drawing" and not _new_words(request)[1]:
        raise RequestError(
            "No word comes in that could be drawn.",
            "Write what is to be there into the second sentence, or choose another start.",
            field="begin_from",
        )
    if request.begin_from != "automatic":
        return request.begin_from
    if begins == PHOTO or request.selection is None:
        return "photo"
    found = new_subject(request, concepts)
    if found is not None and _pictures(context, found):
        return "view"
    return "drawing" if _new_words(request)[1] else "noise"


def subject_of(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> Subject | None:
    """Who is laid in; None where the edit begins from something else. Raises RequestError."""
    return _subject(context, request, concepts) if request.begin_from == "view" else None


def views_of(canvas: Canvas, request: EditRequest, subject: Subject | None) -> Events[Tensor | None]:
    """The photo with pictures of the subject laid into the selection, those that fit best first: latents
    (n, c, h, w), as many as the variations take, seed k the one at k modulo n. None without a subject.

    It can be stopped before each of them.
    """
    if subject is None:
        return None
    cutouts, layer = [CutOut.of(rgba) for rgba in subject.pictures], _Layer.of(canvas, request)
    order = by_fit(cutouts, layer.selection)
    wanted = min(request.variations, len(order))
    views: dict[int, Tensor] = {}
    for seed in range(request.seed, request.seed + wanted):
        yield Progressed("preparing", len(views), wanted)
        views[seed % wanted] = layer.laid(cutouts[order[seed % len(order)]])
    return torch.cat([views[place] for place in sorted(views)])


def drawings_of(
    canvas: Canvas, vocabulary: Vocabulary, request: EditRequest, timer: PhaseTimer
) -> Events[Tensor | None]:
    """The photo with what comes in laid into the selection as the model draws it from its words, each seed
    another drawing: latents as of ``views_of``. None where the request begins from something else.

    It can be stopped at each step of a drawing.
    """
    if request.begin_from != "drawing":
        return None
    sentence, thing = _new_words(request)
    layer, guidance = _Layer.of(canvas, request), request.inversion.guidance
    assert guidance is not None, "defaults are filled in"
    drawings: dict[int, Tensor] = {}
    for number in range(request.variations):
        seed = request.seed + number
        steps = draw_thing(canvas.model, vocabulary, sentence, thing, guidance, seed)
        cutout = yield from with_progress(retold(steps, _among(number, request.variations)), timer)
        drawings[seed % request.variations] = layer.laid(CutOut.of(cutout))
    return torch.cat([drawings[place] for place in sorted(drawings)])


def drawing_phases(request: EditRequest) -> dict[str, tuple[int, float]]:
    """Of a ``PhaseTimer``: nothing where nothing is drawn."""
    if request.begin_from != "drawing":
        return {}
    return {"sampling": (STEPS * request.variations, 2.0), "looking": (LOOKS * request.variations, 1.0)}


def _among(number: int, total: int) -> Callable[[Step], Step]:
    """A step of the ``number``-th of ``total`` drawings, counted from 0, as one of all of them."""
    return lambda step: replace(step, index=number * step.total + step.index, total=total * step.total)


@dataclass(frozen=True, eq=False)
class _Layer:
    """A picture into which something is laid."""

    model: DiffusionModel
    pixels: Tensor  # (1, 3, h, w) in [-1, 1]
    selection: Tensor  # (1, 1, h, w) of 0 and 1

    @staticmethod
    def of(canvas: Canvas, request: EditRequest) -> _Layer:
        pixels = canvas.pixels
        if OPERATIONS[request.operation].clears:  # what is replaced must not show beside what is laid in
            region = canvas.latent_mask
            assert region is not None, "a picture is laid into a selection"
            pixels = canvas.model.decode(harmonic_fill(canvas.z0, widened(region))).cpu()
        return _Layer(canvas.model, pixels, canvas.working_selection)

    def laid(self, cutout: CutOut) -> Tensor:
        """As a latent (1, c, h, w)."""
        return self.model.encode(paste(self.pixels, cutout, self.selection))


def recipe_views(subject: Subject | None) -> dict[str, Any]:
    """What a recipe keeps of the pictures that it began from: their hashes, by the subject's word."""
    if subject is None:
        return {}
    return {"views": {subject.placeholder: [pixels_hash(rgba) for rgba in subject.pictures]}}


def current_views(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> dict[str, Any]:
    """``recipe_views`` of what the request would begin from today; no hashes where no picture is left."""
    found = new_subject(request, concepts) if request.begin_from == "view" else None
    if found is None:
        return {"views": {}} if request.begin_from == "view" else {}
    return recipe_views(Subject(found.placeholder, _pictures(context, found)))


def new_subject(request: EditRequest, concepts: Sequence[Concept]) -> Concept | None:
    """The first learned subject that the second sentence names more often than the first one does."""
    before, after = (PLACEHOLDER.findall(text) for text in (request.source_prompt, request.target_prompt))
    subjects = {concept.placeholder: concept for concept in concepts if concept.kind == "subject"}
    names = (name for name in after if name in subjects and after.count(name) > before.count(name))
    return next((subjects[name] for name in names), None)


def _new_words(request: EditRequest) -> tuple[str, str]:
    """A sentence to draw what comes in by, and the words that name it; both empty where nothing comes in."""
    source, target = words_of(request.source_prompt), words_of(request.target_prompt)
    return alone_on_ground(target, align(source, target, request.pairs))


def _subject(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> Subject:
    """Who is laid in, and the pictures there are, at least one. Raises RequestError."""
    found = new_subject(request, concepts)
    if found is None:
        raise RequestError(
            "No learned word comes in that has a picture to begin from.",
            "Write one into the second sentence, or choose another start.",
            field="begin_from",
        )
    pictures = _pictures(context, found)
    if not pictures:
        raise RequestError(
            f"No picture of {found.placeholder} is kept for you that shows where it is.",
            "Learn it again if it is yours, with masks if it isn't found without, or choose another start.",
            field="begin_from",
        )
    return Subject(found.placeholder, pictures)


def _pictures(context: TaskContext, subject: Concept) -> Sequence[NDArray[np.uint8]]:
    """Of a subject that is the job's owner's; of another's there are none."""
    return context.concepts.pictures(subject.placeholder[1:-1], context.owner)
