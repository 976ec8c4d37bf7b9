"""The colours of a style, as mean and deviation of the latents of its pictures, channel by channel.

Two normal distributions are carried into each other by an affine map, the optimal transport between them
(per channel, as in Reinhard et al. 2001 and AdaIN, Huang & Belongie 2017). Here the first one is that of
all photos, not of the one that is edited: a style that keeps the colours of things, like embroidery, has
nearly the same statistics as photos have, so it leaves a photo as it is; one that has colours of its
own, like a blueprint, has others, whatever it shows.

Of a few pictures what they happen to show has a part in the statistics. How large that part is, their
differences tell, and by that much the statistics are shrunk to those of photos (James & Stein 1961).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Colours:
    """``mean`` and ``deviation`` of each channel of the latents: float32, (channels,)."""

    mean: Tensor
    deviation: Tensor

    @staticmethod
    def of(latents: Sequence[Tensor]) -> Colours:
        """``latents``: of two or more pictures, (channels, h, w) each, of any sizes."""
        pictures = [z.flatten(1) for z in latents]
        cells = torch.cat(pictures, dim=1)
        means = torch.stack([picture.mean(dim=1) for picture in pictures])
        spreads = torch.stack([picture.std(dim=1) for picture in pictures]).log()
        return Colours(_shrunk(cells.mean(dim=1), means), _shrunk(cells.std(dim=1).log(), spreads).exp())

    @property
    def stacked(self) -> Tensor:
        """(2, channels), on the processor."""
        return torch.stack([self.mean, self.deviation]).float().cpu()

    def given_to(self, z0: Tensor) -> Tensor:
        """The photo ``z0`` (n, channels, h, w) in these colours, where the model's ``standard_latents``
        hold: each channel of photos has mean 0 and deviation 1."""
        mean, deviation = (part.to(z0)[:, None, None] for part in (self.mean, self.deviation))
        return mean + deviation * z0


def _shrunk(estimate: Tensor, each: Tensor) -> Tensor:
    """The positive part of James and Stein's estimator: ``estimate`` (channels,) towards nil, the more the
    further apart the pictures are, ``each`` (pictures, channels)."""
    error = each.var(dim=0).sum() / len(each)
    return estimate * (1 - error / estimate.square().sum()).clamp(min=0)
