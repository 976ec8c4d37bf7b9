"""LoRAs that people have: updates of any linear or convolution layer, in the forms that their files hold.

    low rank        ΔW = up · down                                    Hu et al. 2022 (eq. 3)
    … of a kernel   ΔW_rs = up · mid_rs · down, with a small kernel    LoCon (Yeh et al. 2023, section 3.2)
    Hadamard        ΔW = (A₁ B₁) ⊙ (A₂ B₂)                            LoHa (Hyeon-Woo et al. 2022, eq. 2)
    Kronecker       ΔW = C ⊗ (A B)                                    LoKr (Yeh et al. 2023, eq. 8)

each times alpha / rank, and with a magnitude m per column (or row) beside it

    decomposed      W + ΔW becomes m · (W + ΔW) / ‖W + ΔW‖            DoRA (Liu et al. 2024, eq. 5)

A strength s adds s times the change that strength 1 makes: 0 is none. The numbers stay as small as in their
file; what isn't plain low rank is multiplied out in float32 at each call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

AnyPart = TypeVar("AnyPart", bound="Part")


@dataclass(frozen=True)
class Part(ABC):
    """The update of one layer, in the numbers of its file."""

    scale: float  # alpha / rank

    @abstractmethod
    def delta(self, weight: Tensor) -> Tensor:
        """ΔW, float32, in the shape of the layer's weight W. Raises RuntimeError for another size."""

    def of(self, layer: Any, x: Tensor) -> Tensor:
        """ΔW x."""
        return _through(layer, self.delta(layer.weight.to(x.device)).to(x), x)

    def placed(self: AnyPart, device: torch.device) -> AnyPart:
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: _moved(value, device) for name, value in moved.items()})


@dataclass(frozen=True)
class LowRankPart(Part):
    """``down`` (rank, in[, k, k]), ``up`` (out, rank[, 1, 1]); ``mid`` (rank, rank, k, k) between them."""

    down: Tensor
    up: Tensor
    mid: Tensor | None = None

    def delta(self, weight: Tensor) -> Tensor:
        down, up = self.down.float(), self.up.float().flatten(1)
        if self.mid is None:
            return self.scale * (up @ down.flatten(1)).reshape(weight.shape)
        whole = torch.einsum("om,mrkl,ri->oikl", up, self.mid.float(), down.flatten(1))
        return self.scale * whole.reshape(weight.shape)

    def of(self, layer: Any, x: Tensor) -> Tensor:
        if self.mid is not None:
            return super().of(layer, x)
        down, up = self.down.to(x), self.up.to(x).flatten(1)
        if isinstance(layer, nn.Linear):
            return self.scale * ((x @ down.flatten(1).T) @ up.T)
        kernel = down.view(len(down), *layer.weight.shape[1:])
        return self.scale * functional.conv2d(_through(layer, kernel, x), up[..., None, None])


@dataclass(frozen=True)
class HadamardPart(Part):
    """``a`` (out, rank), ``b`` (rank, in · k · k); with ``cores`` (rank, rank, k, k) they are (rank, out) and
    (rank, in)."""

    a: tuple[Tensor, Tensor]
    b: tuple[Tensor, Tensor]
    cores: tuple[Tensor, Tensor] | None = None

    def delta(self, weight: Tensor) -> Tensor:
        if self.cores is None:
            one, two = (a.float() @ b.float() for a, b in zip(self.a, self.b, strict=True))
        else:
            one, two = map(_tucker, self.cores, self.b, self.a)
        return (self.scale * (one * two)).reshape(weight.shape)


@dataclass(frozen=True)
class KroneckerPart(Part):
    """``first`` and ``second`` whole, or as a product of two; ``core`` (rank, rank, k, k) of the second."""

    first: tuple[Tensor, ...]
    second: tuple[Tensor, ...]
    core: Tensor | None = None

    def delta(self, weight: Tensor) -> Tensor:
        first = _product(self.first)
        if self.core is None:
            second = _product(self.second)
        else:
            second = _tucker(self.core, self.second[1], self.second[0])
        if second.ndim == 4:
            first = first[..., None, None]
        return (self.scale * torch.kron(first, second.contiguous())).reshape(weight.shape)


@dataclass(frozen=True)
class DecomposedPart(Part):
    """``magnitude``: one number per output or, as files of LyCORIS mostly have it, per input."""

    part: Part
    magnitude: Tensor
    per_output: bool

    def delta(self, weight: Tensor) -> Tensor:
        before = weight.float()
        merged = before + self.part.delta(weight)
        axes = (*range(1, merged.ndim),) if self.per_output else (0, *range(2, merged.ndim))
        norm = torch.linalg.vector_norm(merged, dim=axes, keepdim=True)
        return self.scale * (merged * (self.magnitude.float().view(norm.shape) / norm) - before)


@dataclass(frozen=True)
class Lora:
    """``network``, ``encoders`` (one per text encoder): parts by place, as ``adapters.layers`` names it."""

    name: str
    sha256: str  # of the file
    network: Mapping[str, Part]
    encoders: tuple[Mapping[str, Part], ...]


@dataclass(frozen=True)
class Strengthened:
    """The parts of a LoRA that are of one module, with a strength: ``adapters.Updates``."""

    parts: Mapping[str, Part]
    strength: float
    sha256: str

    @property
    def places(self) -> Iterable[str]:
        return self.parts

    @property
    def facts(self) -> tuple[Any, ...]:
        return self.sha256, self.strength

    def placed(self, device: torch.device, dtype: torch.dtype) -> Strengthened:
        return replace(self, parts={place: part.placed(device) for place, part in self.parts.items()})

    def of(self, place: str, module: Any, x: Tensor) -> Tensor:
        return self.strength * self.parts[place].of(module, x)


def misfit(layers: Mapping[str, Any], parts: Mapping[str, Part]) -> str | None:
    """The first place that isn't among the layers, or whose layer has another size; None if all fit."""
    for place, part in parts.items():
        layer = layers.get(place)
        if layer is None:
            return place
        try:  # without numbers, which takes no time
            part.placed(torch.device("meta")).delta(torch.empty_like(layer.weight, device="meta"))
        except (RuntimeError, IndexError, ValueError):
            return place
    return None


def _through(layer: Any, weight: Tensor, x: Tensor) -> Tensor:
    """x through a layer like this one with another weight, without its bias."""
    if isinstance(layer, nn.Linear):
        return functional.linear(x, weight)
    return functional.conv2d(x, weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)


def _product(factors: tuple[Tensor, ...]) -> Tensor:
    return factors[0].float() if len(factors) == 1 else factors[0].float() @ factors[1].float()


def _tucker(core: Tensor, b: Tensor, a: Tensor) -> Tensor:
    """(rank, rank, k, k), (rank, in), (rank, out) to (out, in, k, k)."""
    return torch.einsum("ijkl,jr,ip->prkl", core.float(), b.float(), a.float())


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(each, device) for each in value)
    if isinstance(value, Part):
        return value.placed(device)
    return value.to(device) if isinstance(value, Tensor) else value
