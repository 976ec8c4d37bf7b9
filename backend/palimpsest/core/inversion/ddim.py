"""DDIM inversion (Song et al. 2021; Dhariwal & Nichol 2021, app. F): the sampler run backwards.

At guidance 1, as Null-text Inversion (Mokady et al. 2022, 3.1) asks of its pivots. The noise at the
next level is estimated from the latent of this one, ε(z_t_prev, t): a first-order error, which the
methods beside this file deal with.
"""

from __future__ import annotations

import torch
from torch import Tensor

from palimpsest.core.attention.record import look, recorded_levels
from palimpsest.core.inversion.method import Found, Method, Photo
from palimpsest.core.process import Level, move, pairs
from palimpsest.core.steps import Step, Steps


def ddim_inversion(photo: Photo) -> Steps[Tensor]:
    """From the noisiest pivot that is known to the ``photo.reach``-th: all of them, z_0 first,
    (reach + 1, 1, c, h, w) float32."""
    pivots, kept = list(photo.pivots), frozenset[Level]()
    if photo.record is not None:
        tokens, size = photo.cond.context.shape[1], (pivots[0].shape[-2], pivots[0].shape[-1])
        kept = recorded_levels(photo.model.network, size, tokens, photo.levels)
    known = len(pivots) - 1
    upwards = pairs(photo.model.process, photo.levels)[::-1]
    for index, (level, cleaner) in enumerate(upwards[known : photo.reach], start=1):
        z, preview = _step(photo, pivots[-1], level, cleaner, level in kept)
        pivots.append(z)
        yield Step("invert", index, photo.reach - known, z0=preview)
    return torch.stack(pivots)


@torch.no_grad()
def _step(photo: Photo, z: Tensor, level: Level, cleaner: Level, recorded: bool) -> tuple[Tensor, Tensor]:
    process = photo.model.process
    if photo.record is not None and recorded:
        prediction, layers = look(photo.model, z, level, photo.cond)
        photo.record.keep(level, layers)
    else:
        prediction = photo.model.predict(z, level, photo.cond)
    there = move(process, z, prediction, cleaner, level)
    return there, process.split(there, prediction, level)[0]


class Ddim(Method):
    """An edit samples the photo's branch anew from z_T, and with guidance it leaves the pivots."""

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        return Found((yield from ddim_inversion(photo)))


METHOD = Ddim()
