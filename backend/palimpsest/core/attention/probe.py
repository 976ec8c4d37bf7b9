"""A word's attention map without sampling: look at a few noise levels and average.

Each level is one evaluation of the UNet with the photo's caption, so a map takes moments. The states
come from an inversion if there is one, else the photo's latent is noised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from palimpsest.core.attention.install import AttentionControl, Rows, controlled
from palimpsest.core.attention.maps import Levels, WordMaps
from palimpsest.core.inversion import Inversion, picture_size
from palimpsest.core.model import Conditioning, DiffusionModel
from palimpsest.core.schedule import add_noise
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt

NOISE_LEVELS = (0.1, 0.2, 0.3)
"""Fractions of the training timesteps. Where things are is seen best when little noise hides them."""

State = tuple[int, Tensor]  # a timestep and the latent (1, c, h, w) at its noise level


def noised_states(
    model: DiffusionModel, z0: Tensor, levels: Iterable[float] = NOISE_LEVELS, seed: int = 0
) -> list[State]:
    """The photo's latent with noise of each level, one noise for all."""
    eps = torch.randn(z0.shape, generator=torch.Generator().manual_seed(seed)).to(model.device)
    last = len(model.noise.alphas_cumprod) - 1
    timesteps = [min(round(level * last), last) for level in levels]
    return [(t, add_noise(model.noise, z0.to(eps), eps, t)) for t in timesteps]


def inverted_states(
    model: DiffusionModel, inversion: Inversion, levels: Iterable[float] = NOISE_LEVELS
) -> list[State]:
    """The inversion's own latents nearest to each level, each once."""
    last = len(model.noise.alphas_cumprod) - 1
    steps = range(inversion.steps)
    nearest = {min(steps, key=lambda i: abs(inversion.timesteps[i] - level * last)) for level in levels}
    return [(inversion.timesteps[i], inversion.before(i)) for i in sorted(nearest)]


def probe(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    source: Prompt,
    words: Sequence[str],
    states: Sequence[State],
) -> Steps[Mapping[str, Tensor]]:
    """Each word's map as (h, w) of the latent in [0, 1]. Raises WordNotFoundError."""
    z = states[0][1]
    levels = Levels.of(model.unet, (z.shape[-2], z.shape[-1]), model.map_side)
    maps = WordMaps(source, words, levels.map_size)
    control = AttentionControl((), len(states), levels)
    control.source_maps.append(maps)
    cond = vocabulary.encode([source], picture_size(model, z))
    with controlled(model.unet, control):
        for index, (t, z_t) in enumerate(states):
            control.begin(index, Rows((), source=0))
            _look(model, z_t, t, cond)
            yield Step("probe", index + 1, len(states))
    return maps.normalised(levels.latent)


@torch.no_grad()
def _look(model: DiffusionModel, z: Tensor, t: int, cond: Conditioning) -> None:
    model.eps(z.to(model.device), t, cond)
