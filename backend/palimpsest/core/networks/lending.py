"""Weights that lie in main memory, and are on the device while their layer computes.

diffusers' group offloading does this too, but needs the package accelerate, copies every weight back, and
knows no gradients: its weights are gone when one is led back. Weights are frozen here, so nothing is copied
back, and where a graph wants a weight again, it is fetched again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

Packed = Tensor | tuple[Tensor, torch.Size, tuple[int, ...], int | torch.SymInt]
"""A saved tensor; or, of a lent weight, where it lies, and the size, strides and offset of the part."""


def lend(network: nn.Module, device: torch.device) -> None:
    """Have each layer's weights and buffers, which stay where they are, on ``device`` while it computes."""
    for layer in network.modules():
        if layer._parameters or layer._buffers:
            loan = _Loan(layer, device)
            layer.register_forward_pre_hook(loan.begin)
            layer.register_forward_hook(loan.end, always_call=True)


class _Loan:
    """Of one layer's own tensors."""

    def __init__(self, layer: nn.Module, device: torch.device) -> None:
        self._weights, self._buffers = dict(layer._parameters), dict(layer._buffers)
        self._device = device
        self._saving: saved_tensors_hooks | None = None

    def begin(self, layer: nn.Module, _inputs: Any) -> None:
        lent: dict[int, Tensor] = {}
        for name, home in self._weights.items():
            if home is not None:
                moved = home.detach().to(self._device)
                layer._parameters[name] = nn.Parameter(moved, requires_grad=False)
                lent[moved.untyped_storage()._cdata] = home.detach()
        for name, home in self._buffers.items():
            layer._buffers[name] = None if home is None else home.to(self._device)
        if torch.is_grad_enabled():
            self._saving = saved_tensors_hooks(_packing(lent), self._unpack)
            self._saving.__enter__()

    def end(self, layer: nn.Module, _inputs: Any, _output: Any) -> None:
        layer._parameters.update(self._weights)
        layer._buffers.update(self._buffers)
        if self._saving is not None:
            self._saving.__exit__(None, None, None)
            self._saving = None

    def _unpack(self, packed: Packed) -> Tensor:
        if isinstance(packed, Tensor):
            return packed
        home, size, strides, offset = packed
        return home.to(self._device).as_strided(size, strides, offset)


def _packing(lent: dict[int, Tensor]) -> Callable[[Tensor], Packed]:
    """What is kept of a tensor that a graph saves: of a lent weight only where it lies."""

    def pack(saved: Tensor) -> Packed:
        home = lent.get(saved.untyped_storage()._cdata)
        if home is None:
            return saved
        return home, saved.size(), saved.stride(), saved.storage_offset()

    return pack
