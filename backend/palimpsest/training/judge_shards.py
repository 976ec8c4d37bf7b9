"""The judge's examples on disk, in shards: an interrupted run goes on at the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from palimpsest.training.judge_data import study

TRIP_BATCH = 25  # pictures that go through an autoencoder at once


@dataclass(frozen=True)
class Examples:
    """Scenes as tensors."""

    pictures: Tensor  # (n, SIDE, SIDE, 3) uint8
    bodies: Tensor  # (n, THINGS, SIDE, SIDE / 8) uint8, packed bits
    boxes: Tensor  # (n, THINGS, 4) int16
    answers: Tensor  # (n, THINGS, heads) int8
    whole: Tensor  # (n, heads) int8
    round_trips: Tensor | None = None  # (m <= n, SIDE, SIDE, 3) uint8: the first m through an autoencoder

    def __len__(self) -> int:
        return self.pictures.shape[0]


@dataclass(frozen=True)
class Shards:
    """The examples of ``seeds`` in ``folder``, ``size`` to a file."""

    folder: Path
    seeds: range
    size: int

    @property
    def starts(self) -> range:
        """The first seed of each shard."""
        return range(self.seeds.start, self.seeds.stop, self.size)

    def file(self, start: int) -> Path:
        return self.folder / f"{start:08d}.safetensors"

    def round_trip_file(self, start: int) -> Path:
        return self.folder / f"{start:08d}-round-trip.safetensors"

    def draw(self) -> Iterator[int]:
        """Draw the shards that the folder lacks; yields how many are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for done, start in enumerate(self.starts, 1):
            if not self.file(start).is_file():
                examples = [study(seed) for seed in range(start, min(start + self.size, self.seeds.stop))]
                stacked = {key: torch.from_numpy(np.stack([e[key] for e in examples])) for key in examples[0]}
                _write(self.file(start), stacked)
            yield done

    def send(self, through: Callable[[Tensor], Tensor]) -> Iterator[int]:
        """Send the pictures ``through`` an autoencoder, (n, 3, h, w) in [-1, 1] to the same."""
        for done, start in enumerate(self.starts, 1):
            if not self.round_trip_file(start).is_file():
                pictures = load_file(self.file(start))["picture"].permute(0, 3, 1, 2)
                back = torch.cat([through(batch.float() / 127.5 - 1) for batch in pictures.split(TRIP_BATCH)])
                rounded = ((back.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).contiguous()
                _write(self.round_trip_file(start), {"picture": rounded})
            yield done

    def read(self) -> Examples:
        """All of them, with the round trips of those that were sent."""
        shards = [load_file(self.file(start)) for start in self.starts]
        joined = {key: torch.cat([shard[key] for shard in shards]) for key in shards[0]}
        sent = [file for start in self.starts if (file := self.round_trip_file(start)).is_file()]
        return Examples(
            joined["picture"], joined["bodies"], joined["boxes"], joined["answers"], joined["whole"],
            round_trips=torch.cat([load_file(file)["picture"] for file in sent]) if sent else None,
        )  # fmt: skip


def _write(file: Path, tensors: dict[str, Tensor]) -> None:
    """Whole or not at all."""
    partial = file.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(file)
