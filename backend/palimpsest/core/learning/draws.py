"""What a step of learning draws at random: views, sentences, noise levels and noise.

All of it is a function of (seed, stream, step), so that a run which is taken up again draws the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from palimpsest.core.learning.views import View
from palimpsest.core.process import Level, Process
from palimpsest.core.text.prompt import Prompt

TRAINING, EXAM = 0, 1  # two independent streams of randomness


@dataclass(frozen=True)
class Draw:
    """One latent of a batch: which view, in which sentence, at which noise."""

    view: View
    prompt: Prompt
    level: Level
    sample: Tensor  # noise of the autoencoder's distribution
    eps: Tensor


@dataclass(frozen=True)
class Draws:
    """``sentences``: those that a picture may be described by; ``times``: t/T from which to which."""

    process: Process
    views: tuple[View, ...]
    sentences: Callable[[int], tuple[Prompt, ...]]
    seed: int
    times: tuple[float, float]

    def batch(self, stream: int, step: int, size: int) -> list[Draw]:
        """``size`` latents: pictures in turn, one noise level from each of ``size`` equal strata."""
        generator = _generator(self.seed, stream, step)
        strata = torch.randperm(size, generator=generator)
        within = torch.rand(size, generator=generator)
        levels = self.process.between(self.times, (strata + within) / size)
        return [self._one(generator, step * size + i, level) for i, level in enumerate(levels)]

    def _one(self, generator: torch.Generator, number: int, level: Level) -> Draw:
        view = self._view(number, generator)
        choice = self.sentences(view.picture)
        prompt = choice[int(torch.randint(len(choice), (1,), generator=generator))]
        sample = torch.randn(view.mean.shape, generator=generator)
        return Draw(view, prompt, level, sample, torch.randn(view.mean.shape, generator=generator))

    def _view(self, number: int, generator: torch.Generator) -> View:
        """A view of each picture in turn, so that no batch forgets one."""
        pictures = sorted({view.picture for view in self.views})
        picture = pictures[number % len(pictures)]
        own = [view for view in self.views if view.picture == picture]
        return own[int(torch.randint(len(own), (1,), generator=generator))]


def _generator(seed: int, stream: int, step: int) -> torch.Generator:
    """A stream of its own for every (seed, stream, step)."""
    mixed = (seed * 2 + stream) * 1_000_003 + step
    return torch.Generator().manual_seed(mixed)
