"""A recipe: everything that decides the bytes of a result, to be kept with it and done again.

It names pictures and concepts by their hashes, holds the request with every default filled in, and says
which model, device and versions made it. Same recipe, same device and versions, same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import palimpsest
from palimpsest import contract
from palimpsest.contract import EditRequest
from palimpsest.core.concept import Concept
from palimpsest.core.lora import Lora
from palimpsest.core.model import DiffusionModel
from palimpsest.tasks.canvas import Canvas
from palimpsest.tasks.context import TaskContext, model_identity
from palimpsest.tasks.differences import differences_between
from palimpsest.tasks.inversions import concept_hashes
from palimpsest.tasks.start import current_views


def recipe_of(
    request: EditRequest, model: DiffusionModel, canvas: Canvas, concepts: Sequence[Concept]
) -> dict[str, Any]:
    """Plain JSON. ``request`` must have its defaults filled in."""
    region = canvas.placed
    return {
        "palimpsest": palimpsest.__version__,
        "engine": contract.ENGINE,
        "kind": "edit",
        "request": contract.to_json(request),
        "model": model_identity(model),
        "concepts": {concept.placeholder: concept_hashes(concept) for concept in concepts},
        "region": {"canvas": list(region.canvas), "box": list(region.box), "work": list(region.work)},
    }


def recipe_loras(loras: Sequence[tuple[Lora, float]]) -> dict[str, Any]:
    """The files' sha256, by name; nothing where there are none."""
    return {"loras": {lora.name: lora.sha256 for lora, _ in loras}} if loras else {}


def differences(recipe: dict[str, Any], context: TaskContext) -> list[str]:
    """What is not as it was when the recipe was made, one sentence each; empty = the same bytes come out."""
    request = contract.request_of(recipe)
    concepts = context.concepts_in(request.source_prompt, request.target_prompt)
    now = {
        "engine": contract.ENGINE,
        "palimpsest": palimpsest.__version__,
        "model": model_identity(context.models.get(request.model)),
        "concepts": {concept.placeholder: concept_hashes(concept) for concept in concepts},
        **current_views(context, request, concepts),
        **recipe_loras(context.loras_of(request.model, request.loras)),
    }
    return differences_between(recipe, now)
