"""A word's attention map without sampling: look at a few noise levels and average.

Each level is one evaluation of the network with the photo's caption, so a map takes moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from palimpsest.core.attention.control import AttentionControl, Rows
from palimpsest.core.attention.maps import Levels, WordMaps
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.inversion import picture_size
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, noised
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt

NOISE_LEVELS = (0.1, 0.2, 0.3)
"""Shares of the noise process. Where things are is seen best when little noise hides them."""

State = tuple[Level, Tensor]  # a noise level and the latent (1, c, h, w) there


def noised_states(
    model: DiffusionModel, z0: Tensor, shares: Iterable[float] = NOISE_LEVELS, seed: int = 0
) -> list[State]:
    """The photo's latent with noise of each share, one noise for all."""
    eps = torch.randn(z0.shape, generator=torch.Generator().manual_seed(seed)).to(model.device)
    levels = [model.process.level(share) for share in shares]
    return [(level, noised(model.process, z0.to(eps), eps, level)) for level in levels]


def probe(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    source: Prompt,
    words: Sequence[str],
    states: Sequence[State],
) -> Steps[Mapping[str, Tensor]]:
    """Each word's map as (h, w) of the latent in [0, 1]. Raises WordNotFoundError."""
    z = states[0][1]
    levels = Levels.of(model.network, (z.shape[-2], z.shape[-1]), model.map_side)
    maps = WordMaps(source, words, levels.map_size)
    control = AttentionControl((), len(states), levels)
    control.source_maps.append(maps)
    cond = vocabulary.encode([source], picture_size(model, z))
    with model.network.attending(control):
        for index, (level, z) in enumerate(states):
            control.begin(index, Rows((), source=0))
            _look(model, z, level, cond)
            yield Step("probe", index + 1, len(states))
    return maps.normalised(levels.latent)


@torch.no_grad()
def _look(model: DiffusionModel, z: Tensor, level: Level, cond: Conditioning) -> None:
    model.predict(z.to(model.device), level, cond)
