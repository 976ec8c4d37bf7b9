"""Where each step of an edit led: one that does the same up to some step goes on from there.

A slider that acts late changes late steps alone, and what is drawn as a preview and then applied, or lies
under another soft edge, is sampled once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from palimpsest.core.attention.maps import Sum

Facts = tuple[Any, ...]
"""Tensors, numbers, words, None, and tuples of them."""


class Reached(NamedTuple):
    """What later steps need of those before them."""

    latents: Tensor  # (targets, c, h, w)
    sums: tuple[Sum, ...]  # of the words' maps that are read, in the order of ``AttentionControl.stores``


@dataclass(frozen=True)
class Trajectory:
    """Holds neither the model nor anything else that is large."""

    begun: Facts  # all that decides every step
    steps: tuple[Facts, ...]  # what decides each step besides
    reached: tuple[Reached, ...] = ()  # after each step

    def shared(self, before: Trajectory | None) -> tuple[Reached, ...]:
        """What the first steps reached, as far as ``before`` did the same."""
        if before is None or not alike(self.begun, before.begun):
            return ()
        number = 0
        for own, other in zip(self.steps, before.steps, strict=False):
            if number == len(before.reached) or not alike(own, other):
                break
            number += 1
        return before.reached[:number]

    @property
    def size(self) -> int:
        """Bytes of memory that its tensors hold; what several share counts once."""
        kept = (tensor.untyped_storage() for tensor in _tensors((self.begun, self.steps, self.reached)))
        return sum({storage.data_ptr(): storage.nbytes() for storage in kept}.values())


def _tensors(facts: Any) -> Iterator[Tensor]:
    if isinstance(facts, Tensor):
        yield facts
    elif isinstance(facts, tuple):
        for part in facts:
            yield from _tensors(part)


def alike(a: Any, b: Any) -> bool:
    """To the last bit."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(alike(one, other) for one, other in zip(a, b, strict=True))
    return type(a) is type(b) and not isinstance(a, Tensor) and bool(a == b)
