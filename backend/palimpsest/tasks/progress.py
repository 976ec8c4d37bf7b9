"""From the mathematics' steps to the events that people watch: progress, time left, previews."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import Step, Steps
from palimpsest.errors import OutOfMemoryError, Text
from palimpsest.jobs.events import Events, Previewed, Progressed, Result
from palimpsest.storage.images import ImageStore
from palimpsest.storage.png import encode

PHASES = {
    "invert": "inverting",
    "optimise": "optimising",
    "edit": "editing",
    "compare": "comparing",
    "ground": "drawing",
    "prepare": "preparing",
    "learn": "learning",
    "probe": "looking",
    "draw": "sampling",
}
SECONDS_BETWEEN_PREVIEWS = 0.5
PREVIEW_COST = 0.1  # most of the time that may go into previews
PREVIEW_SIDE = 256
PREVIEW_SHAPE = 3  # times as wide as high, or as high as wide, at most


@dataclass
class PhaseTimer:
    """The phases of a job in their order, and about how long a step of each is compared to the others."""

    phases: dict[str, tuple[int, float]]  # phase → (steps, cost of one)
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def progressed(self, phase: str, index: int, total: int) -> Progressed:
        """Raises nothing: a phase that isn't among them has no time left to tell."""
        done, whole, reached = 0.0, 0.0, False
        for name, (steps, cost) in self.phases.items():
            if name == phase:
                done, whole, reached = whole + index * cost, whole + total * cost, True
            else:
                whole += steps * cost
        if not reached or done == 0:
            return Progressed(phase, index, total)
        left = (self.clock() - self.started) / done * (whole - done)
        return Progressed(phase, index, total, round(left, 1))


@dataclass
class Preview:
    """Small pictures of the forming result, not too often and not too dear."""

    model: DiffusionModel
    images: ImageStore
    enabled: bool = True
    clock: Callable[[], float] = time.monotonic
    spent: float = 0.0
    last: float | None = None
    begun: float | None = None  # when the drawing of a picture only for the preview began

    def wanted(self) -> bool:
        """Whether a picture is to be drawn only to be seen; the time until it comes counts as its cost."""
        if not self.enabled or not self._due():
            return False
        self.begun = self.clock()
        return True

    def of(self, step: Step) -> Previewed | None:
        if not self.enabled or step.z0 is None or not self._due():
            return None
        before = self.clock() if self.begun is None else self.begun
        image = self.images.put(encode(thumbnail(self.model.decode(step.z0[:1]))))
        self.last, self.begun = self.clock(), None
        self.spent = self.last - before
        return Previewed(image)

    def _due(self) -> bool:
        if self.last is None:
            return True
        return self.clock() - self.last >= max(SECONDS_BETWEEN_PREVIEWS, self.spent / PREVIEW_COST)


def thumbnail(picture: Tensor) -> NDArray[np.uint8]:
    """(1, 3, h, w) in [-1, 1] → (h', w', 3) uint8, no side longer than ``PREVIEW_SIDE``.

    Of a picture that is longer than ``PREVIEW_SHAPE`` : 1 the middle: all of it would be a line.
    """
    most = PREVIEW_SHAPE * min(picture.shape[-2:])
    for axis in (-2, -1):
        over = picture.shape[axis] - most
        picture = picture if over <= 0 else picture.narrow(axis, over // 2, most)
    longest = max(picture.shape[-2:])
    if longest > PREVIEW_SIDE:
        size = [max(1, length * PREVIEW_SIDE // longest) for length in picture.shape[-2:]]
        picture = torch.nn.functional.interpolate(picture, size, mode="area")
    return to_pixels(picture)


def to_pixels(picture: Tensor) -> NDArray[np.uint8]:
    """(1, 3, h, w) in [-1, 1] → (h, w, 3) uint8."""
    return ((picture[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()


def with_progress(steps: Steps[Result], timer: PhaseTimer, preview: Preview | None = None) -> Events[Result]:
    """Run ``steps``, saying what happens. Closing this generator closes them, and so unwinds the model."""
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                return stop.value
            yield timer.progressed(PHASES[step.phase], step.index, step.total)
            seen = None if preview is None else preview.of(step)
            if seen is not None:
                yield seen
    finally:
        steps.close()


@contextmanager
def memory_errors(device: torch.device, what: Text, lower: Text) -> Iterator[None]:
    """Out of memory inside the ``with`` becomes an error that says ``what`` was too large, what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if device.type == "cuda":
            torch.cuda.empty_cache()
        raise OutOfMemoryError(Text("memory-short", device=str(device), what=what), lower) from error


def is_out_of_memory(error: BaseException) -> bool:
    """PyTorch has a class for this on CUDA only; on the CPU and MPS it is a sentence."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    reason = str(error).lower()
    return "can't allocate memory" in reason or "not enough memory" in reason or "out of memory" in reason
