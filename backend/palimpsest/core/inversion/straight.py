"""No inversion: one remembered noise n leads to every level along a straight line, z_t = a·z_0 + b·n.

n is drawn once, from a fixed seed, and is the same for the photo and for the targets, which begin at z_T.
The photo's branch is put on the line, so that the photo comes back to the last bit; the network has no part
in it, and a target knows of the photo only what attention control shows it.
"""

from __future__ import annotations

import torch

from palimpsest.core.inversion.method import Cost, Found, Method, Photo
from palimpsest.core.process import noised
from palimpsest.core.steps import Steps


class Straight(Method):
    """Each level is known without the others."""

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        z0 = photo.pivots[0]
        noise = torch.randn(z0.shape, generator=torch.Generator().manual_seed(0)).to(z0)
        upwards = photo.levels[::-1][: photo.reach]
        yield from ()
        return Found(torch.stack([z0, *(noised(photo.model.process, z0, noise, level) for level in upwards)]))

    def cost(self, constants: None) -> dict[str, Cost]:
        return {"invert": Cost(forward=0)}


METHOD = Straight()
