"""Direct inversion (Ju et al. 2023, PnP Inversion): keep the pivots, and put them back.

The published method adds z*_{t-1} - D(z̃_t) to the source branch at each sampling step. That sum is
z*_{t-1} itself, so it is enough to copy the stored pivot into the source branch: no evaluation of the
UNet beyond DDIM inversion's own. The copying is done in ``core/editing/sampling.py``.
"""

from __future__ import annotations

from torch import Tensor

from palimpsest.core.inversion.ddim import ddim_inversion
from palimpsest.core.model import Conditioning, DiffusionModel
from palimpsest.core.steps import Steps


def direct_inversion(
    model: DiffusionModel, z0: Tensor, cond: Conditioning, timesteps: tuple[int, ...]
) -> Steps[Tensor]:
    """The pivots z_0 … z_T, (steps + 1, 1, c, h, w): exact by construction, z_0 being the photo's latent."""
    return (yield from ddim_inversion(model, z0, cond, timesteps))
