"""Pictures from prompts, round trips through the autoencoder, and the time of one UNet evaluation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from palimpsest.bench.pictures import Picture
from palimpsest.core.model import Conditioning, DiffusionModel
from palimpsest.core.prompt import Vocabulary, concepts_installed
from palimpsest.core.schedule import ddim, pairs, timesteps


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn. Picture ``i`` starts from noise seeded by ``seed + i``, whatever the batch."""

    guidance: float
    steps: int = 20
    batch: int = 16
    seed: int = 0


def generate(model: DiffusionModel, prompts: Sequence[str], sampling: Sampling) -> Iterator[list[Picture]]:
    """DDIM with classifier-free guidance (Ho & Salimans 2022); yields batch by batch, in order."""
    with concepts_installed(model, ()) as vocabulary:
        for start in range(0, len(prompts), sampling.batch):
            batch = prompts[start : start + sampling.batch]
            z = torch.cat([start_noise(model, sampling.seed + start + i) for i in range(len(batch))])
            yield from_pixels(model.decode(sample(model, vocabulary, batch, z, sampling)))


@torch.no_grad()
def sample(
    model: DiffusionModel, vocabulary: Vocabulary, prompts: Sequence[str], z: Tensor, sampling: Sampling
) -> Tensor:
    """z_T to z_0, both (prompts, c, h, w)."""
    conditional = vocabulary.encode([vocabulary.parse(prompt) for prompt in prompts])
    both = Conditioning.cat([vocabulary.null().expand(len(prompts)), conditional])
    for t, t_prev in pairs(timesteps(model.noise, sampling.steps)):
        null, text = model.eps(torch.cat([z, z]), t, both).chunk(2)
        z = ddim(model.noise, z, null + sampling.guidance * (text - null), t, t_prev)
    return z


def start_noise(model: DiffusionModel, seed: int) -> Tensor:
    """Standard normal noise of one picture at native size, (1, c, h, w); the same on every device."""
    side = model.native_size // model.stride
    shape = (1, int(model.unet.config.in_channels), side, side)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device)


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
        model.eps(z, 1, null)[0, 0, 0, 0].item()  # reading a value waits for the device
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def to_pixels(pictures: Sequence[Picture]) -> Tensor:
    """8-bit pictures of one size as (n, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def from_pixels(pixels: Tensor) -> list[Picture]:
    return list(((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy())
