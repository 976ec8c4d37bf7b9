"""Self-attention without a look at the object (Sun et al. 2024, Attentive Eraser)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from palimpsest.core.attention.fused import Fused
from palimpsest.core.attention.windows import WHOLE, Window, within


@dataclass(frozen=True)
class KeyMask:
    """In ``window``, at layers of at most ``limit`` of the latent's cells, pixels inside ``region``
    (1, 1, h, w) attend only to pixels outside it, and not to those of ``unseen`` (1, 1, h, w) unless there
    are no others."""

    region: Tensor
    window: Window = WHOLE
    limit: float = 1.0
    unseen: Tensor | None = None

    def active(self, step: int, steps: int, share: float) -> bool:
        return share <= self.limit and within(self.window, step, steps)


def outward(
    fused: Fused, q: Tensor, k: Tensor, v: Tensor, scale: float, inside: Tensor, outside: Tensor
) -> Tensor:
    """What the ``inside`` pixels see of the ``outside`` ones, both by number."""
    return fused.attend(q[:, :, inside], k[:, :, outside], v[:, :, outside], scale)
