"""The pixel law: outside the selection nothing changes, not by one level of 65535.

Inside, out = round(α·edit + (1-α)·original) with α = selection x feather. α is exactly 0 wherever
nothing is selected, the feather lies inside the selection only, and the arithmetic is done in
integers at the picture's own depth, so a pixel with α = 0 is a copy and never a rounded product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.core.region import Mask, Region

Pixels = NDArray[Any]  # uint8 or uint16


@dataclass(frozen=True)
class Composite:
    """``layer`` over the picture looks like ``merged``; both have the canvas's size and depth."""

    layer: Pixels  # (H, W, 4), α = 0 and colour 0 wherever nothing changes
    merged: Pixels  # (H, W, 3); a transparent picture keeps its own alpha channel as it is
    pixels_changed_outside: int  # counted by comparing; 0, or something is wrong
    pixels_changed_inside: int


def composite(
    original: Pixels,
    edited: NDArray[np.floating[Any]],
    mask: Mask | None,
    region: Region,
    feather: int = 8,
    alpha: Pixels | None = None,
) -> Composite:
    """Lay the edited box over the picture.

    ``original``: (H, W, 3) uint8 or uint16. ``edited``: the region's box (h, w, 3) in [0, 1], in the
    picture's own colour space. ``mask``: 0 = keep, 255 = edit, values between are mixed; None = the
    whole canvas. ``feather``: width in pixels of the soft edge inside the selection. ``alpha``: the
    picture's own alpha channel; it is kept, and the layer never paints where it is transparent.
    """
    top = _top(original)
    box = region.box.slices
    cover = coverage(None if mask is None else mask[box], feather, region.box.size[::-1])
    weight = quantise(cover, top)  # (h, w) int64
    ink = quantise(edited, top)
    source = original[box].astype(np.int64)
    mixed = (weight[..., None] * ink + (top - weight[..., None]) * source + top // 2) // top

    merged = original.copy()
    merged[box] = mixed.astype(original.dtype)
    layer = np.zeros((*original.shape[:2], 4), original.dtype)
    opacity = weight if alpha is None else (weight * alpha[box].astype(np.int64) + top // 2) // top
    layer[box][..., 3] = opacity
    layer[box][..., :3] = np.where(opacity[..., None] > 0, ink, 0)
    outside, inside = changed(original, merged, mask)
    return Composite(layer, merged, outside, inside)


def coverage(mask: Mask | None, feather: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """α in [0, 1] over the box: the selection times a linear ramp along the distance to its edge.

    A selected pixel at distance d from the nearest unselected one (d ≥ 1) gets d / (feather + 1), at
    most 1. A selection too thin for that is feathered less, so that its middle is always fully edited.
    The canvas's border is no edge of the selection.
    """
    if mask is None:
        return np.ones(shape, np.float32)
    soft = (mask / np.float32(255)).astype(np.float32)
    if feather <= 0:
        return soft
    distance = distance_inside(mask > 0, feather + 1)
    deepest = min(float(distance.max(initial=1.0)), feather + 1)
    return (soft * np.minimum(distance / np.float32(deepest), 1)).astype(np.float32)


def distance_inside(selected: NDArray[np.bool_], limit: int) -> NDArray[np.float32]:
    """Euclidean distance of every selected pixel to the nearest unselected one, exact up to ``limit``.

    Separable (Saito & Toriwaki 1994): first along columns, then the lower envelope along rows,
    which needs only offsets up to ``limit``. Larger distances, and a mask without any unselected
    pixel, give ``limit``.
    """
    column = np.minimum(_run_length(selected), _run_length(selected[::-1])[::-1])
    squared = np.minimum(column, limit).astype(np.int64) ** 2
    nearest = squared.copy()
    for offset in range(1, min(limit, selected.shape[1])):
        reach = offset * offset
        np.minimum(nearest[:, offset:], squared[:, :-offset] + reach, out=nearest[:, offset:])
        np.minimum(nearest[:, :-offset], squared[:, offset:] + reach, out=nearest[:, :-offset])
    return np.minimum(np.sqrt(nearest), limit).astype(np.float32)


def _run_length(selected: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many selected pixels end here, counted down each column; "far" until the first unselected one."""
    rows = np.arange(len(selected))[:, None]
    far = -selected.shape[0] - selected.shape[1]
    last_unselected = np.maximum.accumulate(np.where(selected, far, rows), axis=0)
    return rows - last_unselected


def changed(before: Pixels, after: Pixels, mask: Mask | None) -> tuple[int, int]:
    """How many pixels differ in any channel: (where nothing is selected, where something is)."""
    differs = (before != after).any(axis=-1)
    total = int(np.count_nonzero(differs))
    outside = 0 if mask is None else int(np.count_nonzero(differs & (mask == 0)))
    return outside, total - outside


def quantise(values: NDArray[np.floating[Any]], top: int) -> NDArray[np.int64]:
    """[0, 1] to whole levels 0 … ``top``, rounded to nearest."""
    return np.floor(np.clip(values, 0, 1).astype(np.float64) * top + 0.5).astype(np.int64)


def _top(pixels: Pixels) -> int:
    assert pixels.dtype in (np.uint8, np.uint16), pixels.dtype
    return int(np.iinfo(pixels.dtype).max)
