"""The photo's queries and keys, kept from one evaluation of the network for every edit of it.

A target attends as the photo does by the photo's queries and keys. DDIM inversion has evaluated the photo at
every noise level already, with the same words: ε(z*_{t-1}, t, C), on its way from the pivot z*_{t-1} to
z*_t. What its attention layers saw then is what an edit takes from it, so the photo needs no row in the
edit's batches. A level that isn't in memory any more is evaluated again, alone as it was then: the bytes are
the same. At levels for which there is no room the photo has its row, with the same pivot.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from palimpsest.core.attention.fused import Fused
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.model import DiffusionModel
from palimpsest.core.networks import Network, Size
from palimpsest.core.process import Level

LIMIT = 2 << 30
"""Bytes of main memory for one photo."""

Looked = tuple[Tensor, Tensor]
"""Queries and keys of one layer, (1, heads, pixels, width) and (1, heads, tokens or pixels, width)."""
Layers = tuple[Looked, ...]
"""Those of every attention layer, in the order in which the network comes to them."""


class Record:
    """``Layers`` by noise level, in main memory; each level is one tensor there, for a card is asked once."""

    def __init__(self) -> None:
        self._kept: dict[Level, tuple[Tensor, list[torch.Size]]] = {}

    def get(self, level: Level, device: torch.device) -> Layers | None:
        if level not in self._kept:
            return None
        numbers, shapes = self._kept[level]
        parts = numbers.to(device).split([shape.numel() for shape in shapes])
        tensors = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
        return tuple(zip(tensors[::2], tensors[1::2], strict=True))

    def keep(self, level: Level, layers: Layers) -> None:
        tensors = [tensor for looked in layers for tensor in looked]
        numbers = torch.cat([tensor.reshape(-1) for tensor in tensors]).cpu()
        self._kept[level] = numbers, [tensor.shape for tensor in tensors]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(numbers.nbytes for numbers, _ in self._kept.values())


def recorded_levels(
    network: Network, latent: Size, tokens: int, levels: Sequence[Level], limit: int = LIMIT
) -> frozenset[Level]:
    """Those of ``levels``, noisiest first, that a record keeps: as many as fit into ``limit`` bytes, from the
    noisiest, where edits take the most from the photo. They follow from shapes alone, so that hot and cold
    edits go the same way."""
    return frozenset(levels[: limit // _level_size(network, latent, tokens)])


def _level_size(network: Network, latent: Size, tokens: int) -> int:
    """Bytes of one level's ``Layers``."""
    numbers = 0
    for site in network.sites.values():
        height, width = network.grids(latent)[site.halvings]
        keys = tokens if site.kind == "cross" else height * width
        numbers += (height * width + keys) * site.module.to_q.out_features
    return numbers * network.dtype.itemsize


def look(model: DiffusionModel, z: Tensor, level: Level, conditioning: Conditioning) -> tuple[Tensor, Layers]:
    """What the model predicts of ``z`` (1, c, h, w), and what its attention layers saw."""
    seen = _Seen()
    with model.network.attending(seen):
        predicted = model.predict(z, level, conditioning)
    return predicted, tuple(seen.layers)


class _Seen:
    """Plain attention that keeps queries and keys."""

    def __init__(self) -> None:
        self.layers: list[Looked] = []
        self._fused = Fused()

    def cross(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        self.layers.append((q.detach(), k.detach()))
        return self._fused.attend(q, k, v, scale)

    def self_attention(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        return self.cross(q, k, v, scale)
