"""Fixed-point inversion (Pan et al. 2023; Garibi et al. 2024, ReNoise): pivots without DDIM's error.

A sampling step from z_t meets z_{t-1} where z_t = D⁻¹(z_{t-1}, ε(z_t, t)). DDIM inversion asks for ε at
z_{t-1} instead; here its z_t is the first guess, and what the network says there gives the next one. ReNoise
does so once per step on models that sample in many; nothing is averaged, nor is the noise regularised, which
the paper does for few-step models.

As in direct inversion the pivots are put back into the photo's branch.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from palimpsest.core.inversion.method import Cost, Found, Method, Photo
from palimpsest.core.process import Level, move, pairs
from palimpsest.core.steps import Step, Steps

ITERATIONS = 1  # after the first guess


@torch.no_grad()
def _step(photo: Photo, below: Tensor, level: Level, cleaner: Level) -> tuple[Tensor, Tensor]:
    """The latent at ``level`` from which sampling meets ``below``, and the estimate of z_0 there."""
    process, z = photo.model.process, below
    prediction = below
    for _ in range(1 + ITERATIONS):
        prediction = photo.model.predict(z, level, photo.cond)
        z = move(process, below, prediction, cleaner, level)
    return z, process.split(z, prediction, level)[0]


class FixedPoint(Method):
    """Twice the evaluations of DDIM inversion, for pivots that sampling goes back along."""

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        pivots = list(photo.pivots)
        known = len(pivots) - 1
        upwards = pairs(photo.model.process, photo.levels)[::-1]
        for index, (level, cleaner) in enumerate(upwards[known : photo.reach], start=1):
            z, preview = _step(photo, pivots[-1], level, cleaner)
            pivots.append(z)
            yield Step("invert", index, photo.reach - known, z0=preview)
        return Found(torch.stack(pivots))

    def cost(self, constants: None) -> Mapping[str, Cost]:
        return {"invert": Cost(forward=1 + ITERATIONS)}


METHOD = FixedPoint()
