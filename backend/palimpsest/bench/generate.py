"""Pictures from prompts, round trips through the autoencoder, and the time of one UNet evaluation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from palimpsest.bench.pictures import Picture
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn. Picture ``i`` starts from noise seeded by ``seed + i``, whatever the batch."""

    guidance: float
    steps: int
    batch: int = 16
    seed: int = 0


def generate(model: DiffusionModel, prompts: Sequence[str], sampling: Sampling) -> Iterator[list[Picture]]:
    """Batch by batch, in order."""
    with concepts_installed(model, ()) as vocabulary:
        for start in range(0, len(prompts), sampling.batch):
            batch = prompts[start : start + sampling.batch]
            z = torch.cat([start_noise(model, sampling.seed + start + i) for i in range(len(batch))])
            parsed = [vocabulary.parse(prompt) for prompt in batch]
            drawn = draw(model, vocabulary, parsed, z, sampling.guidance, sampling.steps)
            yield from_pixels(model.decode(finish(drawn)))


def round_trip(model: DiffusionModel, pictures: Sequence[Picture]) -> list[Picture]:
    """Encoded (the distribution's mean), decoded, rounded to 8 bits."""
    return from_pixels(model.decode(model.encode(to_pixels(pictures).to(model.device))))


def psnr(a: Picture, b: Picture) -> float:
    """Peak signal-to-noise ratio of two 8-bit pictures in dB; infinite for equal ones."""
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


@torch.no_grad()
def unet_seconds(model: DiffusionModel, batch: int, repeats: int = 7) -> float:
    """Median wall time in seconds of one UNet evaluation at native size."""
    z = start_noise(model, 0).expand(batch, -1, -1, -1)
    with concepts_installed(model, ()) as vocabulary:
        null = vocabulary.null().expand(batch)
    times = []
    for _ in range(repeats + 1):  # the first run warms up
        start = time.perf_counter()
        model.predict(z, 1, null)[0, 0, 0, 0].item()  # reading a value waits for the device
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def to_pixels(pictures: Sequence[Picture]) -> Tensor:
    """8-bit pictures of one size as (n, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def from_pixels(pixels: Tensor) -> list[Picture]:
    return list(((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy())
