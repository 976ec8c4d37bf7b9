"""The noise process of a model: z = a·z_0 + b·ε at each of its levels, and the way between two levels.

A process says where its levels lie, what a and b are there, and what a network's prediction means.
Everything else in ``core`` asks it, so that sampling, inversion and learning are written once:

  Ddpm   the diffusion of Ho et al. 2020: levels are timesteps, a = √ᾱ, b = √(1-ᾱ); ``move`` is DDIM
         (Song et al. 2021, eq. 12 with σ = 0)
  Flow   the rectified flow of Liu et al. 2023: levels are σ, a = 1-σ, b = σ; ``move`` is Euler's step

Steps go from level to level as ``pairs`` lists them, never by a computed distance: that is wrong when the
number of steps doesn't divide the training's, and for every spacing but "leading". The coefficients are
Python floats (float64).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from palimpsest.errors import ModelIncapableError, RequestError

Level = int | float
"""A noise level, in the process's own measure; larger is noisier."""


class Process(Protocol):
    """What sampling, inversion and learning need to know of the noise.

    A *prediction* is what guidance combines and ``split`` understands; ``read`` makes it from a network's
    output.
    """

    @property
    def clean(self) -> Level:
        """The level of z_0, below every level of ``levels``."""
        ...

    @property
    def most_steps(self) -> int:
        """Of sampling."""
        ...

    def levels(self, steps: int) -> tuple[Level, ...]:
        """The ``steps`` levels that sampling begins its steps at, noisiest first. Raises RequestError."""
        ...

    def level(self, share: float) -> Level:
        """The level at a share of the process: 0 the cleanest that was trained on, 1 the noisiest."""
        ...

    def between(self, shares: tuple[float, float], at: Tensor) -> list[Level]:
        """The levels that lie at ``at`` (n,), in [0, 1), of the way from one share to another."""
        ...

    def scales(self, level: Level) -> tuple[float, float]:
        """a and b of z = a·z_0 + b·ε."""
        ...

    def read(self, z: Tensor, output: Tensor, level: Level | Tensor) -> Tensor:
        """The prediction that a network's ``output`` for ``z`` is. ``level``: of all rows, or (batch,)."""
        ...

    def split(self, z: Tensor, prediction: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        """ẑ_0 and ε̂: what ``z`` is made of, by the prediction."""
        ...

    def target(self, z0: Tensor, eps: Tensor) -> Tensor:
        """What should be predicted where z_0 and ε are known."""
        ...

    def errors(self, prediction: Tensor, target: Tensor, levels: Tensor) -> Tensor:
        """Squared errors as the model was trained by them, element by element; ``levels``: (batch,)."""
        ...


def pairs(process: Process, levels: Sequence[Level]) -> tuple[tuple[Level, Level], ...]:
    """(level, the next cleaner one) for every sampling step; the last one leads to ``process.clean``."""
    return tuple(zip(levels, (*levels[1:], process.clean), strict=True))


def noised(process: Process, z0: Tensor, eps: Tensor, level: Level) -> Tensor:
    """z = a·z_0 + b·ε."""
    a, b = process.scales(level)
    return a * z0 + b * eps


def noise_between(process: Process, z: Tensor, z0: Tensor, level: Level) -> Tensor:
    """ε = (z - a·z_0) / b: the noise that makes ``z`` of ``z0``, at any level but the clean one."""
    a, b = process.scales(level)
    return (z - a * z0) / b


def step(process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level) -> tuple[Tensor, Tensor]:
    """One sampling step: z at the cleaner level ``to``, and the estimate ẑ_0 at this one."""
    z0, eps = process.split(z, prediction, level)
    return noised(process, z0, eps, to), z0


def consistency_step(
    process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level, noise: Tensor
) -> tuple[Tensor, Tensor]:
    """The same as a consistency model is sampled (Song et al. 2023, algorithm 1): ẑ_0 is noised anew, by
    ``noise``, for the next level; at the clean level it is the picture."""
    z0, _ = process.split(z, prediction, level)
    return (z0 if to == process.clean else noised(process, z0, noise, to)), z0


class Estimate(NamedTuple):
    """What a sampling step found of the picture."""

    z0: Tensor  # ẑ_0
    level: Level


def second_order_step(
    process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level, last: Estimate | None
) -> tuple[Tensor, Estimate]:
    """One step of DPM-Solver++ 2M (Lu et al. 2022, arXiv 2211.01095, algorithm 2), which takes ẑ_0 to change
    along λ = log(a / b) as it did since ``last``, the step before. The first step and the one to the clean
    level are ``step``'s.

    Fewer steps do than with ``step``; only for sampling, since there is no way back.
    """
    z0, eps = process.split(z, prediction, level)
    if last is None or to == process.clean:
        return noised(process, z0, eps, to), Estimate(z0, level)
    (a, b), before = process.scales(to), _log_scale(process, last.level)
    here, there = _log_scale(process, level), math.log(a / b)
    onward = z0 + (there - here) / (2 * (here - before)) * (z0 - last.z0)
    kept = b / process.scales(level)[1]
    return kept * z - a * math.expm1(here - there) * onward, Estimate(z0, level)


def _log_scale(process: Process, level: Level) -> float:
    a, b = process.scales(level)
    return math.log(a / b) if a else -math.inf


def move(process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level) -> Tensor:
    """From ``level`` to another: a sampling step if that is cleaner, else an inversion step.

    There and back are inverse to each other where the prediction stands for the same ẑ_0 and ε̂.
    """
    return step(process, z, prediction, level, to)[0]


def guided(null: Tensor, cond: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (Ho & Salimans 2022) of two predictions: null + w·(cond - null)."""
    return null + scale * (cond - null)


@dataclass(frozen=True)
class Ddpm:
    """The forward process of a checkpoint, from its scheduler configuration; float64 on the processor.

    Its predictions are ε, also where the network says v: ε = √ᾱ·v + √(1-ᾱ)·z (Salimans & Ho 2022, eq. D.3)
    is formed for every row before guidance. Guidance is linear, so v would do as well, but it would round
    otherwise, and the same request would give other bytes.
    """

    alphas_cumprod: Tensor  # (train steps,) float64
    final_alpha_cumprod: float  # ᾱ at the clean level: ᾱ_0, or 1 when set_alpha_to_one
    prediction: str  # "epsilon" or "v_prediction": what the network says
    spacing: str  # "leading", "linspace", "trailing" or "distilled"
    steps_offset: int = 0
    distilled_levels: int = 50  # how many the consistency models of "distilled" were taught

    @property
    def clean(self) -> int:
        return -1

    @property
    def most_steps(self) -> int:
        return len(self.alphas_cumprod)

    def levels(self, steps: int) -> tuple[int, ...]:
        """Timesteps, as the checkpoint's scheduler spaces them. Raises ModelIncapableError for a spacing
        that isn't known."""
        train = self.most_steps
        _refuse_impossible(steps, train)
        if self.spacing == "leading":
            offset, last = self.steps_offset, train - 1
            return tuple(min(i * (train // steps) + offset, last) for i in reversed(range(steps)))
        if self.spacing == "linspace":
            ascending = [_round(Fraction((train - 1) * i, max(steps - 1, 1))) for i in range(steps)]
            return tuple(reversed(ascending))
        if self.spacing == "trailing":
            return tuple(_round(train - Fraction(train * i, steps)) - 1 for i in range(steps))
        if self.spacing == "distilled":  # every k-th of those that were taught (Luo et al. 2023, algorithm 3)
            taught = self.distilled_levels
            _refuse_impossible(steps, taught)
            return tuple(train - 1 - (train // taught) * (taught * i // steps) for i in range(steps))
        raise ModelIncapableError(
            f"The model's scheduler spaces its timesteps by {self.spacing!r}.",
            "Known: leading, linspace, trailing, distilled. Set timestep_spacing in scheduler_config.json.",
        )

    def level(self, share: float) -> int:
        return round(share * (self.most_steps - 1))

    def between(self, shares: tuple[float, float], at: Tensor) -> list[Level]:
        low, high = (share * (self.most_steps - 1) for share in shares)
        return [int(t) for t in low + (high - low) * at]

    def alpha_bar(self, level: Level) -> float:
        return self.final_alpha_cumprod if level == self.clean else float(self.alphas_cumprod[int(level)])

    def scales(self, level: Level) -> tuple[float, float]:
        alpha = self.alpha_bar(level)
        return math.sqrt(alpha), math.sqrt(1 - alpha)

    def read(self, z: Tensor, output: Tensor, level: Level | Tensor) -> Tensor:
        if self.prediction == "epsilon":
            return output
        alpha = self.alphas_cumprod[torch.as_tensor(level).cpu()].reshape(-1, 1, 1, 1)
        signal, noise = (root.to(z.device, torch.float32) for root in (alpha.sqrt(), (1 - alpha).sqrt()))
        return signal * output + noise * z.float()

    def split(self, z: Tensor, prediction: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        a, b = self.scales(level)
        return (z - b * prediction) / a, prediction

    def target(self, z0: Tensor, eps: Tensor) -> Tensor:
        return eps

    def errors(self, prediction: Tensor, target: Tensor, levels: Tensor) -> Tensor:
        """(ε_θ - ε)², or (v_θ - v)² for a network that says v: ε_θ - ε = √ᾱ·(v_θ - v)."""
        squares = (prediction - target) ** 2
        if self.prediction == "epsilon":
            return squares
        return squares / self.alphas_cumprod[levels.cpu()].reshape(-1, 1, 1, 1).float().to(squares.device)


@dataclass(frozen=True)
class Flow:
    """A rectified flow (Liu et al. 2023; Esser et al. 2024, section 2): z = (1-σ)·z_0 + σ·ε, and the network
    says v = ε - z_0, which is the prediction.

    ``shift`` s puts more of the steps where noise is strong: σ = s·u / (1 + (s-1)·u) of even u.
    """

    shift: float = 1.0
    most_steps: int = 1000

    @property
    def clean(self) -> float:
        return 0.0

    def levels(self, steps: int) -> tuple[float, ...]:
        _refuse_impossible(steps, self.most_steps)
        return tuple(self.level(1 - i / steps) for i in range(steps))

    def level(self, share: float) -> float:
        return self.shift * share / (1 + (self.shift - 1) * share)

    def between(self, shares: tuple[float, float], at: Tensor) -> list[Level]:
        low, high = shares
        return [self.level(low + (high - low) * float(part)) for part in at]

    def scales(self, level: Level) -> tuple[float, float]:
        return 1 - level, level

    def read(self, z: Tensor, output: Tensor, level: Level | Tensor) -> Tensor:
        return output

    def split(self, z: Tensor, prediction: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        a, b = self.scales(level)
        return z - b * prediction, z + a * prediction

    def target(self, z0: Tensor, eps: Tensor) -> Tensor:
        return eps - z0

    def errors(self, prediction: Tensor, target: Tensor, levels: Tensor) -> Tensor:
        return (prediction - target) ** 2


def _refuse_impossible(steps: int, most: int) -> None:
    if not 1 <= steps <= most:
        raise RequestError(f"{steps} sampling steps were asked for.", f"Choose between 1 and {most}.")


def _round(value: Fraction) -> int:
    """To the nearest integer, halves to even, as the schedulers of diffusers round."""
    return round(value)
