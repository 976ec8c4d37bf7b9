"""A thing that the model draws from its words alone, cut out: for an edit to begin from where there is no
picture of the thing.

Drawn alone a thing is whole far more often than drawn into a photo (docs/algorithms.md has the figures).
Where the ground is the photo's own, what is cut out of it beside the thing doesn't show when that is laid in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.attention.probe import NOISE_LEVELS, noised_states, probe
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.learning.subject import outlined
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.cutout import cut_out
from palimpsest.core.picture.outline import OutlineSettings
from palimpsest.core.picture.region import Mask
from palimpsest.core.steps import Step, Steps, retold
from palimpsest.core.text.prompt import Vocabulary

MOST_STEPS = 20  # of DPM-Solver++ 2M; fewer where the model's own are fewer
LOOKS = len(NOISE_LEVELS) + OutlineSettings().rounds  # steps in which the thing is found in its drawing
SEEDS_APART = 1_000_003  # from the seed of the edit's own noise, which may have the same shape
LEAST_PART = 0.25  # of the largest connected part's area; smaller ones are the ground's


def draw_thing(
    model: DiffusionModel, vocabulary: Vocabulary, sentence: str, thing: str, guidance: float, seed: int
) -> Steps[NDArray[np.uint8]]:
    """A cut-out (h, w, 4) of what the words ``thing`` of ``sentence`` stand for, drawn at native size.

    The same seed gives the same one; ``drawing_steps`` steps called "draw", then ``LOOKS`` called "probe".
    """
    prompt = vocabulary.parse(sentence)
    noise = start_noise(model, seed + SEEDS_APART)
    steps = drawing_steps(model)
    z0 = yield from draw(model, vocabulary, [prompt], noise, guidance, steps, second_order=True)
    looking = probe(model, vocabulary, prompt, [thing], noised_states(model, z0, seed=seed))
    maps = yield from retold(looking, _after(0))
    picture = _pixels(model, z0)
    outlining = outlined([picture], [maps[thing].float().cpu()])
    (mask,) = yield from retold(outlining, _after(len(NOISE_LEVELS)))
    return cut_out(picture, main_parts(mask), None, model.native_size)


def drawing_steps(model: DiffusionModel) -> int:
    return min(MOST_STEPS, model.steps)


def _after(looks: int) -> Callable[[Step], Step]:
    return lambda step: replace(step, index=looks + step.index, total=LOOKS)


def main_parts(mask: Mask) -> Mask:
    """Of a mask its connected parts (corners connect) that are no specks beside the largest one, without
    lines of one or two pixels: a horizon is no part of what stands before it.

    All of the mask if nothing is left.
    """
    thick = -_spread(-torch.from_numpy(mask > 0).float()[None, None])  # 1 where all around is inside
    inside = _spread(thick)
    numbers = torch.arange(1, inside.numel() + 1, dtype=torch.float32).view_as(inside) * inside
    while True:
        spread = _spread(numbers) * inside
        if torch.equal(spread, numbers):
            break
        numbers = spread
    part = numbers[0, 0].long()
    areas = torch.bincount(part.flatten())
    areas[0] = 0
    main = (areas >= LEAST_PART * areas.max()) & (areas > 0)
    return np.where(main[part].numpy(), np.uint8(255), np.uint8(0)) if main.any() else mask


def _spread(plane: Tensor) -> Tensor:
    """The largest value of each cell and those around it, (1, 1, h, w)."""
    return functional.max_pool2d(plane, 3, stride=1, padding=1)


@torch.no_grad()
def _pixels(model: DiffusionModel, z0: Tensor) -> NDArray[np.float32]:
    """sRGB in [0, 1], (h, w, 3)."""
    decoded = model.decode(z0).cpu().float()[0]
    return ((decoded.clamp(-1, 1) + 1) / 2).permute(1, 2, 0).numpy()
