"""What changes while a word is learned, and how it is kept in a file to go on from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from palimpsest.core.adapters import Adapters, LowRank
from palimpsest.core.finite import all_finite


@dataclass(frozen=True)
class AdapterState:
    """Of the adapters; all four have the same places and sizes."""

    now: Adapters
    means: Adapters  # Adam's first moments
    squares: Adapters  # Adam's second moments
    best: Adapters  # those of the lowest exam loss

    @staticmethod
    def first(adapters: Adapters) -> AdapterState:
        zeros = adapters.with_tensors([torch.zeros_like(tensor) for tensor in adapters.tensors])
        return AdapterState(adapters, zeros, zeros, adapters)

    def on(self, device: torch.device) -> AdapterState:
        """The same on another device, as they are needed where the gradients are."""
        parts = (self.now, self.means, self.squares, self.best)
        return AdapterState(*(part.with_tensors([t.to(device) for t in part.tensors]) for part in parts))

    def to_tensors(self) -> dict[str, Tensor]:
        tensors = {"adapters.alpha": torch.tensor(self.now.alpha, dtype=torch.float64)}
        for field in fields(self):
            for place, part in getattr(self, field.name).parts.items():
                tensors[f"adapters.{field.name}.{place}.down"] = part.down.clone()
                tensors[f"adapters.{field.name}.{place}.up"] = part.up.clone()
        return tensors

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor]) -> AdapterState | None:
        """None where there are none. Raises KeyError."""
        start, end = "adapters.now.", ".down"
        downs = [name for name in tensors if name.startswith(start) and name.endswith(end)]
        places = [name[len(start) : -len(end)] for name in downs]
        if not places:
            return None

        def part(name: str) -> Adapters:
            found = {
                place: LowRank(*(tensors[f"adapters.{name}.{place}.{side}"] for side in ("down", "up")))
                for place in places
            }
            return Adapters(found, float(tensors["adapters.alpha"]))

        return AdapterState(part("now"), part("means"), part("squares"), part("best"))


@dataclass(frozen=True)
class LearningState:
    """Everything that changes while learning; ``rows`` and Adam's moments are per text encoder."""

    step: int
    rows: tuple[Tensor, ...]  # (vectors, width) float32
    means: tuple[Tensor, ...]  # Adam's first moments
    squares: tuple[Tensor, ...]  # Adam's second moments
    best: tuple[Tensor, ...]  # the rows of the lowest exam loss
    best_step: int
    exams: tuple[float, ...]  # L_det before the first step and after every ``exam_every``
    adapters: AdapterState | None = None  # of a word that is learned with detail

    @property
    def learned(self) -> tuple[Tensor, ...]:
        """The rows, then the adapters' tensors."""
        return self.rows if self.adapters is None else (*self.rows, *self.adapters.now.tensors)

    def kept(self) -> LearningState:
        """The same with what is now as the best."""
        adapters = None if self.adapters is None else replace(self.adapters, best=self.adapters.now)
        return replace(self, best=self.rows, best_step=self.step, adapters=adapters)

    def to_tensors(self) -> dict[str, Tensor]:
        """A flat dictionary for a safetensors file."""
        tensors = {
            f"{name}.{i}": tensor.clone()
            for name in ("rows", "means", "squares", "best")
            for i, tensor in enumerate(getattr(self, name))
        }
        tensors["steps"] = torch.tensor([self.step, self.best_step])
        tensors["exams"] = torch.tensor(self.exams, dtype=torch.float64)
        return tensors if self.adapters is None else {**tensors, **self.adapters.to_tensors()}

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor]) -> LearningState:
        """The inverse of ``to_tensors``. Raises KeyError or ValueError for what is no state to go on from."""
        encoders = sum(name.startswith("rows.") for name in tensors)

        def part(name: str) -> tuple[Tensor, ...]:
            return tuple(tensors[f"{name}.{i}"] for i in range(encoders))

        step, best_step = (int(value) for value in tensors["steps"])
        exams = tuple(float(value) for value in tensors["exams"])
        if not all_finite(*tensors.values()):
            raise ValueError("the state holds NaN or infinity")
        parts = (part("rows"), part("means"), part("squares"), part("best"))
        return LearningState(step, *parts, best_step, exams, AdapterState.from_tensors(tensors))
