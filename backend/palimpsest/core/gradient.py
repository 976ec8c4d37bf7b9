"""Gradients through a network of any precision (Micikevicius et al. 2018, "Mixed Precision Training", 3.2).

float16 has nothing below 6e-8, and the gradient of a mean over a latent is less than that in most of a
network. So the loss is scaled up by a power of two, which is undone exactly in float32. Where that
overflows, less is tried: a scale that follows from this step alone, so that a resumed run goes on the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from palimpsest.core.finite import all_finite, require_finite

SCALES = (2.0**16, 2.0**11, 2.0**6, 1.0)


def gradient(loss: Tensor, inputs: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """∂loss/∂inputs, float32, through a network that computes in ``dtype``.

    ``inputs``: float32 leaves. bfloat16 has float32's range and needs no scale. Raises NotFiniteError if
    no scale gives finite values.
    """
    scales = SCALES if dtype == torch.float16 else (1.0,)
    found: tuple[Tensor, ...] = ()
    for scale in scales:
        found = torch.autograd.grad(loss * scale, inputs, retain_graph=scale != scales[-1])
        if all_finite(*found):
            return [part / scale for part in found]
    return [require_finite(part, "The gradient through the networks", dtype) for part in found]
