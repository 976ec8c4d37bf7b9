"""Where in the picture is this word? Its attention map, and a selection made from it."""

from __future__ import annotations

import numpy as np

from palimpsest.contract import AttentionRequest
from palimpsest.core.attention.maps import otsu
from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import Text, noticed
from palimpsest.jobs.events import Events, Finished
from palimpsest.tasks import validation
from palimpsest.tasks.canvas import View, open_canvas
from palimpsest.tasks.context import TaskContext, model_identity
from palimpsest.tasks.progress import PhaseTimer, memory_errors, with_progress


def attention(context: TaskContext, request: AttentionRequest) -> Events[None]:
    """Artifacts: map (grey, the image's size) and selection (0 or 255, by Otsu's threshold)."""
    validation.require_valid(request)
    yield from context.load(request.model)
    model = context.models.get(request.model)
    view = View(request.image, request.selection, request.context, request.inversion.working_size)
    canvas = open_canvas(context, model, view)
    width, height = canvas.working_size
    with (
        memory_errors(context.device, Text("what-looking", width=width, height=height), Text("lower-size")),
        concepts_installed(model, context.concepts_in(request.source_prompt)) as vocabulary,
    ):
        source = vocabulary.parse(request.source_prompt)
        states = noised_states(model, canvas.z0)
        steps = probe(model, vocabulary, source, [request.word], states)
        maps = yield from with_progress(steps, PhaseTimer({"looking": (len(states), 1.0)}))
    grey = canvas.grey(maps[request.word])
    pixels = canvas.whole.size[0] * canvas.whole.size[1]
    threshold = otsu(grey, black=pixels - grey.size)
    selection = np.where(grey > threshold, np.uint8(255), np.uint8(0))
    artifacts = {
        "map": context.images.put(canvas.grey_png(grey)),
        "selection": context.images.put(canvas.grey_png(selection)),
    }
    share = np.count_nonzero(selection) / pixels
    result = {"word": request.word, "threshold": threshold, "selected": round(share, 4)}
    notices = noticed(*context.notices(model, request.source_prompt), *canvas.picture.notices)
    yield Finished(artifacts, {**result, **notices, "model": model_identity(model)})
