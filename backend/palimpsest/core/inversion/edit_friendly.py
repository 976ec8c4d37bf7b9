"""Edit-friendly DDPM inversion (Huberman-Spiegelglas et al. 2024): the noise that DDPM would have needed.

The photo is noised to every level by a noise of that level's own, x_t = a·z_0 + b·n_t, unlike a sampler's
path, whose noises hang together. What the sampler would have had to draw to go from x_t to x_{t-1} is then
known, and is given to the targets, too:

    σ_t·z_t = x_{t-1} - μ(x_t),    x'_{t-1} = μ(x'_t) + σ_t·z_t

with the mean μ and the spread σ of DDPM (Song et al. 2021, eq. 12 with η = 1). With the same words, the photo
comes back exactly. As published, the photo's words are guided less than the targets': 3.5 against 9, where
attention is controlled, too. Where an edit begins says its recipe, not the paper's ``skip``.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from palimpsest.core.inversion.method import Cost, Found, Method, Photo
from palimpsest.core.process import Level, Process, guided, noised, pairs
from palimpsest.core.steps import Step, Steps

SHARE = 3.5 / 9  # of the targets' guidance


class EditFriendly(Method):
    """Two evaluations per level, none of which waits for another."""

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        noises = [] if photo.noises is None else list(photo.noises)
        known, pivots = len(noises), _noised(photo)
        upwards = pairs(photo.model.process, photo.levels)[::-1]
        for index, (level, cleaner) in enumerate(upwards[known : photo.reach]):
            below, z = pivots[known + index], pivots[known + index + 1]
            mean, preview = self._mean(
                photo.model.process, z, self._predicted(photo, z, level), level, cleaner
            )
            noises.append(below - mean)
            yield Step("invert", index + 1, photo.reach - known, z0=preview)
        return Found(pivots, noises=torch.stack(noises) if noises else pivots[:0])

    def step(
        self, process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        assert noise is not None
        mean, z0 = self._mean(process, z, prediction, level, to)
        return mean + noise, z0

    def cost(self, constants: None) -> Mapping[str, Cost]:
        return {"invert": Cost(forward=2)}

    @torch.no_grad()
    def _predicted(self, photo: Photo, z: Tensor, level: Level) -> Tensor:
        """The photo's, guided as it is while its noises are found."""
        null, cond = (photo.model.predict(z, level, words) for words in (photo.null, photo.cond))
        return guided(null, cond, SHARE * photo.guidance)

    def _mean(
        self, process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level
    ) -> tuple[Tensor, Tensor]:
        """μ at the cleaner level ``to``, and ẑ_0."""
        z0, eps = process.split(z, prediction, level)
        (a, b), (a_to, b_to) = process.scales(level), process.scales(to)
        variance = (b_to / b) ** 2 * (b**2 - (a / a_to * b_to) ** 2)
        return a_to * z0 + max(b_to**2 - variance, 0.0) ** 0.5 * eps, z0


def _noised(photo: Photo) -> Tensor:
    """The photo, and it at each level asked for; a level's noise is the same however many there are."""
    z0, generator = photo.pivots[0], torch.Generator().manual_seed(0)
    upwards = photo.levels[::-1][: photo.reach]
    draws = [torch.randn(z0.shape, generator=generator).to(z0) for _ in upwards]
    levels = zip(draws, upwards, strict=True)
    return torch.stack([z0, *(noised(photo.model.process, z0, noise, level) for noise, level in levels)])


METHOD = EditFriendly()
