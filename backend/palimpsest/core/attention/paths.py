"""Two ways to compute the same controlled attention.

``Fused`` moves every edit onto the values and calls fused attention: memory is O(pixels x width), no
attention matrix is formed at any resolution. ``Explicit`` forms the probability maps and edits them as
the papers write it; it is the reference for tests and needs O(heads x pixels²).

Shapes here: q (batch, heads, pixels, width), k and v (batch, heads, tokens or pixels, width).
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from palimpsest.core.attention.control import TargetControl


class Path(Protocol):
    """How attention is computed: plainly, or with a target's cross edit."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
        """softmax(scale·QKᵀ + bias)·V."""
        ...

    def cross(
        self,
        source: tuple[Tensor, Tensor],  # q, k
        target: tuple[Tensor, Tensor, Tensor],  # q, k, v
        scale: float,
        control: TargetControl,
        step: int,
        bias: Tensor | None = None,  # (pixels, tokens), added to the target's logits
    ) -> Tensor:
        """The target's cross-attention under ``control``."""
        ...


class Fused:
    """out = SDPA(Q_s, K_s, from_source·V_t) + SDPA(Q_t, K_t, own ⊙ V_t).

    Columns are moved to the device once a step, not at every layer: each move makes the device run dry.
    """

    def __init__(self) -> None:
        self._step = -1
        self._columns: dict[int, tuple[TargetControl, Tensor, Tensor | None]] = {}  # by target, of this step

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
        mask = None if bias is None else bias.to(q)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)

    def cross(
        self,
        source: tuple[Tensor, Tensor],
        target: tuple[Tensor, Tensor, Tensor],
        scale: float,
        control: TargetControl,
        step: int,
        bias: Tensor | None = None,
    ) -> Tensor:
        (q_s, k_s), (q_t, k_t, v_t) = source, target
        from_source, own = self._columns_at(step, control, v_t)
        moved = from_source @ v_t  # (batch, heads, source tokens, width)
        out = self.attend(q_s, k_s, moved, scale)
        if own is None:
            return out
        return out + self.attend(q_t, k_t, own[:, None] * v_t, scale, bias)

    def _columns_at(self, step: int, control: TargetControl, like: Tensor) -> tuple[Tensor, Tensor | None]:
        """From source, and own; None for a pure word swap: the target's own maps have no part in it."""
        if step != self._step:
            self._step = step
            self._columns.clear()
        if id(control) not in self._columns:
            columns = control.columns(step)
            own = columns.own.to(like) if columns.own.any() else None
            self._columns[id(control)] = control, columns.from_source.to(like), own
        _, from_source, own = self._columns[id(control)]
        return from_source, own


class Explicit:
    """The reference: probability maps, edited as in the papers, in float32."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
        return probabilities(q, k, scale, bias).to(v) @ v

    def cross(
        self,
        source: tuple[Tensor, Tensor],
        target: tuple[Tensor, Tensor, Tensor],
        scale: float,
        control: TargetControl,
        step: int,
        bias: Tensor | None = None,
    ) -> Tensor:
        (q_s, k_s), (q_t, k_t, v_t) = source, target
        a_src, a_tgt = probabilities(q_s, k_s, scale), probabilities(q_t, k_t, scale, bias)
        return control.edit(step, a_src, a_tgt).to(v_t) @ v_t


def probabilities(q: Tensor, k: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
    """softmax(scale·QKᵀ + bias) in float32 whatever the model's precision (fp16 would overflow)."""
    logits = scale * (q.float() @ k.float().transpose(-1, -2))
    return torch.softmax(logits if bias is None else logits + bias.to(logits), dim=-1)
