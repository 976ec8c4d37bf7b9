"""Self-attention injection (Hertz et al. 2022, Tumanyan et al. 2023): it keeps the photo's layout."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from palimpsest.core.attention.windows import NEVER, Window, within


@dataclass(frozen=True)
class SelfControl:
    """Self-attention injection: in ``window``, at layers of at most ``limit`` of the latent's cells,
    the target attends as the source does, A_self := A_self,src.

    ``free`` (1, 1, h, w): where 1, the target's own self-attention is kept (shapes may change there).
    """

    window: Window = NEVER
    limit: float = 0.25
    free: Tensor | None = None

    def reaches(self, share: float) -> bool:
        """Whether layers are injected whose pixels are this share of the latent's cells."""
        return share <= self.limit

    def active(self, step: int, steps: int) -> bool:
        return within(self.window, step, steps)


def injected(own: Tensor, like_source: Tensor, free: Tensor | None) -> Tensor:
    """A target's attention; ``free`` (pixels,): where it stays its own, None for nowhere."""
    return like_source if free is None else torch.where(free[:, None], own, like_source)
