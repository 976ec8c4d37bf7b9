"""What an inversion method is: one object in a file of its own, which is called as the method is.

What is to be known of it without torch stands in ``palimpsest_client/methods.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from palimpsest.core.attention.record import Record
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, Process, guided, step
from palimpsest.core.steps import Steps


@dataclass(frozen=True)
class Photo:
    """What is to be made reproducible, and at which levels of noise."""

    model: DiffusionModel
    pivots: Tensor  # (n + 1, 1, c, h, w) float32, on the model's device: z_0, and what else is known
    cond: Conditioning  # of its caption
    null: Conditioning
    levels: tuple[Level, ...]  # noisiest first
    guidance: float  # that editing will use
    reach: int  # how many levels from the clean end are asked for, n or more
    record: Record | None = None  # where what its attention layers see is kept
    noises: Tensor | None = None  # (n, 1, c, h, w): what is known of ``Found.noises``


class Found(NamedTuple):
    """What a method leaves behind."""

    pivots: Tensor  # (reach + 1, 1, c, h, w) float32, z_0 first
    nulls: Tensor | None = None  # (steps, 1, tokens, width) float32, noisiest first
    path: Tensor | None = None  # like ``pivots``: where the photo's branch goes; None: along the pivots
    noises: Tensor | None = None  # (reach, 1, c, h, w) float32, cleanest first: what a target's steps add


class Cost(NamedTuple):
    """Evaluations of the network in one step, at most."""

    forward: float
    backward: float = 0.0


class Method(ABC):
    """``constants`` are of the method's own kind; None = as published.

    ``whole``: what it does begins at the noisiest level, so that its inversion is never a part of one.
    ``recorded``: an edit attends to the photo as DDIM inversion's own evaluations did (``record.py``).
    """

    whole = False
    recorded = False

    def constants(self, inner_steps: int) -> Any:
        """Those for so many steps of optimising per timestep, where it optimises. Raises RequestError."""
        return None

    @abstractmethod
    def invert(self, photo: Photo, constants: Any) -> Steps[Found]: ...

    def guide(self, null: Tensor, cond: Tensor, scale: float) -> Tensor:
        """The prediction by which the targets of an edit are sampled."""
        return guided(null, cond, scale)

    def step(
        self, process: Process, z: Tensor, prediction: Tensor, level: Level, to: Level, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """A sampling step of an edit's targets, and their ẑ_0. ``noise``: this step's of ``Found.noises``."""
        return step(process, z, prediction, level, to)

    def cost(self, constants: Any) -> Mapping[str, Cost]:
        """By its phases (``Step.phase``), in their order."""
        return {"invert": Cost(forward=1)}
