"""Controlled attention as the papers write it: the reference that the fused path is held against.

Probability maps are formed and edited, which needs O(heads x pixels²).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest import mock

from torch import Tensor

from palimpsest.core.attention import control as controlling
from palimpsest.core.attention.cross import CrossEdit, Refine, Reweight
from palimpsest.core.attention.fused import Edited, probabilities
from palimpsest.core.attention.target import TargetControl


def edited(edit: CrossEdit, a_src: Tensor, a_tgt: Tensor) -> Tensor:
    """An edit as the paper writes it, on maps (…, pixels, tokens) of source and target."""
    if isinstance(edit, Reweight):
        return edited(edit.base, a_src, a_tgt) * edit.equalizer.to(a_src)
    assert isinstance(edit, Refine)
    keep = edit.keep.to(a_src)
    return (a_src @ edit.mapper.to(a_src)) * keep + a_tgt * (1 - keep)


def edited_at(control: TargetControl, step: int, a_src: Tensor, a_tgt: Tensor) -> Tensor:
    """What a target's maps are at a step."""
    assert control.cross is not None
    assert control.alpha is not None
    alpha = control.alpha[step].to(a_tgt)
    return alpha * edited(control.cross, a_src, a_tgt) + (1 - alpha) * a_tgt


class Explicit:
    """In place of ``Fused``, in float32."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
        return probabilities(q, k, scale, bias).to(v) @ v

    def cross(
        self,
        source: tuple[Tensor, Tensor] | None,
        target: tuple[Tensor, Tensor, Tensor],
        scale: float,
        control: Edited,
        step: int,
        bias: Tensor | None = None,
    ) -> Tensor:
        assert isinstance(control, TargetControl)
        q_t, k_t, v_t = target
        a_tgt = probabilities(q_t, k_t, scale, bias)
        if source is None:
            length = control.columns(step).from_source.shape[0]
            a_src = a_tgt.new_zeros(*a_tgt.shape[:-1], length)
        else:
            a_src = probabilities(*source, scale)
        return edited_at(control, step, a_src, a_tgt).to(v_t) @ v_t


@contextmanager
def explicit() -> Iterator[None]:
    """Inside the ``with``, controls are made that compute attention so."""
    with mock.patch.object(controlling, "Fused", Explicit):
        yield


WAYS = nullcontext, explicit
"""As the product computes it, and as published."""
