"""Virtual inversion (Xu et al. 2024, InfEdit): the photo's own error at each level, taken from the targets.

The photo is noised to every level by a fresh noise, as in ``edit_friendly.py``. How wrong the network's ẑ_0
of it is, is known, since z_0 is, and it is thought to be as wrong of a target:

    ẑ'_0 = z_0 + (x'_t - x_t - b·(ε' - ε)) / a,    x'_{t-1} = a'·ẑ'_0 + b'·n

with the photo's own n at the next level: a sampler that renews all of the noise (Song et al. 2021, eq. 12
with σ = b'). That is x_{t-1} - a'·ẑ_0(x_t) for each step of a target to add. As published the photo isn't
guided; so that the same words give it back, guidance leads away from its caption.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from palimpsest.core.inversion.edit_friendly import EditFriendly
from palimpsest.core.inversion.method import Cost, Photo
from palimpsest.core.process import Level, Process


class Virtual(EditFriendly):
    """One evaluation per level, none of which waits for another."""

    def cost(self, constants: None) -> Mapping[str, Cost]:
        return {"invert": Cost(forward=1)}

    @torch.no_grad()
    def _predicted(self, photo: Photo, z: Tensor, level: Level) -> Tensor:
        return photo.model.predict(z, level, photo.cond)

    def _mean(
        self, process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level
    ) -> tuple[Tensor, Tensor]:
        z0 = process.split(z, prediction, level)[0]
        return process.scales(to)[0] * z0, z0


METHOD = Virtual()
