"""Numbers that are none (NaN, infinity) end a job where they appear.

One weight that is NaN, or one sum beyond float16's 65504, makes all that follows NaN. Pictures made of it
are black, and comparisons with it are false, so that limits and minima hide it. It is looked for where
every network's output enters the mathematics (``core/model.py``): one reduction per evaluation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from palimpsest.errors import NotFiniteError, Text


def all_finite(*tensors: Tensor | None) -> bool:
    """Whether no value in any of them is NaN or infinite; None has no value."""
    return all(tensor is None or bool(torch.isfinite(tensor.detach()).all()) for tensor in tensors)


def require_finite(values: Tensor, what: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """``values`` as they are. Raises NotFiniteError if one is NaN or infinite.

    ``what`` made them, computing in ``dtype``: "The autoencoder's decoder".
    """
    if all_finite(values):
        return values
    name = str(dtype).removeprefix("torch.")
    share = float((~torch.isfinite(values.detach())).float().mean())
    raise NotFiniteError(
        Text("not-finite", part=what, n=f"{100 * share:.3g}", precision=name),
        Text("other-file" if dtype == torch.float32 else "compute-in-float32"),
        precision=name,
        share=share,
    )
