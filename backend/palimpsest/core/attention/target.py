"""Everything that is done to one target's attention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from palimpsest.core.attention.cross import Columns, CrossEdit
from palimpsest.core.attention.injection import SelfControl
from palimpsest.core.attention.key_mask import KeyMask
from palimpsest.core.attention.region_words import RegionWords
from palimpsest.core.attention.windows import within


@dataclass(frozen=True)
class TargetControl:
    """Nothing, where nothing is given."""

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

    def columns(self, step: int) -> Columns:
        """The cross edit at this step: α ⊙ edit + (1-α) ⊙ own."""
        assert self.cross is not None
        assert self.alpha is not None
        alpha = self.alpha[step]
        edited = self.cross.columns().scaled(alpha)
        return Columns(edited.from_source, edited.own + (1 - alpha))

    def facts(self, step: int, steps: int) -> tuple[Any, ...]:
        """All that decides what is done at this step, as ``trajectory.py`` compares it."""
        columns, own, mask = None, None, None
        if self.cross_active(step):
            assert self.cross is not None
            assert self.alpha is not None
            edited = self.cross.columns()
            columns = edited.from_source, edited.own, self.alpha[step]
        if self.self_control.active(step, steps):
            own = self.self_control.limit, self.self_control.free
        if self.key_mask is not None and within(self.key_mask.window, step, steps):
            mask = self.key_mask.region, self.key_mask.limit, self.key_mask.unseen
        words = tuple((words.tokens, words.region) for words in self.region_words)
        return columns, own, mask, words
