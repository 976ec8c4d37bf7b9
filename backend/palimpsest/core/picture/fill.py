"""What a region would hold if its surroundings went on: a harmonic fill of the latent."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

KERNEL = 3


def harmonic_fill(z: Tensor, region: Tensor, rounds: int = 200) -> Tensor:
    """``z`` (1, c, h, w) with ``region`` (1, 1, h, w; 1 = to fill) grown over from its border inwards,
    then relaxed until each filled cell is about the mean of its neighbours.

    A region that covers everything is filled with the latent's mean.
    """
    inside = region.to(z) > 0
    if bool(inside.all()):
        return z.mean(dim=(-2, -1), keepdim=True).expand_as(z).clone()
    around = _box(inside)  # the rest has no part in it
    whole, z, inside = z, z[around], inside[around]
    filled, known = torch.where(inside, torch.zeros_like(z), z), (~inside).to(z)
    while not bool(known.all()):
        weight = _mean(known)
        grown = _mean(filled * known) / weight.clamp(min=1e-6)
        filled = torch.where(known > 0, filled, torch.where(weight > 0, grown, filled))
        known = (weight > 0).to(z)
    for _ in range(rounds):
        filled = torch.where(inside, _mean(filled), z)
    result = whole.clone()
    result[around] = filled
    return result


def _box(inside: Tensor) -> tuple[slice, ...]:
    """Around what is inside, and the cells next to it; all where nothing is."""
    rows, columns = (torch.nonzero(inside[0, 0].any(dim=dim)).flatten().tolist() for dim in (1, 0))
    if not rows:
        return (slice(None),) * 4
    near = (slice(max(0, found[0] - 1), found[-1] + 2) for found in (rows, columns))
    return (slice(None), slice(None), *near)


def widened(region: Tensor) -> Tensor:
    """The region and the cells next to it: the encoder spreads what lies in the region into them."""
    return F.max_pool2d(region.float(), KERNEL, stride=1, padding=KERNEL // 2)


def _mean(z: Tensor) -> Tensor:
    padded = F.pad(z, (KERNEL // 2,) * 4, mode="replicate")
    return F.avg_pool2d(padded, KERNEL, stride=1)
