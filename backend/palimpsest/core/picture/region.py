"""Which part of the canvas the model sees, and the way there and back.

The model works near its native size; the canvas has any size and shape. A `Region` is the box
around the selection with some context, scaled evenly (never squashed) to a working size whose sides
are multiples of the model's granularity. Where the canvas ends before the box has the working
shape, the picture is continued by reflection; what the model makes of that part is thrown away.

Canvas arrays are NumPy, (height, width, channels), because torch has no usable 16-bit integers;
what goes to the model is torch, (1, 3, height, width) in [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.errors import RequestError, SelectionEmptyError, SelectionSizeError, Text
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.regions import RegionSettings, plan_region

Mask = NDArray[np.uint8]  # (height, width), 0 = keep exactly, 255 = edit fully
BAND = 1 << 20  # pixels of the canvas resized at a time


class Size(NamedTuple):
    width: int
    height: int


class Box(NamedTuple):
    """Canvas pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        return Size(self.right - self.left, self.bottom - self.top)

    @property
    def slices(self) -> tuple[slice, slice]:
        """To index a canvas array: ``pixels[box.slices]``."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Region:
    """``box`` of the canvas is scaled to ``inner``; ``work`` is what the model sees.

    ``inner`` lies in the upper left of ``work``; the rest of ``work`` is reflection (mostly none).
    """

    canvas: Size
    box: Box
    inner: Size
    work: Size

    @property
    def scale(self) -> float:
        """Working pixels per canvas pixel."""
        return self.inner.width / self.box.size.width

    @property
    def alone(self) -> Region:
        """The same where the canvas is the box and nothing else."""
        return Region(self.box.size, Box(0, 0, *self.box.size), self.inner, self.work)


def plan(
    canvas_size: tuple[int, int],
    mask: Mask | None,
    native_size: int,
    granularity: int,
    context: float = 0.5,
    working_size: int | None = None,
    reach: int = 0,
) -> Region:
    """The region for a selection; ``mask=None`` means the whole canvas. Sizes are (width, height).

    ``context`` is the canvas kept on each side, as a fraction of the selection's longer side (at least
    ``granularity`` pixels, and the ``reach`` that the selection is grown by). The box is never smaller than
    the model's native size where the canvas has more to give, so a small selection is not blown up.
    ``working_size`` is the long side the model works at; None keeps the area near ``native_size`` squared,
    the long side at most 1.5 times native. Raises SelectionSizeError, SelectionEmptyError,
    RequestError.
    """
    selected = None if mask is None else bounds(mask, Size(*canvas_size))
    return plan_around(canvas_size, selected, native_size, granularity, context, working_size, reach)


def plan_around(
    canvas_size: tuple[int, int],
    selected: Box | None,
    native_size: int,
    granularity: int,
    context: float = 0.5,
    working_size: int | None = None,
    reach: int = 0,
) -> Region:
    """`plan` for a selection of which the `bounds` are known. Raises RequestError."""
    _check(granularity, context, working_size)
    canvas = Size(*canvas_size)
    settings = RegionSettings(native_size, granularity, context, working_size, reach)
    around = None if selected is None else Bounds(*selected[:2], *selected.size)
    box, inner, work = plan_region(Extent(*canvas), around, settings)
    return Region(canvas, Box(box.x, box.y, box.right, box.bottom), Size(*inner), Size(*work))


def _check(granularity: int, context: float, working_size: int | None) -> None:
    if not 0 <= context < math.inf:
        raise RequestError(f"Context is {context}.", "Give a fraction of the selection's side, 0 or more.")
    if working_size is not None and working_size < granularity:
        raise RequestError(
            f"The working size is {working_size} pixels; this model needs at least {granularity}.",
            f"Give a multiple of {granularity}, or leave it out.",
        )


def bounds(mask: Mask, canvas: Size) -> Box:
    """The smallest box around everything selected."""
    if mask.shape != (canvas.height, canvas.width):
        have = {"width": mask.shape[1], "height": mask.shape[0]}
        raise SelectionSizeError(
            Text("selection-size", **have, of_width=canvas.width, of_height=canvas.height),
            Text("selection-of-its-size"),
            selection=[mask.shape[1], mask.shape[0]],
            picture=list(canvas),
        )
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        raise SelectionEmptyError(Text("selection-empty"), Text("select-or-none"))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def cut(pixels: NDArray[Any], region: Region) -> Tensor:
    """What the model sees: (1, 3, height, width) in [-1, 1], float32.

    ``pixels``: sRGB in [0, 1], float; either the box alone (h, w, 3) or the whole canvas (H, W, 3).
    """
    if pixels.shape[:2] == (region.canvas.height, region.canvas.width):
        pixels = pixels[region.box.slices]
    assert pixels.shape[:2] == region.box.size[::-1], f"{pixels.shape} is neither the canvas nor the box"
    return cut_rows(lambda rows: pixels[rows], region)


def cut_rows(rows_of: Callable[[slice], NDArray[Any]], region: Region) -> Tensor:
    """`cut` of a box that is only there some rows at a time: ``rows_of(rows)`` is sRGB (n, w, 3) of it."""
    width, height = region.box.size
    count = max(1, BAND // width)
    narrow = [
        resize(as_planes(rows_of(slice(top, bottom))), Size(region.inner.width, bottom - top))
        for top in range(0, height, count)
        for bottom in [min(height, top + count)]
    ]  # across first: that is the order of a resize of the whole
    return reflect(resize(torch.cat(narrow, dim=2), region.inner), region).clamp(0, 1) * 2 - 1


def as_planes(pixels: NDArray[Any]) -> Tensor:
    """(h, w, 3) → (1, 3, h, w) float32."""
    return torch.from_numpy(np.ascontiguousarray(pixels, np.float32)).permute(2, 0, 1)[None]


def resize(pixels: Tensor, size: Size) -> Tensor:
    """(batch, channels, h, w) → size; bicubic, anti-aliased when smaller, a plain copy when equal."""
    if pixels.shape[-2:] == (size.height, size.width):
        return pixels
    return functional.interpolate(
        pixels, (size.height, size.width), mode="bicubic", antialias=True, align_corners=False
    )


def reflect(inner: Tensor, region: Region) -> Tensor:
    """(batch, channels, *inner) continued to (batch, channels, *work) by reflection."""
    columns = _mirror(region.work.width, inner.shape[-1])
    rows = _mirror(region.work.height, inner.shape[-2])
    return inner[..., rows[:, None], columns]


def _mirror(length: int, available: int) -> Tensor:
    """0 1 2 … n-1 n-2 … 1 0 1 …: any length is reached, however few there are."""
    period = max(1, 2 * (available - 1))
    index = torch.arange(length) % period
    return torch.minimum(index, (period - index) % max(period, 1)) if available > 1 else index * 0


def to_box(work: Tensor, region: Region) -> Tensor:
    """What the model made, back at the canvas's resolution: (b, c, *work) → (b, c, *box)."""
    return resize(work[..., : region.inner.height, : region.inner.width], region.box.size)


