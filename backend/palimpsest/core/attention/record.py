"""The photo's queries and keys, kept from one evaluation of the network for every edit of it.

A target attends as the photo does by the photo's queries and keys. DDIM inversion has evaluated the photo at
every noise level already, with the same words: ε(z*_{t-1}, t, C), on its way from the pivot z*_{t-1} to
z*_t. What its attention layers saw then is what an edit takes from it, so the photo needs no row in the
edit's batches. Where a level isn't kept, it is evaluated again, alone as it was then: the bytes are the same.
"""

from __future__ import annotations

from torch import Tensor

from palimpsest.core.attention.fused import Fused
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level

LIMIT = 2 << 30
"""Bytes of main memory for one photo."""

Looked = tuple[Tensor, Tensor]
"""Queries and keys of one layer, (1, heads, pixels, width) and (1, heads, tokens or pixels, width)."""
Layers = tuple[Looked, ...]
"""Those of every attention layer, in the order in which the network comes to them."""


class Record:
    """``Layers`` by noise level, at most ``limit`` bytes; those of the cleanest levels go first, where edits
    take the least from the photo."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._kept: dict[Level, Layers] = {}

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(_size(layers) for layers in self._kept.values())

    def get(self, level: Level) -> Layers | None:
        return self._kept.get(level)

    def keep(self, level: Level, layers: Layers) -> None:
        """As far as there is room. Their copies are in main memory."""
        room = self.limit - self.size - _size(layers)
        for cleanest in sorted(self._kept):
            if room >= 0 or cleanest > level:
                break
            room += _size(self._kept.pop(cleanest))
        if room >= 0:
            self._kept[level] = tuple((_stored(q), _stored(k)) for q, k in layers)


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


def _size(layers: Layers) -> int:
    return sum(tensor.nbytes for looked in layers for tensor in looked)


def _stored(tensor: Tensor) -> Tensor:
    """In main memory. From a card without waiting: only work that this card does later reads it."""
    if tensor.device.type == "cpu":
        return tensor
    if tensor.device.type != "cuda":
        return tensor.cpu()
    there = tensor.new_empty(tensor.shape, device="cpu", pin_memory=True)
    return there.copy_(tensor, non_blocking=True)
