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
from torch.nn import functional

from palimpsest.contract import EditRequest, Start
from palimpsest.core.concept import Concept
from palimpsest.core.editing.edit import Views
from palimpsest.core.editing.recipes import DRAWING_NOISE, RECIPES, VIEW_NOISE
from palimpsest.core.editing.standing import find_beside, find_standing
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.cutout import CutOut, by_fit
from palimpsest.core.picture.drawing import LOOKS, draw_thing, drawing_steps
from palimpsest.core.picture.laid import Ground, cleared, lay
from palimpsest.core.picture.region import working_mask
from palimpsest.core.steps import Step, Steps, retold
from palimpsest.core.text.alignment import align
from palimpsest.core.text.phrases import ARTICLES, JOINING, alone_on_ground, staying
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import PLACEHOLDER, Prompt, words_of
from palimpsest.errors import RequestError
from palimpsest.jobs.events import Events, Progressed
from palimpsest.storage.inversions import pixels_hash
from palimpsest.tasks.canvas import Begun, Canvas
from palimpsest.tasks.context import TaskContext, canonical, model_identity
from palimpsest.tasks.inversions import concept_hashes, concepts_of
from palimpsest.tasks.progress import PhaseTimer, with_progress
from palimpsest_client.fields.operations import OPERATIONS, PHOTO


@dataclass(frozen=True, eq=False)
class Subject:
    """A learned word that comes in, and its pictures, cut out: (height, width, 4) of uint8 each."""

    placeholder: str
    pictures: Sequence[NDArray[np.uint8]]


