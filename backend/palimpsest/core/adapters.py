"""Low-rank adapters (Hu et al. 2022, "LoRA"), for chosen rows of a batch.

A layer W becomes, for those rows of the network's batch that are to have it,

    W x + (alpha / rank) · up · down · x                                     (eq. 3)

and stays W x for all others, to the last bit: a photo's own branch, which shares every batch with the
edit's targets, is not touched. What W itself computes is left alone, and the adapters' share is added to
what comes out of it, so nothing has to be undone in the weights. Those of a learned word are of attention's
projections alone (``Adapters``); those of a file may be of any layer, and of other forms (``lora``).

    adaptation = Adaptation([toy.adapters, hat.adapters])
    with adapted(network, adaptation):
        adaptation.begin([(2, 3), (3,)])  # the toy's in rows 2 and 3, the hat's in row 3, where both add up
        network(...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from palimpsest.core.networks import Network

PROJECTIONS = ("to_q", "to_k", "to_v", "to_out.0")  # query, key, value, output


@dataclass(frozen=True)
class LowRank:
    """An update of one projection, float32."""

    down: Tensor  # (rank, input width)
    up: Tensor  # (output width, rank)


class Updates(Protocol):
    """Updates of layers by their places."""

    @property
    def places(self) -> Iterable[str]: ...

    @property
    def facts(self) -> tuple[Any, ...]:
        """All that decides them: numbers, words, tensors."""
        ...

    def placed(self, device: torch.device, dtype: torch.dtype) -> Updates:
        """On the device, in that precision where they have none of their own."""
        ...

    def of(self, place: str, module: Any, x: Tensor) -> Tensor:
        """What is added to the output of ``module``, the layer at ``place``, for the input x."""
        ...


@dataclass(frozen=True)
class Adapters:
    """``parts``: by the projection's place in the network, as ``projections`` names it."""

    parts: Mapping[str, LowRank]
    alpha: float  # the updates count alpha / rank times

    @property
    def rank(self) -> int:
        return int(next(iter(self.parts.values())).down.shape[0])

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Down and up of every part, by the places' names in order."""
        return tuple(tensor for name in sorted(self.parts) for tensor in _pair(self.parts[name]))

    def with_tensors(self, tensors: Sequence[Tensor]) -> Adapters:
        """The same places with other numbers: the inverse of ``tensors``."""
        pairs = zip(tensors[::2], tensors[1::2], strict=True)
        parts = {name: LowRank(*pair) for name, pair in zip(sorted(self.parts), pairs, strict=True)}
        return Adapters(parts, self.alpha)

    @property
    def places(self) -> Iterable[str]:
        return self.parts

    @property
    def facts(self) -> tuple[Any, ...]:
        return self.alpha, *self.parts, *self.tensors

    def placed(self, device: torch.device, dtype: torch.dtype) -> Adapters:
        return self.with_tensors([_placed(tensor, device, dtype) for tensor in self.tensors])

    def of(self, place: str, module: Any, x: Tensor) -> Tensor:
        return _update(self.parts[place], self.scale, x)


def _pair(part: LowRank) -> tuple[Tensor, Tensor]:
    return part.down, part.up


def projections(network: Network, layers: str = "all") -> dict[str, Any]:
    """The projections of the attention layers, by place: the module's path with ``_`` for ``.``, as LoRA
    files name it. ``layers``: "all"; "cross" is only what reads the words, key and value of
    cross-attention (Kumari et al. 2023)."""
    found = {}
    for path, site in network.sites.items():
        names = PROJECTIONS if layers == "all" else PROJECTIONS[1:3] if site.kind == "cross" else ()
        for name in names:
            found[f"{path}.{name}".replace(".", "_")] = site.module.get_submodule(name)
    return found


def layers_of(network: Network, adapters: Adapters) -> str:
    """Which of ``projections`` they are of: "all", "cross", or "some" where it is another choice."""
    places = set(adapters.parts)
    return next((each for each in ("all", "cross") if set(projections(network, each)) == places), "some")


