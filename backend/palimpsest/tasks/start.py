"""What an edit begins from inside its selection: the photo, noise, or the subject's own pictures laid in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from palimpsest.contract import STARTING, EditRequest, Start
from palimpsest.core.concept import Concept
from palimpsest.core.cutout import CutOut, by_fit, paste
from palimpsest.core.fill import harmonic_fill, widened
from palimpsest.core.tokens import PLACEHOLDER
from palimpsest.errors import RequestError
from palimpsest.storage.inversions import pixels_hash
from palimpsest.tasks.canvas import Canvas
from palimpsest.tasks.workplace import Workplace


def start_of(place: Workplace, request: EditRequest, concepts: Sequence[Concept]) -> Start:
    """What the request begins from, where it leaves that to the operation: a learned subject that is inserted
    from its pictures if it has any, else from noise; what replaces, from the photo.

    Raises RequestError where a view is asked for and there is none.
    """
    if request.operation not in STARTING:
        return request.begin_from
    if request.begin_from == "view":
        _subject(place, request, concepts)
    if request.begin_from != "automatic":
        return request.begin_from
    if request.operation == "replace" or request.selection is None:
        return "photo"
    found = new_subject(request, concepts)
    return "view" if found is not None and place.concepts.pictures(found.placeholder[1:-1]) else "noise"


def views_of(
    place: Workplace, canvas: Canvas, request: EditRequest, concepts: Sequence[Concept]
) -> Tensor | None:
    """The photo with each picture of the subject laid into the selection, those that fit best first: latents
    (n, c, h, w). None where the edit begins from something else."""
    if request.begin_from != "view":
        return None
    _, pictures = _subject(place, request, concepts)
    selection, cutouts = canvas.working_selection, [CutOut.of(rgba) for rgba in pictures]
    ground = canvas.pixels
    if request.operation == "replace":  # what is replaced must not show beside the subject
        region = canvas.latent_mask
        assert region is not None, "a view is laid into a selection"
        ground = canvas.model.decode(harmonic_fill(canvas.z0, widened(region))).cpu()
    laid = (paste(ground, cutouts[index], selection) for index in by_fit(cutouts, selection))
    return torch.cat([canvas.model.encode(pixels) for pixels in laid])


def views_told(place: Workplace, request: EditRequest, concepts: Sequence[Concept]) -> dict[str, Any]:
    """What a recipe keeps of the pictures that it began from: their hashes, by the subject's word."""
    if request.begin_from != "view":
        return {}
    found = new_subject(request, concepts)
    pictures = () if found is None else place.concepts.pictures(found.placeholder[1:-1])
    return {"views": {} if found is None else {found.placeholder: [pixels_hash(rgba) for rgba in pictures]}}


def new_subject(request: EditRequest, concepts: Sequence[Concept]) -> Concept | None:
    """The first learned subject that the second sentence names more often than the first one does."""
    before, after = (PLACEHOLDER.findall(text) for text in (request.source_prompt, request.target_prompt))
    subjects = {concept.placeholder: concept for concept in concepts if concept.kind == "subject"}
    names = (name for name in after if name in subjects and after.count(name) > before.count(name))
    return next((subjects[name] for name in names), None)


def _subject(place: Workplace, request: EditRequest, concepts: Sequence[Concept]) -> tuple[Concept, Any]:
    """Who is laid in, and the pictures there are, at least one. Raises RequestError."""
    found = new_subject(request, concepts)
    if found is None:
        raise RequestError(
            "No learned word comes in that has a picture to begin from.",
            "Write one into the second sentence, or choose another start.",
            field="begin_from",
        )
    pictures = place.concepts.pictures(found.placeholder[1:-1])
    if not pictures:
        raise RequestError(
            f"No picture of {found.placeholder} is kept that shows where it is.",
            "Learn it again with masks or cut-outs, or choose another start.",
            field="begin_from",
        )
    return found, pictures