def start_of(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> Start:
    """What the request begins from, where it leaves that to the operation: in a selection a learned subject
    from its pictures if it has any; what else is inserted from a drawing, what replaces from the photo.

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
    if request.selection is None:
        return "photo"
    found = new_subject(request, concepts)
    if found is not None and _pictures(context, found):
        return "view"
    if begins == PHOTO:
        return "photo"
    return "drawing" if _new_words(request)[1] else "noise"


def subject_of(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> Subject | None:
    """Who is laid in; None where the edit begins from something else. Raises RequestError."""
    return _subject(context, request, concepts) if request.begin_from == "view" else None


def views_of(
    canvas: Canvas, vocabulary: Vocabulary, request: EditRequest, subject: Subject | None
) -> Events[tuple[Begun, ...]]:
    """The photo with pictures of the subject laid into the selection, those that fit best first: as many as
    the variations take, seed k the one at k modulo n. What replaces a thing takes its place. None without a
    subject.

    It can be stopped before each of them.
    """
    if subject is None:
        return ()
    cutouts = [CutOut.of(rgba) for rgba in subject.pictures]
    ground = yield from _ground(canvas, vocabulary, request, subject.placeholder)
    order = by_fit(cutouts, canvas.working_selection)
    wanted = min(request.variations, len(order))
    views: dict[int, Begun] = {}
    for seed in range(request.seed, request.seed + wanted):
        yield Progressed("preparing", len(views), wanted)
        views[seed % wanted] = _laid(canvas, cutouts[order[seed % len(order)]], ground, request)
    return tuple(views[at] for at in sorted(views))


def drawings_of(
    context: TaskContext, canvas: Canvas, vocabulary: Vocabulary, request: EditRequest, timer: PhaseTimer
) -> Events[tuple[Begun, ...]]:
    """The photo with what comes in laid into the selection as the model draws it from its words, each seed
    another drawing, in the order of ``views_of``. None where the request begins from something else. The
    last drawings are kept: a slider that moves, or another photo, doesn't draw them anew.

    It can be stopped at each step of a drawing.
    """
    if request.begin_from != "drawing":
        return ()
    sentence, thing = _new_words(request)
    guidance = request.inversion.guidance
    assert guidance is not None, "defaults are filled in"
    ground = yield from _ground(canvas, vocabulary, request)
    drawings: dict[int, Begun] = {}
    for number in range(request.variations):
        seed = request.seed + number
        key = _drawing_key(canvas.model, vocabulary, sentence, thing, guidance, seed)
        cutout = context.drawing(key)
        if cutout is None:
            steps = draw_thing(canvas.model, vocabulary, sentence, thing, guidance, seed)
            cutout = yield from with_progress(retold(steps, _among(number, request.variations)), timer)
            context.keep_drawing(key, cutout)
        drawings[seed % request.variations] = _laid(canvas, CutOut.of(cutout), ground, request)
    return tuple(drawings[at] for at in sorted(drawings))


def _drawing_key(
    model: DiffusionModel, vocabulary: Vocabulary, sentence: str, thing: str, guidance: float, seed: int
) -> str:
    """All that has a bearing on a drawing."""
    named = concepts_of(vocabulary.parse(sentence), vocabulary.concepts)
    concepts = {concept.placeholder: concept_hashes(concept) for concept in named}
    loras = [[lora.sha256, strength] for lora, strength in vocabulary.loras]
    return canonical([model_identity(model), concepts, loras, sentence, thing, guidance, seed])


def noise_of(request: EditRequest) -> float | None:
    """Part of the noise levels that is put on what the request begins from; None = as the operation says."""
    if request.freedom is None:
        return {"view": VIEW_NOISE, "drawing": DRAWING_NOISE}.get(request.begin_from)
    return request.freedom


def drawing_phases(model: DiffusionModel, request: EditRequest) -> dict[str, tuple[int, float]]:
    """Of a ``PhaseTimer``: nothing where nothing is drawn."""
    if request.begin_from != "drawing":
        return {}
    drawn = drawing_steps(model) * request.variations
    return {"sampling": (drawn, 2.0), "looking": (LOOKS * request.variations, 1.0)}


def _among(number: int, total: int) -> Callable[[Step], Step]:
    """A step of the ``number``-th of ``total`` drawings, counted from 0, as one of all of them."""
    return lambda step: replace(step, index=number * step.total + step.index, total=total * step.total)


def latents_of(views: Sequence[Begun], stride: int) -> Views | None:
    """As an edit takes them. ``stride``: pixels to a cell."""
    if not views:
        return None
    changed = [functional.max_pool2d(view.laid.changed, stride) for view in views]
    return Views(torch.cat([view.z for view in views]), torch.cat(changed))


def _laid(canvas: Canvas, cutout: CutOut, ground: Ground, request: EditRequest) -> Begun:
    laid, noise = lay(ground, cutout), noise_of(request)
    assert noise is not None, "a view and a drawing have one"
    return Begun(laid, canvas.model.encode(laid.pixels), noise)


def _ground(
    canvas: Canvas, vocabulary: Vocabulary, request: EditRequest, placeholder: str | None = None
) -> Events[Ground]:
    """What something is laid on: where it takes a thing's place, without that, or without all that is
    selected where that isn't found. ``placeholder``: the learned word that takes it."""
    selection = canvas.working_selection
    if not OPERATIONS[request.operation].clears:
        return cleared(canvas.pixels, selection)
    source, target = vocabulary.parse(request.source_prompt), vocabulary.parse(request.target_prompt)
    changes = align(source, target, request.pairs).changes
    if placeholder is not None:  # in whose place it comes, and what else is said of that
        changes = [c for c in changes if not c.target or placeholder in {word.text for word in c.target}]
    going = (word.text for change in changes for word in change.source if word.kind != "mark")
    words = list(dict.fromkeys(word for word in going if word.lower() not in JOINING | ARTICLES))
    found = yield from _found(find_standing, canvas, vocabulary, source, words, selection)
    return cleared(canvas.pixels, selection, selection if found is None else found)


def beside(canvas: Canvas, vocabulary: Vocabulary, request: EditRequest) -> Events[Tensor | None]:
    """Where something is to go: the things beside it that the sentences name, (1, 1, h, w) on the latent,
    above 0 where they are. None where there are none, or nothing is to go."""
    if canvas.mask is None or not RECIPES[request.operation].selected.fill:
        return None
    source, target = vocabulary.parse(request.source_prompt), vocabulary.parse(request.target_prompt)
    named = staying(source, target, align(source, target, request.pairs))
    words = [word for word in named if source.contains(word)]
    selection = working_mask(canvas.mask, canvas.region)
    found = yield from _found(find_beside, canvas, vocabulary, source, words, selection)
    if found is None:
        return None
    return functional.max_pool2d(found, canvas.model.stride).to(canvas.model.device)


def _found(
    find: Callable[..., Steps[Tensor | None]],
    canvas: Canvas,
    vocabulary: Vocabulary,
    source: Prompt,
    words: Sequence[str],
    selection: Tensor,
) -> Events[Tensor | None]:
    """Where ``words`` stand by ``find`` of ``core/editing/standing.py``; None where there is no word."""
    if not words:
        return None
    finding = find(
        canvas.model, vocabulary, source, words, canvas.pixels, canvas.z0, canvas.region, selection
    )
    return (yield from with_progress(finding, PhaseTimer({})))


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