def first_adapters(network: Network, rank: int, layers: str, seed: int) -> Adapters:
    """Adapters that change nothing yet: ``up`` is nil, ``down`` uniform in ±1/√(input width)."""
    generator, parts = torch.Generator().manual_seed(seed), {}
    for name, linear in projections(network, layers).items():
        drawn = torch.rand(rank, linear.in_features, generator=generator)
        down = (2 * drawn - 1) / linear.in_features**0.5
        parts[name] = LowRank(down, torch.zeros(linear.out_features, rank))
    return Adapters(parts, float(rank))


def misfit(network: Network, adapters: Adapters) -> str | None:
    """The first part that the network has no projection of that size for; None if all fit."""
    there = projections(network)
    for name, part in adapters.parts.items():
        linear = there.get(name)
        sizes = (part.up.shape[0], part.down.shape[1])
        if linear is None or sizes != (linear.out_features, linear.in_features):
            return name
    return None


def layers(module: Any) -> dict[str, Any]:
    """All linear and convolution layers of a network, by place: their paths with ``_`` for ``.``, without
    the ``text_model.`` that text encoders may have before them."""
    named = module.named_modules()
    found = {path: layer for path, layer in named if isinstance(layer, (nn.Linear, nn.Conv2d))}
    return {path.removeprefix("text_model.").replace(".", "_"): layer for path, layer in found.items()}


class Adaptation:
    """Which rows of the next calls of the network have which updates; none until ``begin`` says so."""

    def __init__(self, sets: Sequence[Updates]) -> None:
        self.sets = tuple(sets)
        self._rows: tuple[tuple[int, ...], ...] = ((),) * len(self.sets)
        self._places: dict[tuple[tuple[int, ...], torch.device], Tensor] = {}

    def begin(self, rows: Sequence[Sequence[int]]) -> None:
        """``rows[i]``: the batch's rows that have the i-th set."""
        assert len(rows) == len(self.sets)
        self._rows = tuple(tuple(some) for some in rows)

    def added(self, place: str, layer: Any, x: Tensor, out: Tensor) -> Tensor:
        """``out`` of the layer at ``place`` for ``x``, (batch, …), with the updates."""
        for updates, rows in zip(self.sets, self._rows, strict=True):
            if not rows or place not in updates.places:
                continue
            if len(rows) == len(x):
                out = out + updates.of(place, layer, x)
            else:
                at = self._at(rows, x.device)
                out = out.index_add(0, at, updates.of(place, layer, x[at]))
        return out

    def _at(self, rows: tuple[int, ...], device: torch.device) -> Tensor:
        """Moved to the device once: each move makes it wait."""
        if (rows, device) not in self._places:
            self._places[rows, device] = torch.tensor(rows, device=device)
        return self._places[rows, device]


@contextmanager
def adapted(network: Network, adaptation: Adaptation) -> Iterator[Adaptation]:
    """Inside the ``with`` the network's layers add ``adaptation``; after it the network is as it was.

    Gradients flow to adapters that require them. The adapters must fit (see ``misfit``).
    """
    with attached(network.module, adaptation, network.device, network.dtype):
        yield adaptation


@contextmanager
def attached(module: Any, adaptation: Adaptation, device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """The same for a torch module that computes there and so: a network's, or a text encoder."""
    sets = adaptation.sets
    adaptation.sets = tuple(each.placed(device, dtype) for each in sets)
    wanted = {place for each in sets for place in each.places}
    try:
        with ExitStack() as stack:
            for place, layer in layers(module).items() if wanted else ():
                if place in wanted:
                    handle = layer.register_forward_hook(_hook(adaptation, place))
                    stack.callback(handle.remove)
            yield
    finally:
        adaptation.sets = sets


def _hook(adaptation: Adaptation, place: str) -> Callable[[Any, tuple[Tensor, ...], Tensor], Tensor]:
    return lambda layer, inputs, out: adaptation.added(place, layer, inputs[0], out)


def _placed(tensor: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """On the device, and in the precision unless it is being learned."""
    return tensor.to(device) if tensor.requires_grad else tensor.to(device, dtype)


def _update(part: LowRank, scale: float, x: Tensor) -> Tensor:
    down, up = part.down.to(x), part.up.to(x)
    return scale * ((x @ down.T) @ up.T)
