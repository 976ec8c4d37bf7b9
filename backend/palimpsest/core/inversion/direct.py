"""Direct inversion (Ju et al. 2023, PnP Inversion): keep the pivots, and put them back.

The published method adds z*_{t-1} - D(z̃_t) to the source branch at each sampling step. That sum is
z*_{t-1} itself, so it is enough to copy the stored pivot into the source branch: no evaluation of the
network beyond DDIM inversion's own. The copying is done in ``core/editing/sampling.py``.

A consistency model's sampler takes ẑ_0 at each level and noises it anew for the next (Song et al. 2023,
algorithm 1; Luo et al. 2023). There is nothing to invert: the pivots are the photo noised to each level by a
noise of that level's own, and a target's steps take the same ones. So where a target's ẑ_0 is the photo, it
is on the photo's path.
"""

from __future__ import annotations

import torch
from torch import Tensor

from palimpsest.core.inversion.ddim import ddim_inversion
from palimpsest.core.inversion.method import Found, Method, Photo
from palimpsest.core.process import Level, Process, consistency_step, noised, step
from palimpsest.core.steps import Steps


class Direct(Method):
    """Exact by construction, z_0 being the photo's latent."""

    recorded = True

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        if photo.model.sampler == "consistency":
            return _noised(photo)
        return Found((yield from ddim_inversion(photo)))

    def step(
        self, process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if noise is None:
            return step(process, z, prediction, level, to)
        return consistency_step(process, z, prediction, level, to, noise)


def _noised(photo: Photo) -> Found:
    """A level's noise is the same however many there are."""
    z0, process, generator = photo.pivots[0], photo.model.process, torch.Generator().manual_seed(0)
    upwards = photo.levels[::-1][: photo.reach]
    draws = [torch.randn(z0.shape, generator=generator).to(z0) for _ in upwards]
    pivots = [noised(process, z0, noise, level) for noise, level in zip(draws, upwards, strict=True)]
    # The step to the clean level adds none; the others add that of the level they lead to.
    noises = [torch.zeros_like(z0), *draws[:-1]] if draws else []
    return Found(torch.stack([z0, *pivots]), noises=torch.stack(noises) if noises else z0[None][:0])


METHOD = Direct()
