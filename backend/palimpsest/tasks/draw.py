"""Draw a picture from words alone, at the model's native size."""

from __future__ import annotations

from dataclasses import replace

from palimpsest import contract
from palimpsest.contract import DrawRequest
from palimpsest.core.editing.draw import draw as drawing
from palimpsest.core.editing.draw import start_noise
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import Text, noticed
from palimpsest.jobs.events import Events, Finished
from palimpsest.storage.png import encode
from palimpsest.tasks import validation
from palimpsest.tasks.context import TaskContext, model_identity
from palimpsest.tasks.inversions import concept_hashes
from palimpsest.tasks.progress import PhaseTimer, Preview, memory_errors, to_pixels, with_progress
from palimpsest.tasks.recipe import recipe_loras


def draw(context: TaskContext, request: DrawRequest) -> Events[None]:
    """Artifact: picture (RGB, 8 bits, the model's native size). The same request gives the same bytes."""
    concepts = context.concepts_in(request.prompt)  # what is missing is known before anything is loaded
    validation.require_valid(request)
    loras = context.loras_of(request.model, request.loras)
    yield from context.load(request.model)
    model = context.models.get(request.model)
    steps = model.steps if request.steps is None else request.steps
    guidance = model.guidance if request.guidance is None else request.guidance
    side, preview = model.native_size, Preview(model, context.images, context.previews)
    what = Text("what-drawing", width=side, height=side)
    with (
        memory_errors(context.device, what, Text("close-or-draw-on-cpu")),
        concepts_installed(model, concepts, loras) as vocabulary,
    ):
        prompt, noise = vocabulary.parse(request.prompt), start_noise(model, request.seed)
        sampling = drawing(model, vocabulary, [prompt], noise, guidance, steps)
        z0 = yield from with_progress(sampling, PhaseTimer({"sampling": (steps, 1.0)}), preview)
        picture = to_pixels(model.decode(z0))
    result = {
        "size": [side, side],
        "request": contract.to_json(replace(request, steps=steps, guidance=guidance)),
        "concepts": {concept.placeholder: concept_hashes(concept) for concept in concepts},
        **recipe_loras(loras),
        **noticed(*context.notices(model, request.prompt)),
        "model": model_identity(model),
    }
    yield Finished({"picture": context.images.put(encode(picture))}, result)
