"""How a controlled attention is computed: every edit is moved onto the values, and attention is fused.

Memory is O(pixels x width), no attention matrix is formed at any resolution. The tests hold this against the
maps as the papers edit them.

Shapes here: q (batch, heads, pixels, width), k and v (batch, heads, tokens or pixels, width).
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from palimpsest.core.attention.cross import Columns


class Edited(Protocol):
    """A target whose cross-attention is edited."""

    def columns(self, step: int) -> Columns: ...


class Fused:
    """out = SDPA(Q_s, K_s, from_source·V_t) + SDPA(Q_t, K_t, own ⊙ V_t).

    Columns are moved to the device once a step, not at every layer: each move makes the device run dry.
    """

    def __init__(self) -> None:
        self._step = -1
        self._columns: dict[int, tuple[Edited, Tensor | None, Tensor | None]] = {}  # of this step

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
        """softmax(scale·QKᵀ + bias)·V."""
        mask = None if bias is None else bias.to(q)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)

    def cross(
        self,
        source: tuple[Tensor, Tensor] | None,  # q, k; None where nothing is taken from it
        target: tuple[Tensor, Tensor, Tensor],  # q, k, v
        scale: float,
        control: Edited,
        step: int,
        bias: Tensor | None = None,  # (pixels, tokens), added to the target's logits
    ) -> Tensor:
        """The target's cross-attention under ``control``."""
        q_t, k_t, v_t = target
        from_source, own = self._columns_at(step, control, v_t)
        parts = []
        if from_source is not None:
            assert source is not None, "the source is not in the batch"
            moved = from_source @ v_t  # (batch, heads, source tokens, width)
            parts.append(self.attend(*source, moved, scale))
        if own is not None:
            parts.append(self.attend(q_t, k_t, own[:, None] * v_t, scale, bias))
        return sum(parts[1:], parts[0]) if parts else torch.zeros_like(v_t[..., :1, :]).expand_as(q_t)

    def _columns_at(self, step: int, control: Edited, like: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """From source, and own. None: it has no part in it, as the target's own maps in a pure word swap, and
        the source's where a word only counts by its factor."""
        if step != self._step:
            self._step = step
            self._columns.clear()
        if id(control) not in self._columns:
            columns = control.columns(step)
            own = columns.own.to(like) if columns.own.any() else None
            from_source = columns.from_source.to(like) if columns.from_source.any() else None
            self._columns[id(control)] = control, from_source, own
        _, from_source, own = self._columns[id(control)]
        return from_source, own


def probabilities(q: Tensor, k: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
    """softmax(scale·QKᵀ + bias) in float32 whatever the model's precision (fp16 would overflow)."""
    logits = scale * (q.float() @ k.float().transpose(-1, -2))
    return torch.softmax(logits if bias is None else logits + bias.to(logits), dim=-1)
