"""What a network is told besides the noisy latent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """One row per batch entry."""

    context: Tensor  # (batch, tokens, width)
    pooled: Tensor | None = None  # (batch, pooled width), SDXL only
    time_ids: Tensor | None = None  # (batch, 6): original size, crop, target size; SDXL only

    @staticmethod
    def cat(parts: list[Conditioning]) -> Conditioning:
        def join(tensors: list[Tensor | None]) -> Tensor | None:
            present = [tensor for tensor in tensors if tensor is not None]
            return torch.cat(present) if present else None

        context = torch.cat([part.context for part in parts])
        return Conditioning(context, join([p.pooled for p in parts]), join([p.time_ids for p in parts]))

    def expand(self, batch: int) -> Conditioning:
        """The same single row for every entry of a batch."""

        def grow(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.expand(batch, *tensor.shape[1:])

        return Conditioning(self.context.expand(batch, -1, -1), grow(self.pooled), grow(self.time_ids))

    def with_context(self, context: Tensor) -> Conditioning:
        return replace(self, context=context)

    @property
    def tensors(self) -> tuple[Tensor | None, ...]:
        return self.context, self.pooled, self.time_ids