@dataclass(frozen=True)
class Widened:
    """A working picture (b, c, *work) on its way to the box: as wide as that, not yet as high."""

    pixels: Tensor  # (b, c, inner height, box width)
    height: int

    def part(self, rows: slice, columns: slice) -> Tensor:
        """The same part of `to_box`: (b, c, rows, columns). Bicubic, anti-aliased when smaller, as there."""
        index, weight = _taps(int(self.pixels.shape[-2]), self.height, rows)
        seen = self.pixels[..., columns]
        terms = (seen[..., index[:, i], :] * weight[:, i, None] for i in range(index.shape[1]))
        return sum(terms, torch.zeros(()))


def widened(work: Tensor, region: Region) -> Widened:
    inner = work[..., : region.inner.height, : region.inner.width]
    size = region.box.size
    return Widened(resize(inner, Size(size.width, region.inner.height)), size.height)


def _taps(source: int, target: int, rows: slice) -> tuple[Tensor, Tensor]:
    """Which source rows make each of ``rows`` out of ``target``, and by how much: (n, taps) each.

    Keys' cubic convolution with a = -1/2, widened to ``source / target`` where that is above 1.
    """
    scale = source / target
    wide = max(scale, 1.0)
    centre = (np.arange(target)[rows, None] + 0.5) * scale
    first = np.floor(centre - 2 * wide + 0.5)
    index = first + np.arange(math.ceil(4 * wide) + 1)
    x = np.abs(index + 0.5 - centre) / wide
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weight = np.where(x < 1, near, np.where(x < 2, far, 0)) * ((index >= 0) & (index < source))
    weight /= weight.sum(axis=1, keepdims=True)
    index = np.clip(index, 0, source - 1).astype(np.int64)
    return torch.from_numpy(index), torch.from_numpy(weight.astype(np.float32))


def to_canvas(grid: Tensor, region: Region) -> NDArray[np.float32]:
    """A map over the working picture (an attention map, any resolution) on the canvas.

    ``grid``: (rows, columns), float. Returns (H, W) float32, 0 outside the region's box.
    """
    work = functional.interpolate(
        grid.detach().float().cpu()[None, None],
        (region.work.height, region.work.width),
        mode="bilinear",
        align_corners=False,
    )
    canvas = np.zeros((region.canvas.height, region.canvas.width), np.float32)
    low, high = float(grid.min()), float(grid.max())
    canvas[region.box.slices] = to_box(work, region)[0, 0].clamp(low, high).numpy()
    return canvas


def working_mask(mask: Mask | None, region: Region) -> Tensor:
    """1 for every working pixel that touches a selected canvas pixel, else 0: (1, 1, *work) float32."""
    if mask is None:
        return torch.ones(1, 1, region.work.height, region.work.width)
    touched = mask[region.box.slices] > 0
    touched = _touching(_touching(touched, region.inner.height).T, region.inner.width).T
    return reflect(torch.from_numpy(touched.astype(np.float32))[None, None], region)


def _touching(selected: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Rows resampled to ``length`` rows: true if any source row that overlaps it, however little, is."""
    source = len(selected)
    edges = np.arange(length + 1) * (source / length)
    start = np.floor(edges[:-1] + 1e-9).astype(np.intp)
    stop = np.ceil(edges[1:] - 1e-9).astype(np.intp)
    closed = np.concatenate([selected, np.zeros_like(selected[:1])])  # so that ``stop`` may be ``source``
    pairs = np.stack([start, stop], axis=1).ravel()
    return np.logical_or.reduceat(closed, pairs, axis=0)[::2]


def latent_mask(mask: Mask | None, region: Region, stride: int, dilate: int = 1) -> Tensor:
    """Which latent cells may change: (1, 1, h/stride, w/stride) of exactly 0 or 1, float32.

    Hard, because soft masks multiplied in at every step shrink the edit (Avrahami et
    al. 2023); ``dilate`` cells wider than the selection, because one cell decodes
    into more than its own pixels. It always covers the selection fully.
    """
    cells = functional.max_pool2d(working_mask(mask, region), stride)
    return functional.max_pool2d(cells, 2 * dilate + 1, stride=1, padding=dilate)
