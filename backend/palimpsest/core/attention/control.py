"""Prompt-to-Prompt (Hertz et al. 2022): what happens to a target's attention at each step.

Every edit of the paper is linear in the attention columns (one column per token), so each is written
twice, side by side: ``edit`` on probability maps as in the paper, and ``columns``, the same edit as

    A' = A_src · from_source + A_tgt · diag(own)

which can be moved onto the values, A'·V_tgt = A_src·(from_source·V_tgt) + A_tgt·(own ⊙ V_tgt), and run
on fused attention without any attention matrix. The fused path uses ``columns``; ``edit`` is the
reference that the tests hold it against.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from palimpsest.core.text.alignment import Alignment
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import RequestError

Window = float | tuple[float, float]
"""A span of the sampling steps: fractions (from, to), or a number f for (0, f). Step 0 is the noisiest."""

WHOLE = (0.0, 1.0)
NEVER = (0.0, 0.0)


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

    def edit(self, a_src: Tensor, a_tgt: Tensor) -> Tensor:
        """The edited maps, from (…, pixels, source tokens) and (…, pixels, target tokens)."""
        ...

    def columns(self) -> Columns: ...


@dataclass(frozen=True)
class Replace:
    """Word swap: all target maps are the source's, A' = A_src·M (the paper's "Word Swap")."""

    mapper: Tensor  # (source tokens, target tokens)

    def edit(self, a_src: Tensor, a_tgt: Tensor) -> Tensor:
        return a_src @ self.mapper.to(a_src)

    def columns(self) -> Columns:
        return Columns(self.mapper, torch.zeros(self.mapper.shape[1]))


@dataclass(frozen=True)
class Refine:
    """New phrase: inserted words keep their own maps (the paper's "Adding a New Phrase").

    ``keep`` is 1 for a token that takes the source's map and 0 for an inserted one.
    """

    mapper: Tensor  # (source tokens, target tokens)
    keep: Tensor  # (target tokens,)

    def edit(self, a_src: Tensor, a_tgt: Tensor) -> Tensor:
        keep = self.keep.to(a_src)
        return (a_src @ self.mapper.to(a_src)) * keep + a_tgt * (1 - keep)

    def columns(self) -> Columns:
        return Columns(self.mapper * self.keep, 1 - self.keep)


@dataclass(frozen=True)
class Reweight:
    """Attention re-weighting on top of another edit: column w times ``equalizer[w]``, as published."""

    base: CrossEdit
    equalizer: Tensor  # (target tokens,)

    def edit(self, a_src: Tensor, a_tgt: Tensor) -> Tensor:
        return self.base.edit(a_src, a_tgt) * self.equalizer.to(a_src)

    def columns(self) -> Columns:
        return self.base.columns().scaled(self.equalizer)


def replace(alignment: Alignment) -> Replace:
    """Raises RequestError if a target word has no counterpart: its attention would be nil."""
    if alignment.inserted:
        new = [word.text for word in alignment.changed_target if alignment.inserted & set(word.indices)]
        raise RequestError(
            f"Replace needs a counterpart in the source prompt for every word; {', '.join(new)} has none.",
            "Declare which words belong together, or refine instead.",
        )
    return Replace(_mapper(alignment))


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


def window_bounds(window: Window, steps: int) -> tuple[int, int]:
    """First step in and first step out. As published, .8 of 50 steps is 40 and .5 is 25."""
    low, high = (0.0, float(window)) if isinstance(window, (int, float)) else window
    if not 0 <= low <= high <= 1:
        raise RequestError(
            f"The window {window} is not a span of the sampling steps.", "Give fractions 0 ≤ from ≤ to ≤ 1."
        )
    # A hair above, or 0.29 of 100 steps would be 28 by rounding of the product.
    return int(low * steps + 1e-6), int(high * steps + 1e-6)


def step_table(steps: int, target: Prompt, window: Window, words: Mapping[str, Window]) -> Tensor:
    """α: 1 where the edit is in force, per step and target token; ``words`` override ``window``."""
    table = torch.zeros(steps, target.length)
    start, stop = window_bounds(window, steps)
    table[start:stop] = 1
    for word, own in words.items():
        columns = list(target.span_of(word))
        start, stop = window_bounds(own, steps)
        table[:, columns] = 0
        table[start:stop, columns] = 1
    return table  # (steps, target tokens)


@dataclass(frozen=True)
class SelfControl:
    """Self-attention injection: in ``window``, at layers of at most ``limit`` of the latent's cells,
    the target attends as the source does, A_self := A_self,src.

    ``free`` (1, 1, h, w): where 1, the target's own self-attention is kept (shapes may change there).
    """

    window: Window = NEVER
    limit: float = 0.25
    free: Tensor | None = None


@dataclass(frozen=True)
class KeyMask:
    """Self-attention without a look at the object (Sun et al. 2024, Attentive Eraser): in ``window``,
    pixels inside ``region`` (1, 1, h, w) attend only to pixels outside it."""

    region: Tensor
    window: Window = WHOLE
    limit: float = 1.0


@dataclass(frozen=True)
class RegionWords:
    """Tokens seen only from inside ``region`` (1, 1, h, w), there with e^logit times their weight."""

    tokens: tuple[int, ...]
    region: Tensor
    logit: float = 0.0


@dataclass(frozen=True)
class TargetControl:
    """Everything that is done to one target's attention."""

    cross: CrossEdit | None = None
    alpha: Tensor | None = None  # (steps, target tokens), required with ``cross``
    self_control: SelfControl = field(default_factory=SelfControl)
    key_mask: KeyMask | None = None
    region_words: tuple[RegionWords, ...] = ()

    def cross_active(self, step: int) -> bool:
        return self.cross is not None and self.alpha is not None and bool(self.alpha[step].any())

    def follows(self, step: int) -> bool:
        """Whether anything is taken from the source's cross-attention; a mere factor takes nothing."""
        if self.cross is None or self.alpha is None:
            return False
        return bool(self.cross.columns().from_source[:, self.alpha[step] != 0].any())

    def self_active(self, step: int, steps: int) -> bool:
        return within(self.self_control.window, step, steps)

    def columns(self, step: int) -> Columns:
        """The cross edit at this step: α ⊙ edit + (1-α) ⊙ own."""
        assert self.cross is not None
        assert self.alpha is not None
        alpha = self.alpha[step]
        edited = self.cross.columns().scaled(alpha)
        return Columns(edited.from_source, edited.own + (1 - alpha))

    def edit(self, step: int, a_src: Tensor, a_tgt: Tensor) -> Tensor:
        """The same on probability maps."""
        assert self.cross is not None
        assert self.alpha is not None
        alpha = self.alpha[step].to(a_tgt)
        return alpha * self.cross.edit(a_src, a_tgt) + (1 - alpha) * a_tgt


def within(window: Window, step: int, steps: int) -> bool:
    start, stop = window_bounds(window, steps)
    return start <= step < stop
