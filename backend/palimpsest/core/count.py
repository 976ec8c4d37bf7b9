"""How much work was done: UNet evaluations, one per sample of every batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from palimpsest.core.model import DiffusionModel


@dataclass
class Count:
    """``evaluations`` grows while the ``with counted(...)`` lasts."""

    evaluations: int = 0


@contextmanager
def counted(model: DiffusionModel) -> Iterator[Count]:
    """Count every sample that the UNet evaluates inside the ``with``."""
    count = Count()

    def hook(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], _output: Any) -> None:
        sample = args[0] if args else kwargs["sample"]
        count.evaluations += int(sample.shape[0])

    handle = model.unet.register_forward_hook(hook, with_kwargs=True)
    try:
        yield count
    finally:
        handle.remove()
