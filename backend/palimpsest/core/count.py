"""How much work was done: evaluations of the network, one per sample of every batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from palimpsest.core.model import DiffusionModel


@dataclass
class Count:
    """All grow while the ``with counted(...)`` lasts."""

    evaluations: int = 0
    calls: int = 0  # of the network: a batch is one, however many samples it has
    backward: int = 0  # of them, those that a gradient was led back through


@contextmanager
def counted(model: DiffusionModel) -> Iterator[Count]:
    """Count every sample that the network evaluates inside the ``with``."""
    count = Count()

    def hook(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        sample = args[0] if args else kwargs["sample"]
        count.evaluations += int(sample.shape[0])
        count.calls += 1
        predicted = output[0]
        if isinstance(predicted, Tensor) and predicted.requires_grad:
            predicted.register_hook(led_back)

    def led_back(gradient: Tensor) -> None:
        count.backward += int(gradient.shape[0])

    handle = model.network.module.register_forward_hook(hook, with_kwargs=True)
    try:
        yield count
    finally:
        handle.remove()
