"""Prompt-to-Prompt (Hertz et al. 2022): a target's cross-attention made from the source's maps and its own.

Every edit of the paper is linear in the attention columns, one column per token,

    A' = A_src · from_source + A_tgt · diag(own)

so it can be moved onto the values, A'·V_tgt = A_src·(from_source·V_tgt) + A_tgt·(own ⊙ V_tgt), and run on
fused attention without any attention matrix (``fused.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from palimpsest.core.text.alignment import Alignment
from palimpsest.core.text.tokens import Prompt


@dataclass(frozen=True)
class Columns:
    """A' = A_src · from_source + A_tgt · diag(own)."""

    from_source: Tensor  # (source tokens, target tokens)
    own: Tensor  # (target tokens,)

    def scaled(self, factors: Tensor) -> Columns:
        """Every target column times its factor."""
        return Columns(self.from_source * factors, self.own * factors)


class CrossEdit(Protocol):
    """An edit of one target's cross-attention."""

    def columns(self) -> Columns: ...


@dataclass(frozen=True)
class Refine:
    """Replaced and unchanged words take the source's maps (the paper's "Word Swap", A' = A_src·M), inserted
    ones keep their own ("Adding a New Phrase").

    ``keep`` is 1 for a token that takes the source's map and 0 for one that keeps its own.
    """

    mapper: Tensor  # (source tokens, target tokens)
    keep: Tensor  # (target tokens,)

    def columns(self) -> Columns:
        return Columns(self.mapper * self.keep, 1 - self.keep)


@dataclass(frozen=True)
class Reweight:
    """Attention re-weighting on top of another edit: column w times ``equalizer[w]``, as published."""

    base: CrossEdit
    equalizer: Tensor  # (target tokens,)

    def columns(self) -> Columns:
        return self.base.columns().scaled(self.equalizer)


def refine(alignment: Alignment, free: Collection[int] = ()) -> Refine:
    """The general edit: unchanged and replaced words take the source's maps, inserted ones and the ``free``
    tokens their own."""
    keep = torch.ones(alignment.target_length)
    keep[sorted({*alignment.inserted, *free})] = 0
    return Refine(_mapper(alignment), keep)


def reweight(base: CrossEdit, target: Prompt, weights: Mapping[str, float]) -> CrossEdit:
    """``weights``: factor per word of the target; every token of the word's span gets it."""
    if not weights:
        return base
    equalizer = torch.ones(target.length)
    for word, factor in weights.items():
        equalizer[list(target.span_of(word))] = factor
    return Reweight(base, equalizer)


def _mapper(alignment: Alignment) -> Tensor:
    mapper = torch.zeros(alignment.source_length, alignment.target_length)
    for source, target, weight in alignment.entries:
        mapper[source, target] += weight
    return mapper
