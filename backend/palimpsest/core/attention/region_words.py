"""Words that are seen from a part of the picture only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from palimpsest.core.attention.maps import cells_of
from palimpsest.core.networks import Size


@dataclass(frozen=True)
class RegionWords:
    """Tokens seen only from inside ``region`` (1, 1, h, w)."""

    tokens: tuple[int, ...]
    region: Tensor


def bias_of(words: Sequence[RegionWords], size: Size, tokens: int, device: torch.device) -> Tensor | None:
    """What is added to the logits (pixels, tokens), so that the words are seen only inside their region."""
    if not words:
        return None
    bias = torch.zeros(size[0] * size[1], tokens, device=device)  # (pixels, tokens)
    for word in words:
        inside = cells_of(word.region, size).to(device)
        columns = list(word.tokens)
        bias[:, columns] = torch.where(inside, 0.0, -torch.inf)[:, None].to(bias)
    return bias
