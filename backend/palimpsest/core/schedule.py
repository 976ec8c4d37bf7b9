"""DDIM (Song et al. 2021, eq. 12 with σ = 0), forward and inverse, on the scheduler's own timesteps.

Pairs (t, t_prev) are read from the list of timesteps, never computed as t - T/S: that is wrong when S
doesn't divide T and for every spacing but "leading". The level "before" the last timestep is called
``CLEAN``; its ᾱ is the checkpoint's ``final_alpha_cumprod``. Coefficients are Python floats (float64).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from torch import Tensor

from palimpsest.core.model import NoiseSchedule
from palimpsest.errors import ModelIncapableError, RequestError

CLEAN = -1
"""The noise level of z_0, below every timestep."""


def timesteps(noise: NoiseSchedule, steps: int) -> tuple[int, ...]:
    """The ``steps`` sampling timesteps, noisiest first, as the checkpoint's scheduler spaces them."""
    train = len(noise.alphas_cumprod)
    if not 1 <= steps <= train:
        raise RequestError(f"{steps} sampling steps were asked for.", f"Choose between 1 and {train}.")
    if noise.spacing == "leading":
        offset, last = noise.steps_offset, train - 1
        return tuple(min(i * (train // steps) + offset, last) for i in reversed(range(steps)))
    if noise.spacing == "linspace":
        ascending = [_round(Fraction((train - 1) * i, max(steps - 1, 1))) for i in range(steps)]
        return tuple(reversed(ascending))
    if noise.spacing == "trailing":
        return tuple(_round(train - Fraction(train * i, steps)) - 1 for i in range(steps))
    raise ModelIncapableError(
        f"The model's scheduler spaces its timesteps by {noise.spacing!r}.",
        "Known: leading, linspace, trailing. Set timestep_spacing in scheduler_config.json.",
    )


def pairs(descending: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """(t, t_prev) for every sampling step; the last one leads to ``CLEAN``."""
    return tuple(zip(descending, (*descending[1:], CLEAN), strict=True))


def alpha_bar(noise: NoiseSchedule, t: int) -> float:
    """ᾱ_t; ``CLEAN`` has the checkpoint's final ᾱ."""
    return noise.final_alpha_cumprod if t == CLEAN else float(noise.alphas_cumprod[t])


def predict_z0(noise: NoiseSchedule, z: Tensor, eps: Tensor, t: int) -> Tensor:
    """ẑ_0 = (z_t - √(1-ᾱ_t) ε) / √ᾱ_t."""
    alpha = alpha_bar(noise, t)
    return (z - math.sqrt(1 - alpha) * eps) / math.sqrt(alpha)


def ddim(noise: NoiseSchedule, z: Tensor, eps: Tensor, t: int, t_to: int) -> Tensor:
    """D_{t→t'}(z, ε) = √ᾱ_t' ẑ_0 + √(1-ᾱ_t') ε: a sampling step if t' is cleaner, else an inversion step.

    D_{t→t'} and D_{t'→t} are inverse to each other at the same ε.
    """
    alpha_to = alpha_bar(noise, t_to)
    return math.sqrt(alpha_to) * predict_z0(noise, z, eps, t) + math.sqrt(1 - alpha_to) * eps


def add_noise(noise: NoiseSchedule, z0: Tensor, eps: Tensor, t: int) -> Tensor:
    """q(z_t | z_0): √ᾱ_t z_0 + √(1-ᾱ_t) ε."""
    alpha = alpha_bar(noise, t)
    return math.sqrt(alpha) * z0 + math.sqrt(1 - alpha) * eps


def _round(value: Fraction) -> int:
    """To the nearest integer, halves to even, as the schedulers of diffusers round."""
    return round(value)
