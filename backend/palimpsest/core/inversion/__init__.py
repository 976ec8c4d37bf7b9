"""Make a photo reproducible: one interface, one file per method."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.attention.record import Record
from palimpsest.core.count import counted
from palimpsest.core.inversion.method import Method, Photo
from palimpsest.core.inversion.result import Inversion
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import RequestError
from palimpsest_client.methods import METHODS, RECOMMENDED

__all__ = ["Inversion", "InvertSettings", "invert", "method_named", "picture_size", "reach_of"]


@dataclass(frozen=True)
class InvertSettings:
    """``None`` = the model's recommendation. ``guidance`` is the one that editing will use."""

    method: str = RECOMMENDED
    steps: int | None = None
    guidance: float | None = None
    constants: Any = None  # of the method's own kind; None = as published


def invert(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    z0: Tensor,
    source: Prompt,
    settings: InvertSettings | None = None,
    reach: int | None = None,
    known: Inversion | None = None,
    record: Record | None = None,
) -> Steps[Inversion]:
    """Invert the photo whose latent is ``z0`` (1, c, h, w) and whose caption is ``source``.

    ``reach``: how many noise levels from the clean end are needed at least, None = all. ``known``: an
    inversion of the same photo, caption and settings that reaches less far; it is gone on with, and what
    comes out is the same. ``record``: keeps what edits take from the photo's attention, if the method is one
    of which they take it so.

    What a level costs, ``Method.cost`` says. Raises RequestError for an unknown method or steps that can't
    be.
    """
    chosen = InvertSettings() if settings is None else settings
    method = method_named(chosen.method)
    guidance = model.guidance if chosen.guidance is None else chosen.guidance
    levels = model.process.levels(model.steps if chosen.steps is None else chosen.steps)
    z0 = z0.detach().to(model.device, torch.float32)
    pivots = z0[None] if known is None else known.latents.to(z0)
    size = picture_size(model, z0)
    cond, null = vocabulary.encode([source], size), vocabulary.null(size)
    wanted = reach_of(chosen.method, reach, len(levels))
    kept = record if method.recorded else None
    noises = None if known is None or known.noises is None else known.noises.to(z0)
    photo = Photo(model, pivots, cond, null, levels, guidance, wanted, kept, noises)
    with counted(model) as count:
        found = yield from method.invert(photo, chosen.constants)
    return Inversion(
        found.pivots,
        levels,
        chosen.method,
        guidance,
        source.text,
        found.nulls,
        found.path,
        found.noises,
        count.evaluations,
    )


def reach_of(method: str, wanted: int | None, steps: int) -> int:
    """How far an inversion goes for an edit that needs the ``wanted`` cleanest levels (None: all)."""
    return steps if wanted is None or method_named(method).whole else wanted


def method_named(name: str) -> Method:
    """``METHOD`` of the file that is called as the method is. Raises RequestError for an unknown one."""
    if name not in METHODS:
        raise RequestError(f"There is no inversion method {name!r}.", f"Known: {', '.join(METHODS)}.")
    found = import_module(f"{__name__}.{name.replace('-', '_')}").METHOD
    assert isinstance(found, Method), name
    return found


def picture_size(model: DiffusionModel, z: Tensor) -> tuple[int, int]:
    """Height and width in pixels of the picture that a latent stands for."""
    return z.shape[-2] * model.stride, z.shape[-1] * model.stride
