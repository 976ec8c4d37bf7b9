"""What stands around a cut-out while a word is learned from it: a picture that the model itself draws.

A cut-out has no surroundings, and a plain colour in their place is no picture that a model knows: the loss
is then about the colour. So the model draws a ground for each cut-out, from no words at all. Judged on the
built-in model, four cut-outs of one toy put into a photo: on white it is the toy in 0 of 4 edits, on drawn
grounds in 9 of 12 (two lessons), learned from the whole photos with the same masks in 12 of 12 (two lessons).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import concepts_installed

STEPS = 20
SEEDS_APART = 1_000_003  # between two lessons, so that they share no ground


def put_on_grounds(
    model: DiffusionModel,
    pictures: Sequence[NDArray[np.float32]],
    opacities: Sequence[NDArray[np.float32] | None],
    seed: int = 0,
) -> Steps[tuple[NDArray[np.float32], ...]]:
    """The pictures, each cut-out among them over a ground of its own.

    ``pictures``: sRGB in [0, 1] (h, w, 3), over white where they are transparent. ``opacities``: (h, w) in
    [0, 1], None for a picture without transparency. The same seed draws the same grounds.
    """
    cut_outs = sum(opacity is not None for opacity in opacities)
    made, drawn = [], 0
    for index, (picture, opacity) in enumerate(zip(pictures, opacities, strict=True)):
        if opacity is None:
            made.append(picture)
            continue
        z0 = torch.empty(0)
        for formed in _drawn(model, seed * SEEDS_APART + index):
            z0, drawn = formed, drawn + 1
            yield Step("ground", drawn, cut_outs * STEPS)
        ground = _fitted(model, z0, opacity.shape)
        made.append(picture + (1 - opacity[..., None]) * (ground - 1))
    return tuple(made)


def _drawn(model: DiffusionModel, seed: int) -> Iterator[Tensor]:
    """z_0 as it forms, from no words."""
    with concepts_installed(model, []) as vocabulary:
        steps = draw(model, vocabulary, [vocabulary.parse("")], start_noise(model, seed), 1.0, STEPS)
        for step in steps:
            assert step.z0 is not None
            yield step.z0


@torch.no_grad()
def _fitted(model: DiffusionModel, z0: Tensor, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The drawn square at the size of a picture (h, w), its middle where that is no square: (h, w, 3)."""
    height, width = shape
    side = max(shape)
    decoded = model.decode(z0).cpu().float()
    square = functional.interpolate(decoded, (side, side), mode="bicubic", antialias=True)
    top, left = (side - height) // 2, (side - width) // 2
    part = (square[0, :, top : top + height, left : left + width].clamp(-1, 1) + 1) / 2
    return part.permute(1, 2, 0).numpy()
