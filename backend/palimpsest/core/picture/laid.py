"""A photo with a subject's cut-out laid into it, as an edit begins from it, and as fine as the canvas is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.picture.cutout import LEAST_OPACITY, CutOut, paste, place
from palimpsest.core.picture.fill import harmonic_fill
from palimpsest.core.picture.region import Box, Region, Size, Widened, as_planes, resize, widened

SEAM = 4 / 128  # width of what is filled around a thing that goes, in sides of the picture


@dataclass(frozen=True, eq=False)
class Laid:
    """Where the model sees it. What stood where the cut-out lies is filled with what is around it."""

    pixels: Tensor  # (1, 3, h, w) in [-1, 1]
    opacity: Tensor  # (1, 1, h, w) in [0, 1]: of the cut-out
    ground: Tensor  # (1, 3, h, w) in [-1, 1]: the same without the cut-out
    filled: Tensor  # (1, 1, h, w): 1 where what stood there was filled
    cutout: CutOut
    box: Box  # that the cut-out lies in

    @property
    def changed(self) -> Tensor:
        """(1, 1, h, w): 1 where it isn't the photo."""
        return ((self.opacity >= LEAST_OPACITY) | (self.filled > 0)).float()


@dataclass(frozen=True, eq=False)
class Ground:
    """What a cut-out is laid on: a photo, without the thing whose place it takes."""

    pixels: Tensor  # (1, 3, h, w) in [-1, 1]
    selection: Tensor  # (1, 1, h, w), above 0 where selected
    standing: Tensor | None  # (1, 1, h, w), above 0 where that thing stands
    filled: Tensor  # (1, 1, h, w): 1 where the photo was filled with what is around it


def cleared(photo: Tensor, selection: Tensor, standing: Tensor | None = None) -> Ground:
    """``photo``: (1, 3, h, w) in [-1, 1]."""
    if standing is None:
        return Ground(photo, selection, None, torch.zeros_like(photo[:, :1]))
    reach = round(SEAM * max(photo.shape[-2:]))
    filled = functional.max_pool2d(standing, 2 * reach + 1, stride=1, padding=reach) * (selection > 0)
    return Ground(harmonic_fill(photo, filled), selection, standing, filled)


def lay(ground: Ground, cutout: CutOut) -> Laid:
    """Raises SelectionEmptyError."""
    box = place(cutout, ground.selection, ground.standing)
    pixels, opacity = paste(ground.pixels, cutout, box, ground.selection)
    return Laid(pixels, opacity, ground.pixels, ground.filled, cutout, box)


@dataclass(frozen=True, eq=False)
class LaidOnCanvas:
    """The same at the canvas's resolution, made part by part: the cut-out there has all its pixels."""

    ground: Widened  # colours in [-1, 1], and where it takes the original's place
    cutout: Widened  # colours in [-1, 1] and opacity
    box: Box  # of the cut-out, in pixels of the region's box

    def part(self, original: NDArray[np.float32], rows: slice, columns: slice) -> NDArray[np.float32]:
        """``original``: sRGB of that part of the region's box (n, m, 3) in [0, 1]. Returns the same shape."""
        under = self.ground.part(rows, columns)
        there = under[:, 3:].clamp(0, 1)
        ground = there * (under[:, :3] + 1) / 2 + (1 - there) * as_planes(original)
        across, down = (
            _shared(columns, self.box.left, self.box.right),
            _shared(rows, self.box.top, self.box.bottom),
        )
        if across is not None and down is not None:
            seen = self.cutout.part(down[1], across[1])
            colours, alpha = (seen[:, :3].clamp(-1, 1) + 1) / 2, seen[:, 3:].clamp(0, 1)
            behind = ground[..., down[0], across[0]]
            ground[..., down[0], across[0]] = alpha * colours + (1 - alpha) * behind
        return ground.clamp(0, 1)[0].permute(1, 2, 0).numpy()


def on_canvas(laid: Laid, region: Region) -> LaidOnCanvas:
    """``region``: that which ``laid`` is seen in."""
    scale = region.scale
    left, top = round(laid.box.left / scale), round(laid.box.top / scale)
    size = Size(*(max(1, round(length / scale)) for length in laid.box.size))
    both = torch.cat([laid.cutout.pixels, laid.cutout.opacity], dim=1)
    across = Widened(resize(both, Size(size.width, both.shape[-2])), size.height)
    box = Box(left, top, left + size.width, top + size.height)
    ground = widened(torch.cat([laid.ground, laid.filled], dim=1), region)
    return LaidOnCanvas(ground, across, box)


def _shared(part: slice, start: int, stop: int) -> tuple[slice, slice] | None:
    """What ``part`` shares with ``start`` to ``stop``: counted from the one's start, and from the other's."""
    first, last = max(part.start, start), min(part.stop, stop)
    if first >= last:
        return None
    return slice(first - part.start, last - part.start), slice(first - start, last - start)
