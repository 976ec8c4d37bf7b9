"""Proximal negative-prompt inversion (Han et al. 2024): guidance counts only where it is strong.

Negative-prompt inversion, with the targets' guidance δ = ε(target) - ε(caption) shrunk: prox(δ) is 0 where
|δ| is below its ``QUANTILE``, and nearer to 0 by that much elsewhere (the paper's ``l1``). What the target's
words hardly change is so sampled as the photo.

Left out: the paper's inversion guidance, which draws ẑ_0 to the photo where δ was cut. What is outside the
selection is the photo here anyway.
"""

from __future__ import annotations

from torch import Tensor

from palimpsest.core.inversion.negative_prompt import NegativePrompt
from palimpsest.core.process import guided

QUANTILE = 0.7


class Proximal(NegativePrompt):
    """Its inversion is the same; its targets are guided otherwise."""

    def guide(self, null: Tensor, cond: Tensor, scale: float) -> Tensor:
        return guided(null, null + shrunk(cond - null), scale)


def shrunk(delta: Tensor) -> Tensor:
    """Each row by the quantile of its magnitudes, the small ones to 0  # (n, c, h, w)"""
    size = delta.abs()
    threshold = size.flatten(1).float().quantile(QUANTILE, dim=1).to(size)[:, None, None, None]
    return delta.sign() * (size - threshold).clamp(min=0)


METHOD = Proximal()
