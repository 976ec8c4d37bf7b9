"""Where a word looks: its cross-attention map, summed over its tokens, averaged over heads, layers, steps.

Prompt-to-Prompt, 3.1 and figure 4. The resolution is chosen from the levels that the network has: the
papers' 16 x 16 of a 64 x 64 latent, unless the model says that its words show best at another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.core.networks import Network, Size
from palimpsest.core.text.tokens import Prompt


@dataclass(frozen=True)
class Levels:
    """The resolutions at which a network attends, for one latent size.

    Attention layers see pixels in a row; ``size_of`` gives back height and width, never √pixels.
    """

    latent: Size
    sizes: tuple[Size, ...]  # per halving of the latent, finest first
    cross: frozenset[Size]  # those with cross-attention
    map_side: int = 16  # cells of the longer side that a word's map should at least have

    @staticmethod
    def of(network: Network, latent: Size, map_side: int = 16) -> Levels:
        sizes = network.grids(latent)
        cross = {sizes[site.halvings] for site in network.sites.values() if site.kind == "cross"}
        return Levels(latent, sizes, frozenset(cross), map_side)

    def size_of(self, pixels: int) -> Size:
        return next(size for size in self.sizes if size[0] * size[1] == pixels)

    def share(self, pixels: int) -> float:
        """A layer's pixels as a fraction of the latent's cells."""
        return pixels / (self.latent[0] * self.latent[1])

    @property
    def map_size(self) -> Size:
        """The coarsest cross-attention level with a side of ``map_side`` cells, else the finest one."""
        enough = [size for size in self.cross if max(size) >= self.map_side]
        return min(enough) if enough else max(self.cross)


def cells_of(region: Tensor, size: Size) -> Tensor:
    """The cells of a layer that a latent region (1, 1, h, w) touches, (pixels,) of bool."""
    return F.adaptive_max_pool2d(region.float(), size).flatten() > 0.5


Sum = tuple[Tensor | None, int]
"""Of some words' maps, (words, height, width), and of how many layers; None before the first."""


class WordMaps:
    """Running sums of some words' maps at one resolution, for one prompt of the batch."""

    def __init__(self, prompt: Prompt, words: Sequence[str], size: Size) -> None:
        self.words = tuple(words)
        self.size = size
        self.columns = torch.zeros(prompt.length, len(self.words))
        for i, word in enumerate(self.words):
            self.columns[list(prompt.span_of(word)), i] = 1
        self.sum: Sum = (None, 0)

    def add(self, probabilities: Tensor) -> None:
        """One layer's maps of one step. ``probabilities``: (heads, pixels, tokens)."""
        seen = probabilities.mean(0) @ self.columns.to(probabilities)  # (pixels, words)
        maps = seen.T.reshape(len(self.words), *self.size)
        total, layers = self.sum
        self.sum = (maps if total is None else total + maps, layers + 1)

    @property
    def mean(self) -> Tensor:
        """(words, height, width), attention probabilities; zero before anything was seen."""
        total, layers = self.sum
        return torch.zeros(len(self.words), *self.size) if total is None else total / layers

    def normalised(self, size: Size | None = None) -> Mapping[str, Tensor]:
        """Each word's map as (height, width) in [0, 1], its least value 0 and its greatest 1.

        ``size`` enlarges it smoothly. A map without any contrast is all 0.
        """
        maps = self.mean
        if size is not None:
            maps = F.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]
        return {word: stretch(maps[i]) for i, word in enumerate(self.words)}


def stretch(values: Tensor) -> Tensor:
    """To [0, 1]; all 0 if constant."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else torch.zeros_like(values)


def otsu(grey: NDArray[np.uint8], black: int = 0) -> int:
    """The level that best parts dark from bright (Otsu 1979): most variance between the two classes.

    ``black``: how many further pixels of level 0 there are.
    """
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    counts[0] += black
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * np.arange(256))
    valid = (below > 0) & (above > 0)
    if not valid.any():
        return 0
    means = sums[valid] / below[valid], (sums[-1] - sums[valid]) / above[valid]
    between = below[valid] * above[valid] * (means[0] - means[1]) ** 2
    return int(np.flatnonzero(valid)[int(np.argmax(between))])
