"""DDIM inversion (Song et al. 2021; Dhariwal & Nichol 2021, app. F): the sampler run backwards.

At guidance 1, as Null-text Inversion (Mokady et al. 2022, 3.1) asks of its pivots. The noise at the
next level is estimated from the latent of this one, ε(z_t_prev, t): a first-order error, which the
methods beside this file deal with.
"""

from __future__ import annotations

import torch
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.inversion.method import Found, Method, Photo
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, move, pairs
from palimpsest.core.steps import Step, Steps


def ddim_inversion(
    model: DiffusionModel, z0: Tensor, cond: Conditioning, levels: tuple[Level, ...]
) -> Steps[Tensor]:
    """From the photo's latent (1, c, h, w) to the pivots z_0 … z_T, (steps + 1, 1, c, h, w) float32."""
    z = z0.float()
    latents = [z]
    for index, (level, cleaner) in enumerate(reversed(pairs(model.process, levels)), start=1):
        z, preview = _step(model, z, cond, level, cleaner)
        latents.append(z)
        yield Step("invert", index, len(levels), z0=preview)
    return torch.stack(latents)


@torch.no_grad()
def _step(
    model: DiffusionModel, z: Tensor, cond: Conditioning, level: Level, cleaner: Level
) -> tuple[Tensor, Tensor]:
    prediction = model.predict(z, level, cond)
    there = move(model.process, z, prediction, cleaner, level)
    return there, model.process.split(there, prediction, level)[0]


class Ddim(Method):
    """An edit samples the photo's branch anew from z_T, and with guidance it leaves the pivots."""

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        return Found((yield from ddim_inversion(photo.model, photo.z0, photo.cond, photo.levels)))


METHOD = Ddim()
