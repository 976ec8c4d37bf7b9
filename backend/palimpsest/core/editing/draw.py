"""A picture from words alone: DDIM with classifier-free guidance (Ho & Salimans 2022).

Concepts learned with detail have their adapters where their word is written: in the conditional rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from palimpsest.core.adapters import adapted
from palimpsest.core.model import Conditioning, DiffusionModel
from palimpsest.core.schedule import ddim, pairs, predict_z0, timesteps
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import Prompt, Vocabulary


def draw(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    prompts: Sequence[Prompt],
    z: Tensor,
    guidance: float,
    steps: int,
) -> Steps[Tensor]:
    """z_T to z_0, both (prompts, c, h, w); one step per two evaluations of the UNet's batch."""
    size = (z.shape[-2] * model.stride, z.shape[-1] * model.stride)
    with torch.no_grad():  # also while a concept's rows are being learned
        null = vocabulary.null(size).expand(len(prompts))
        both = Conditioning.cat([null, vocabulary.encode(prompts, size)])
    with adapted(model.unet, vocabulary.adaptation()) as adaptation:
        adaptation.begin(vocabulary.adapting(prompts, first=len(prompts)))
        for index, (t, t_prev) in enumerate(pairs(timesteps(model.noise, steps))):
            eps = _guided(model, z, t, both, guidance)
            z0, z = predict_z0(model.noise, z, eps, t), ddim(model.noise, z, eps, t, t_prev)
            yield Step("draw", index + 1, steps, z0=z0)
    return z


@torch.no_grad()
def _guided(model: DiffusionModel, z: Tensor, t: int, both: Conditioning, guidance: float) -> Tensor:
    null, text = model.eps(torch.cat([z, z]), t, both).chunk(2)
    return null + guidance * (text - null)


def start_noise(model: DiffusionModel, seed: int) -> Tensor:
    """Standard normal noise of one picture at native size, (1, c, h, w); the same on every device."""
    side = model.native_size // model.stride
    shape = (1, int(model.unet.config.in_channels), side, side)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device)
