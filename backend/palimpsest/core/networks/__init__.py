"""The network at the heart of a model, as the mathematics sees it: one file per kind of network."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from palimpsest.core.conditioning import Conditioning

Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class Site:
    """An attention layer."""

    module: Any
    kind: str  # "cross": pixels look at words; "self": pixels look at each other
    halvings: int  # how often the latent's sides were halved before it


class Attention(Protocol):
    """What computes attention in place of a network's own: whole batches of (batch, heads, length, width)."""

    def cross(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor: ...

    def self_attention(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor: ...


class Network(Protocol):
    """A frozen network that predicts; it changes only inside a ``with``."""

    @property
    def name(self) -> str:
        """As people call it, in messages."""
        ...

    @property
    def module(self) -> Any:
        """The torch module: its weights, its hooks."""
        ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def channels(self) -> int:
        """Of the latent."""
        ...

    @property
    def native_side(self) -> int:
        """Of the square latents that it was trained on, in cells."""
        ...

    @property
    def granularity(self) -> int:
        """A latent's sides must be multiples of this, in cells."""
        ...

    @property
    def sites(self) -> Mapping[str, Site]:
        """The attention layers by their modules' paths, in order."""
        ...

    @property
    def features(self) -> Any:
        """The module whose output, (batch, channels, h, w), tells things apart (DIFT, Tang et al. 2023)."""
        ...

    def grids(self, latent: Size) -> tuple[Size, ...]:
        """The latent's size after 0, 1, … halvings."""
        ...

    def attending(self, attention: Attention) -> AbstractContextManager[None]:
        """Inside the ``with`` every attention layer asks ``attention``; after it they are as they were."""
        ...

    def __call__(self, z: Tensor, level: float | Tensor, conditioning: Conditioning) -> Tensor:
        """The output for (batch, channels, h, w), float32. ``level``: of all rows, or (batch,)."""
        ...
