"""A subject cut out of its own picture, and pasted where an edit is to begin.

An edit that begins from a pasted picture, noised to a part of the noise levels, keeps as much of it as was
left of it (SDEdit: Meng et al. 2022, which pastes patches and strokes so). Level 0 keeps the pasted picture,
all levels keep nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.picture.region import Box, Mask, Size, bounds, resize
from palimpsest.errors import SelectionEmptyError

ROOM = 0.95  # of the selection's box that a subject fills: a selection is drawn around what is to be there
INSIDE = 0.995  # of a subject's pixels, at least: a selection cuts off what lies outside it
SCALES = tuple(0.95**n for n in range(10))  # at which it is tried, largest first
MOVES = (0.0, -0.05, 0.05, -0.1, 0.1, -0.15, 0.15)  # across, in widths of the selection's box, nearest first
RAISES = (0.0, 0.05, 0.1)  # from the foot, in its heights
LEAST_OPACITY = 1 / 255


@dataclass(frozen=True, eq=False)
class CutOut:
    """A subject without its ground, as small as it can be."""

    pixels: Tensor  # (1, 3, h, w) in [-1, 1], not multiplied by its opacity
    opacity: Tensor  # (1, 1, h, w) in [0, 1]

    @property
    def size(self) -> Size:
        return Size(int(self.pixels.shape[-1]), int(self.pixels.shape[-2]))

    @staticmethod
    def of(rgba: NDArray[np.uint8]) -> CutOut:
        """(h, w, 4), as ``cut_out`` makes it."""
        planes = torch.from_numpy(rgba.astype(np.float32) / 255).permute(2, 0, 1)[None]
        return CutOut(planes[:, :3] * 2 - 1, planes[:, 3:])


def cut_out(
    picture: NDArray[np.float32],
    mask: Mask,
    opacity: NDArray[np.float32] | None,
    most: int,
    number: int = 1,
) -> NDArray[np.uint8]:
    """(h, w, 4): what ``mask`` selects of a picture, at most ``most`` pixels on its longer side.

    ``picture``: sRGB in [0, 1], (H, W, 3), over white where ``opacity`` (H, W) says that it is transparent.
    ``number``: of the picture, for people. Raises SelectionEmptyError for a mask of nothing.
    """
    seen = mask / np.float32(255) if opacity is None else mask / np.float32(255) * opacity
    if not (seen >= LEAST_OPACITY).any():
        raise SelectionEmptyError(
            f"The mask of picture {number} selects nothing that can be seen.",
            "Mark the subject in it, or leave the mask out.",
            picture=number,
        )
    box = bounds(np.where(seen >= LEAST_OPACITY, np.uint8(255), np.uint8(0)), Size(*mask.shape[::-1]))
    colours, alpha = picture[box.slices], seen[box.slices][..., None]
    if opacity is not None:  # the white under it is taken away again
        over = np.maximum(opacity[box.slices][..., None], LEAST_OPACITY)
        colours = 1 + (colours - 1) / over
    scale = min(1.0, most / max(box.size))
    size = Size(*(max(1, round(scale * length)) for length in box.size))
    planes = torch.from_numpy(np.ascontiguousarray(np.concatenate([colours, alpha], axis=-1), np.float32))
    small = resize(planes.permute(2, 0, 1)[None], size)[0].clamp(0, 1).permute(1, 2, 0).numpy()
    return np.rint(small * 255).astype(np.uint8)


def by_fit(cutouts: Sequence[CutOut], selection: Tensor) -> list[int]:
    """Their indices, the one whose shape is most like that of the selection's box first; of equally good ones
    the largest. ``selection``: (1, 1, h, w), above 0 where selected."""
    around = _box(selection).size
    wanted = math.log(around.width / around.height)

    def misfit(index: int) -> tuple[float, int]:
        size = cutouts[index].size
        return round(abs(math.log(size.width / size.height) - wanted), 2), -size.width * size.height

    return sorted(range(len(cutouts)), key=misfit)


def place(cutout: CutOut, selection: Tensor, standing: Tensor | None = None) -> Box:
    """Where a cut-out comes to lie in the selection (1, 1, h, w), in its pixels.

    As large as fits into ``ROOM`` of the selection's box, at its foot, in the middle across. Where it takes
    another thing's place, ``standing`` (1, 1, h, w): at that thing's foot, and its box has the area of that
    thing's, as far as the selection's box has room. Where the selection, which needn't be a rectangle, leaves
    less than ``INSIDE`` of it to be seen there, it is moved a little, or made a little smaller, until enough
    is; where it never is, most of it is seen as large as can be. Raises SelectionEmptyError.
    """
    around = _box(selection)
    width, height = cutout.size
    scale = ROOM * min(around.size.width / width, around.size.height / height)
    middle, foot = (around.left + around.right) / 2, around.bottom - (1 - ROOM) / 2 * around.size.height
    if standing is not None:
        old = _box(standing)
        scale = min(scale, math.sqrt(old.size.width * old.size.height / (width * height)))
        middle, foot = (old.left + old.right) / 2, old.bottom
    best, most = None, -1.0
    for smaller in SCALES:
        size = Size(*(max(1, round(smaller * scale * length)) for length in (width, height)))
        opacity = resize(cutout.opacity, size).clamp(0, 1)
        for box in _boxes(around, size, middle, foot):
            seen = float(
                (opacity * (selection[(..., *box.slices)] > 0)).sum() / opacity.sum().clamp_min(1e-6)
            )
            if seen >= INSIDE:
                return box
            if seen * smaller > most:
                best, most = box, seen * smaller
    assert best is not None
    return best


def _boxes(around: Box, size: Size, middle: float, foot: float) -> list[Box]:
    """Of that size in ``around``: at the foot and in the middle, and moved from there, nearest first."""
    places = sorted(((move, rise) for move in MOVES for rise in RAISES), key=lambda p: abs(p[0]) + p[1])
    boxes = []
    for move, rise in places:
        centre, bottom = middle + move * around.size.width, round(foot - rise * around.size.height)
        left = _between(around.left, math.floor(centre - size.width / 2), around.right - size.width)
        top = _between(around.top, bottom - size.height, around.bottom - size.height)
        boxes.append(Box(left, top, left + size.width, top + size.height))
    return boxes


def paste(pixels: Tensor, cutout: CutOut, box: Box, selection: Tensor) -> tuple[Tensor, Tensor]:
    """``pixels`` (1, 3, h, w) in [-1, 1] with the cut-out in ``box``, and its opacity there (1, 1, h, w).
    Outside the selection (1, 1, h, w) nothing is laid."""
    height, width = pixels.shape[-2:]
    around = (box.left, width - box.right, box.top, height - box.bottom)
    alpha = functional.pad(resize(cutout.opacity, box.size).clamp(0, 1), around)
    laid = functional.pad(resize(cutout.pixels, box.size).clamp(-1, 1), around)
    alpha = (alpha * (selection > 0)).to(pixels)
    return alpha * laid.to(pixels) + (1 - alpha) * pixels, alpha


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def _box(selection: Tensor) -> Box:
    """Around what is selected. Raises SelectionEmptyError."""
    rows = torch.nonzero(selection[0, 0].amax(dim=1) > 0).flatten().tolist()
    columns = torch.nonzero(selection[0, 0].amax(dim=0) > 0).flatten().tolist()
    if not rows:
        raise SelectionEmptyError("Nothing is selected to lay the subject in.", "Select where it should be.")
    return Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
