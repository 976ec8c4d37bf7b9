"""A picture from words alone: classifier-free guidance (Ho & Salimans 2022) with DDIM, or with
DPM-Solver++ 2M, which needs fewer steps.

Concepts learned with detail have their adapters in the rows of the prompts that name them, a subject in both
of a prompt, a style in the conditional one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from palimpsest.core.adapters import adapted
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, consistency_step, guided, pairs, second_order_step
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import Prompt, Vocabulary

RENEWED = 2_147_483_647
"""The seed of the noise that a consistency model's steps add; no other noise is of it."""


def draw(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    prompts: Sequence[Prompt],
    z: Tensor,
    guidance: float,
    steps: int,
    second_order: bool = False,
) -> Steps[Tensor]:
    """z_T to z_0, both (prompts, c, h, w); one step per two evaluations of the network's batch, or per one of
    a model that is meant to be used without guidance. ``second_order``: not of a consistency model."""
    size = (z.shape[-2] * model.stride, z.shape[-1] * model.stride)
    with torch.no_grad():  # also while a concept's rows are being learned
        null = (
            []
            if _unguided(model, guidance)
            else [vocabulary.null(size, with_loras=True).expand(len(prompts))]
        )
        words = Conditioning.cat([*null, vocabulary.encode(prompts, size, with_loras=True)])
    generator = torch.Generator().manual_seed(RENEWED)
    with adapted(model.network, vocabulary.adaptation()) as adaptation:
        named = vocabulary.adapting(prompts, first=len(prompts) * len(null))
        nulls = vocabulary.adapting_nulls(prompts) if null else [() for _ in named]
        adaptation.begin([(*some, *others) for some, others in zip(nulls, named, strict=True)])
        process, last = model.process, None
        for index, (level, cleaner) in enumerate(pairs(process, process.levels(steps))):
            prediction = _guided(model, z, level, words, guidance)
            if model.sampler == "consistency":
                noise = torch.randn(z[:1].shape, generator=generator).to(z)
                z, z0 = consistency_step(process, z, prediction, level, cleaner, noise)
            else:
                known = last if second_order else None
                z, last = second_order_step(process, z, prediction, level, cleaner, known)
                z0 = last.z0
            yield Step("draw", index + 1, steps, z0=z0)
    return z


def _unguided(model: DiffusionModel, guidance: float) -> bool:
    """Whether nothing is asked about the empty prompt. Of other models it is, also at guidance 1, as it was:
    the same request gives the same bytes."""
    return guidance == model.guidance == 1


@torch.no_grad()
def _guided(model: DiffusionModel, z: Tensor, level: Level, words: Conditioning, guidance: float) -> Tensor:
    if _unguided(model, guidance):
        return model.predict(z, level, words)
    null, text = model.predict(torch.cat([z, z]), level, words).chunk(2)
    return guided(null, text, guidance)


def start_noise(model: DiffusionModel, seed: int) -> Tensor:
    """Standard normal noise of one picture at native size, (1, c, h, w); the same on every device."""
    side = model.native_size // model.stride
    shape = (1, model.network.channels, side, side)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device)
