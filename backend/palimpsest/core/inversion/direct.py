"""Direct inversion (Ju et al. 2023, PnP Inversion): keep the pivots, and put them back.

The published method adds z*_{t-1} - D(z̃_t) to the source branch at each sampling step. That sum is
z*_{t-1} itself, so it is enough to copy the stored pivot into the source branch: no evaluation of the
network beyond DDIM inversion's own. The copying is done in ``core/editing/sampling.py``.
"""

from __future__ import annotations

from palimpsest.core.inversion.ddim import ddim_inversion
from palimpsest.core.inversion.method import Found, Method, Photo
from palimpsest.core.steps import Steps


class Direct(Method):
    """Exact by construction, z_0 being the photo's latent."""

    recorded = True

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        return Found((yield from ddim_inversion(photo)))


METHOD = Direct()
