"""How often a picture is shown while it forms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import Step
from palimpsest.storage.images import ImageStore
from palimpsest.tasks.progress import PREVIEW_COST, SECONDS_BETWEEN_PREVIEWS, Preview, thumbnail


@dataclass
class Clock:
    """Time passes only where something is said to take time."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Decoder:
    """Stands for a model of which only the decoder is used, and says how long it takes."""

    clock: Clock
    seconds: float

    def decode(self, z: Tensor) -> Tensor:
        self.clock.now += self.seconds
        return z.expand(1, 3, 8, 8)


def shown_at(tmp_path: Path, decoding: float, step_seconds: float, steps: int) -> list[float]:
    """When previews appeared, in seconds."""
    clock, seen = Clock(), []
    model = cast(DiffusionModel, Decoder(clock, decoding))
    preview = Preview(model, ImageStore(tmp_path), clock=clock)
    for index in range(1, steps + 1):
        clock.now += step_seconds
        if preview.of(Step("edit", index, steps, z0=torch.full((1, 1, 1, 1), index / steps))) is not None:
            seen.append(clock.now)
    return seen


def test_the_first_step_is_shown_and_then_no_more_than_the_eye_wants(tmp_path: Path) -> None:
    seen = shown_at(tmp_path, decoding=0.0, step_seconds=0.1, steps=30)
    assert seen[0] == pytest.approx(0.1)
    gaps = [later - earlier for earlier, later in pairwise(seen)]
    assert len(gaps) >= 4
    assert min(gaps) >= SECONDS_BETWEEN_PREVIEWS - 1e-9
    assert max(gaps) <= SECONDS_BETWEEN_PREVIEWS + 0.1 + 1e-9


def test_dear_previews_are_shown_seldom(tmp_path: Path) -> None:
    decoding, steps = 2.0, 200
    seen = shown_at(tmp_path, decoding, step_seconds=1.0, steps=steps)
    assert len(seen) > 3
    assert (len(seen) - 1) * decoding <= PREVIEW_COST * seen[-1]


@pytest.mark.parametrize(
    ("width", "height", "small"),
    [(64, 64, (64, 64)), (960, 40, (120, 40)), (40, 900, (40, 120)), (6000, 400, (256, 85))],
)
def test_of_a_very_long_picture_the_middle_is_seen(width: int, height: int, small: tuple[int, int]) -> None:
    """All of it would be a line of a few pixels."""
    picture = torch.full((1, 3, height, width), -1.0)
    picture[:, :, height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4] = 1
    seen = thumbnail(picture)
    assert seen.shape[1::-1] == small
    bright = seen.max(axis=(1, 2)).argmax(), seen.max(axis=(0, 2)).argmax()
    last = (seen[::-1].max(axis=(1, 2)).argmax(), seen[:, ::-1].max(axis=(0, 2)).argmax())
    assert bright == last, "its middle is theirs"
    assert max(seen[0, 0]) == 0
