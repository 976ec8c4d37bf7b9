"""Remember a photo ahead of time, and say how well it can be reproduced."""

from __future__ import annotations

import time

from torch import Tensor

from palimpsest.contract import InvertRequest
from palimpsest.core.editing.edit import reproduce
from palimpsest.core.inversion import Inversion
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import Text, noticed
from palimpsest.jobs.events import Events, Finished
from palimpsest.tasks.canvas import Canvas, View, model_png, open_canvas, psnr
from palimpsest.tasks.context import TaskContext, model_identity
from palimpsest.tasks.inversions import inversion_phases, load_or_invert, with_defaults
from palimpsest.tasks.progress import PhaseTimer, memory_errors, with_progress

EVALUATIONS = 4.0  # per step of the reconstruction


def invert(context: TaskContext, request: InvertRequest) -> Events[None]:
    """Artifacts: reconstruction, the photo as it comes back with the guidance that editing uses."""
    started = time.monotonic()
    yield from context.load(request.model)
    model = context.models.get(request.model)
    settings = with_defaults(request.inversion, model)
    canvas = open_canvas(
        context, model, View(request.image, request.selection, request.context, settings.working_size)
    )
    width, height = canvas.working_size
    wording = Text("what-inverting", width=width, height=height), Text("lower-size-option")
    with (
        memory_errors(context.device, *wording),
        concepts_installed(model, context.concepts_in(request.source_prompt)) as vocabulary,
    ):
        source = vocabulary.parse(request.source_prompt)
        assert settings.steps is not None
        timer = PhaseTimer({**inversion_phases(settings), "editing": (settings.steps, EVALUATIONS)})
        photo = yield from load_or_invert(context, canvas, vocabulary, source, settings, timer)
        inversion, known = photo.inversion, photo.remembered
        again = yield from reconstructed(canvas, vocabulary, source, inversion, timer)
        picture = canvas.decoded(again)
        artifacts = {"reconstruction": context.images.put(model_png(picture))}
        result = {
            "reconstruction_psnr": canvas.psnr(picture),
            "roundtrip_psnr": canvas.psnr(canvas.roundtrip),  # the best the autoencoder can reproduce
            "fidelity_psnr": psnr(picture, canvas.roundtrip),  # leaving its loss out
            "remembered": known,
            "method": inversion.method,
            "steps": inversion.steps,
            "guidance": inversion.guidance,
            "unet_evaluations": 0 if known else inversion.evaluations,
            **noticed(
                *context.notices(model, request.source_prompt), *canvas.picture.notices, *photo.notices
            ),
            "model": model_identity(model),
            "seconds": round(time.monotonic() - started, 3),
        }
    yield Finished(artifacts, result)


def reconstructed(
    canvas: Canvas, vocabulary: Vocabulary, source: Prompt, inversion: Inversion, timer: PhaseTimer
) -> Events[Tensor]:
    """The photo's latent as an edit's source branch reproduces it (1, c, h, w); nothing is edited."""
    if not inversion.source_moves:  # it is put on the stored path
        return inversion.source(0)
    edited = yield from with_progress(reproduce(canvas.model, vocabulary, inversion, source), timer)
    return edited.source
