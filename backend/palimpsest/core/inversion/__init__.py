"""Make a photo reproducible: one interface, one file per method."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from palimpsest.core.count import counted
from palimpsest.core.inversion.ddim import ddim_inversion
from palimpsest.core.inversion.direct import direct_inversion
from palimpsest.core.inversion.null_text import NullTextSettings, optimise_nulls
from palimpsest.core.inversion.result import METHODS, Inversion
from palimpsest.core.model import DiffusionModel
from palimpsest.core.schedule import timesteps
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import RequestError

__all__ = ["METHODS", "Inversion", "InvertSettings", "NullTextSettings", "invert", "picture_size"]


@dataclass(frozen=True)
class InvertSettings:
    """``None`` = the model's recommendation. ``guidance`` is the one that editing will use."""

    method: str = "direct"
    steps: int | None = None
    guidance: float | None = None
    null_text: NullTextSettings = field(default_factory=NullTextSettings)


def invert(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    z0: Tensor,
    source: Prompt,
    settings: InvertSettings | None = None,
) -> Steps[Inversion]:
    """Invert the photo whose latent is ``z0`` (1, c, h, w) and whose caption is ``source``.

    "ddim" and "direct" cost one evaluation per step and differ in how an edit uses them; "null-text"
    adds 3 to 2 + 10·(forward and backward) per step.
    """
    chosen = InvertSettings() if settings is None else settings
    _refuse(chosen)
    guidance = model.guidance if chosen.guidance is None else chosen.guidance
    levels = timesteps(model.noise, model.steps if chosen.steps is None else chosen.steps)
    z0 = z0.detach().to(model.device, torch.float32)
    size = picture_size(model, z0)
    cond, null = vocabulary.encode([source], size), vocabulary.null(size)
    with counted(model) as count:
        method = direct_inversion if chosen.method == "direct" else ddim_inversion
        pivots = yield from method(model, z0, cond, levels)
        nulls = None
        if chosen.method == "null-text":
            nulls = yield from optimise_nulls(model, pivots, cond, null, levels, guidance, chosen.null_text)
    return Inversion(
        pivots, levels, chosen.method, guidance, source.text, nulls, unet_evaluations=count.evaluations
    )


def picture_size(model: DiffusionModel, z: Tensor) -> tuple[int, int]:
    """Height and width in pixels of the picture that a latent stands for."""
    return z.shape[-2] * model.stride, z.shape[-1] * model.stride


def _refuse(settings: InvertSettings) -> None:
    if settings.method not in METHODS:
        raise RequestError(
            f"There is no inversion method {settings.method!r}.", f"Known: {', '.join(METHODS)}."
        )
    if settings.null_text.inner_steps < 0:
        raise RequestError(f"{settings.null_text.inner_steps} inner steps were asked for.", "0 or more.")
