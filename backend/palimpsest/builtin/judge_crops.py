"""How the judge looks at pictures: at one size, and region by region through square crops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.builtin.judge_net import CROP, SIDE
from palimpsest.errors import ImageUnsupportedError
from palimpsest.scenes.truth import Box

Picture = NDArray[np.uint8]  # (height, width, 3)

STEP = 16  # pixels; the scene network's coarsest cell
LONGEST = 2 * SIDE
MARGIN = 1.25  # side of a crop in longer sides of the region
MARGIN_PIXELS = 5


def to_pixels(pictures: Sequence[Picture]) -> Tensor:
    """Pictures of one size as float32 (n, 3, height, width) in [-1, 1]."""
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ImageUnsupportedError(
                f"The judge reads 8-bit RGB pictures, not {picture.dtype} {picture.shape}.",
                "Convert the picture to RGB with 8 bits per channel first.",
            )
    stack = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stack.float() / 127.5 - 1


def working_size(height: int, width: int) -> tuple[int, int]:
    """The size at which a picture is read: short side ``SIDE``, both sides multiples of ``STEP``."""
    scale = SIDE / min(height, width)

    def fit(side: int) -> int:
        return min(max(round(side * scale / STEP) * STEP, SIDE), LONGEST)

    return fit(height), fit(width)


def resize(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Antialiased resize of (n, c, h, w); the same tensor when it already has the size."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return functional.interpolate(pixels, size, mode="bilinear", antialias=True, align_corners=False)


def square_around(box: Box) -> tuple[float, float, float]:
    """Centre (x, y) and side of the crop through which a box is seen."""
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) * MARGIN + MARGIN_PIXELS


def crop(pixels: Tensor, masks: Tensor, squares: Tensor) -> Tensor:
    """The region network's input.

    ``pixels``: (n, 3, h, w) in [-1, 1]; ``masks``: (n, h, w) in [0, 1]; ``squares``: (n, 3) centre x, centre
    y and side, in pixels. Beyond the picture's border its edge is repeated and the mask is empty.
    Returns (n, 4, CROP, CROP) in [-1, 1].
    """
    height, width = pixels.shape[-2:]
    steps = (torch.arange(CROP) + 0.5) / CROP - 0.5  # (CROP,) in sides of the square
    x = (squares[:, :1] + steps * squares[:, 2:]) * 2 / width - 1  # (n, CROP)
    y = (squares[:, 1:2] + steps * squares[:, 2:]) * 2 / height - 1
    grid = torch.stack([x[:, None, :].expand(-1, CROP, -1), y[:, :, None].expand(-1, -1, CROP)], -1)
    colours = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    region = functional.grid_sample(masks[:, None], grid, padding_mode="zeros", align_corners=False)
    return torch.cat([colours, region * 2 - 1], 1)
