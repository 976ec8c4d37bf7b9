"""Controlled attention as the papers write it: the reference that the fused path is held against.

Probability maps are formed and edited, which needs O(heads x pixels²).
"""

from __future__ import annotations

from torch import Tensor

from palimpsest.core.attention.control import TargetControl
from palimpsest.core.attention.paths import probabilities


class Explicit:
    """A ``Path``, in float32."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
        return probabilities(q, k, scale, bias).to(v) @ v

    def cross(
        self,
        source: tuple[Tensor, Tensor] | None,
        target: tuple[Tensor, Tensor, Tensor],
        scale: float,
        control: TargetControl,
        step: int,
        bias: Tensor | None = None,
    ) -> Tensor:
        q_t, k_t, v_t = target
        a_tgt = probabilities(q_t, k_t, scale, bias)
        if source is None:
            length = control.columns(step).from_source.shape[0]
            a_src = a_tgt.new_zeros(*a_tgt.shape[:-1], length)
        else:
            a_src = probabilities(*source, scale)
        return control.edit(step, a_src, a_tgt).to(v_t) @ v_t
