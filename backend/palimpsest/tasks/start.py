"""What an edit begins from inside its selection: the photo, noise, or the subject's own pictures laid in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.contract import EditRequest, Start
from palimpsest.core.concept import Concept
from palimpsest.core.picture.cutout import CutOut, by_fit, paste
from palimpsest.core.picture.fill import harmonic_fill, widened
from palimpsest.core.text.tokens import PLACEHOLDER
from palimpsest.errors import RequestError
from palimpsest.jobs.events import Events, Progressed
from palimpsest.storage.inversions import pixels_hash
from palimpsest.tasks.canvas import Canvas
from palimpsest.tasks.context import TaskContext
from palimpsest_client.fields.operations import OPERATIONS, PHOTO


@dataclass(frozen=True, eq=False)
class Subject:
    """A learned word that comes in, and its pictures, cut out: (height, width, 4) of uint8 each."""

    placeholder: str
    pictures: Sequence[NDArray[np.uint8]]


def start_of(context: TaskContext, request: EditRequest, concepts: Sequence[Concept]) -> Start:
    """What the request begins from, where it leaves that to the operation: a learned subject that is inserted
    from its pictures if it has any, else from noise; what replaces, from the photo.

    Raises RequestError where a view is asked for and there is none.
    """
    begins = OPERATIONS[request.operation].begins
    if not begins:
        return request.begin_from
    if request.begin_from == "view":
        _subject(context, request, concepts)
    if request.begin_from != "automatic":
        return request.begin_from
    if begins == PHOTO or request.selection is None:
        return "photo"
    found = new_subject(request, concepts)
    return "view" if found is not None and _pictures(context, found) else "noise"


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
    selection, cutouts = canvas.working_selection, [CutOut.of(rgba) for rgba in subject.pictures]
    ground = canvas.pixels
    if OPERATIONS[request.operation].clears:  # what is replaced must not show beside the subject
        region = canvas.latent_mask
        assert region is not None, "a view is laid into a selection"
        ground = canvas.model.decode(harmonic_fill(canvas.z0, widened(region))).cpu()
    order = by_fit(cutouts, selection)
    wanted = min(request.variations, len(order))
    views: dict[int, Tensor] = {}
    for seed in range(request.seed, request.seed + wanted):
        yield Progressed("preparing", len(views), wanted)
        laid = paste(ground, cutouts[order[seed % len(order)]], selection)
        views[seed % wanted] = canvas.model.encode(laid)
    return torch.cat([views[place] for place in sorted(views)])


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
