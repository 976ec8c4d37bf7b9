"""Numbers that are none (NaN, infinity) end a job where they appear.

One weight that is NaN, or one sum beyond float16's 65504, makes all that follows NaN. Pictures made of it
are black, and comparisons with it are false, so that limits and minima hide it. It is looked for where
every network's output enters the mathematics (``core/model.py``): one reduction per evaluation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from palimpsest.errors import NotFiniteError

HINT = "Its file may be damaged or badly merged: use another one."
HALF_HINT = (
    "It may overflow in this precision: compute in float32 (--device cpu, or PALIMPSEST_DEVICE=cpu for the "
    "server). If that fails too, its file is damaged or badly merged: use another one."
)


def all_finite(*tensors: Tensor | None) -> bool:
    """Whether no value in any of them is NaN or infinite; None has no value."""
    return all(tensor is None or bool(torch.isfinite(tensor.detach()).all()) for tensor in tensors)


def require_finite(values: Tensor, what: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """``values`` as they are. Raises NotFiniteError if one is NaN or infinite.

    ``what`` made them, computing in ``dtype``: "The UNet at timestep 981".
    """
    if all_finite(values):
        return values
    name = str(dtype).removeprefix("torch.")
    share = float((~torch.isfinite(values.detach())).float().mean())
    raise NotFiniteError(
        f"{what} gave NaN or infinity in {100 * share:.3g} % of its values, computing in {name}.",
        HINT if dtype == torch.float32 else HALF_HINT,
        precision=name,
        share=share,
    )
