"""How a word's rows and adapters move along their gradient: Adam, AdamW, their rate, and bounds on norms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.state import AdapterState, LearningState


@dataclass(frozen=True)
class Optimiser:
    settings: LearnSettings
    noun: tuple[Tensor, ...]  # its rows: the measure of rates and norms
    begin: tuple[Tensor, ...]  # the word's rows before the first step, whose norms are always within bounds

    def step(self, state: LearningState, gradients: Sequence[Tensor]) -> LearningState:
        """``gradients``: of the rows, then of the adapters."""
        count = len(state.rows)
        moved = self._adam(state, gradients[:count])
        if state.adapters is None:
            return moved
        return replace(moved, adapters=self._adamw(moved.step, state.adapters, gradients[count:]))

    def _adam(self, state: LearningState, gradients: Sequence[Tensor]) -> LearningState:
        """Kingma & Ba 2015, algorithm 1, without weight decay; then every row's norm is put in bounds."""
        settings, step = self.settings, state.step + 1
        means, squares = _moments(settings, state.means, state.squares, gradients)
        rows = []
        for row, mean, square, noun, begin in zip(
            state.rows, means, squares, self.noun, self.begin, strict=True
        ):
            unit = noun.square().mean().sqrt()
            moved = row - rate(settings, step) * unit * _direction(settings, step, mean, square)
            rows.append(within_norms(moved, noun, settings.norms, begin))
        return replace(state, step=step, rows=tuple(rows), means=means, squares=squares)

    def _adamw(self, step: int, state: AdapterState, gradients: Sequence[Tensor]) -> AdapterState:
        """Loshchilov & Hutter 2019, algorithm 2, at a rate that runs the rows' course."""
        settings, now = self.settings, state.now
        chosen = settings.adapters
        assert chosen is not None
        speed = chosen.rate * rate(settings, step) / settings.rate
        means, squares = _moments(settings, state.means.tensors, state.squares.tensors, gradients)
        moved = [
            tensor - speed * (_direction(settings, step, mean, square) + chosen.decay * tensor)
            for tensor, mean, square in zip(now.tensors, means, squares, strict=True)
        ]
        parts = (now.with_tensors(tensors) for tensors in (moved, means, squares))
        return AdapterState(*parts, best=state.best)


def _moments(
    settings: LearnSettings, means: Sequence[Tensor], squares: Sequence[Tensor], gradients: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    first, second = settings.betas
    new = tuple(first * m + (1 - first) * g for m, g in zip(means, gradients, strict=True))
    return new, tuple(second * v + (1 - second) * g * g for v, g in zip(squares, gradients, strict=True))


def _direction(settings: LearnSettings, step: int, mean: Tensor, square: Tensor) -> Tensor:
    first, second = settings.betas
    return (mean / (1 - first**step)) / ((square / (1 - second**step)).sqrt() + 1e-12)


def rate(settings: LearnSettings, step: int) -> float:
    """Linear warm-up, then half a cosine from ``rate`` to ``final_rate``."""
    if step <= settings.warmup:
        return settings.rate * step / settings.warmup
    progress = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    swing = (settings.rate - settings.final_rate) * (1 + math.cos(math.pi * progress)) / 2
    return settings.final_rate + swing


def within_norms(
    rows: Tensor, noun: Tensor, bounds: tuple[float, float], begin: Tensor | None = None
) -> Tensor:
    """Each row scaled so that its norm is within ``bounds`` times the noun's (as a word's should be).

    ``begin``: rows whose norms are always within them, as those of a word from elsewhere may not be.
    """
    norms, first = rows.norm(dim=1, keepdim=True), noun.norm(dim=1, keepdim=True)
    least, most = bounds[0] * first, bounds[1] * first
    if begin is not None:
        had = begin.norm(dim=1, keepdim=True)
        least, most = torch.minimum(least, had), torch.maximum(most, had)
    return rows * (norms.clamp(min=least, max=most) / norms)
