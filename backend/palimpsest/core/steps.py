"""What long work yields. A caller that iterates owns progress, previews and cancelling."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """One finished unit of work, ``index`` of ``total`` (1-based), within a named phase."""

    phase: str  # "invert", "optimise", "edit", "learn", "decode"
    index: int
    total: int
    z0: Tensor | None = None  # current estimate of the clean latent(s), (batch, c, h, w), for a preview
    loss: float | None = None


Steps = Generator[Step, None, Result]
"""A generator of steps that returns a result: ``result = yield from invert(...)``."""


def finish(steps: Steps[Result]) -> Result:
    """Run to the end without watching."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def retold(steps: Steps[Result], told: Callable[[Step], Step]) -> Steps[Result]:
    """The same steps, each as ``told`` says it. Closing this generator closes them."""
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                return stop.value
            yield told(step)
    finally:
        steps.close()
