"""What is done to a selection before anything is edited in it: grown by some pixels, softened at its edge.

People select snugly. What is to disappear then leaves its fringe, its blur and its shadow just outside,
and a soft edge inside the selection would keep part of the thing itself. So a selection can be *grown*; the
soft edge then lies in what was added, and everything that was selected is edited fully. Without growth
the soft edge lies inside, and is measured part by part: a leash isn't as deep as the dog on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from palimpsest.core.picture.region import Mask

TILE = 512  # pixels; the soft edge is computed tile by tile, so that a large canvas needs little memory


def grown(mask: Mask, pixels: int) -> Mask:
    """Each pixel the greatest value within ``pixels`` of it: grey dilation by a disc (Serra 1982).

    Soft values are kept, and move outwards as they are. The canvas's border is no edge.
    """
    if pixels <= 0 or not mask.any():
        return mask
    wide = mask.copy()
    rows, columns = _reach(mask, pixels)
    run, out, reached = mask[rows, columns], wide[rows, columns], 0
    for half, offsets in _chords(pixels):
        run, reached = _widened(run, reached, half), half
        for dy in offsets:
            if dy < len(run):
                np.maximum(out[dy:], run[: len(run) - dy], out=out[dy:])
                np.maximum(out[: len(run) - dy], run[dy:], out=out[: len(run) - dy])
    return wide


def _reach(mask: Mask, pixels: int) -> tuple[slice, slice]:
    """The rows and columns that anything selected can reach."""

    def span(axis: int) -> slice:
        found = np.flatnonzero(np.any(mask, axis=axis))
        return slice(max(0, int(found[0]) - pixels), int(found[-1]) + 1 + pixels)

    return span(1), span(0)


def _chords(radius: int) -> Iterator[tuple[int, list[int]]]:
    """A disc as horizontal chords: half a chord's length, and the rows (0 … radius) where it is that long."""
    halves = [int(np.sqrt(radius * radius - dy * dy)) for dy in range(radius + 1)]
    for half in sorted(set(halves)):
        yield half, [dy for dy, other in enumerate(halves) if other == half]


def _widened(run: Mask, half: int, wanted: int) -> Mask:
    """From the greatest values within ``half`` columns to those within ``wanted``, in few passes."""
    while half < wanted:
        step = min(half + 1, wanted - half)  # what a longer one looks for may lie past the border
        wider = run.copy()
        np.maximum(wider[:, step:], run[:, :-step], out=wider[:, step:])
        np.maximum(wider[:, :-step], run[:, step:], out=wider[:, :-step])
        run, half = wider, half + step
    return run


def coverage(
    mask: Mask | None, feather: int, shape: tuple[int, ...], selected: Mask | None = None
) -> NDArray[np.float32]:
    """α in [0, 1] over the box: the selection times a linear ramp along the distance to its edge.

        α(p) = mask(p) · min(1, d(p) / D(p))

    d(p) ≥ 1 is the distance to the nearest unselected pixel, D(p) ≤ ``feather`` + 1 the local thickness at
    p (Hildebrand & Rüegsegger 1997): the largest radius of a disc inside the selection that contains p.
    Where the selection is thinner than the soft edge is wide, the edge is as much narrower: the middle of
    each part is fully edited. The canvas's border is no edge of the selection.

    ``selected``: what was selected before ``mask`` was grown from it. The soft edge should then be no wider
    than the growth; whatever ``selected`` touches has α(p) = mask(p).
    """
    if mask is None:
        return np.ones(shape, np.float32)
    cover = (mask / np.float32(255)).astype(np.float32)
    if feather > 0:
        for tile in _tiles(cover.shape):
            if mask[tile].any():
                ramp = _ramp(mask, feather + 1, tile)
                if selected is not None:
                    ramp[selected[tile] > 0] = 1
                cover[tile] *= ramp
    return cover


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    for top in range(0, shape[0], TILE):
        for left in range(0, shape[1], TILE):
            yield slice(top, min(top + TILE, shape[0])), slice(left, min(left + TILE, shape[1]))


def _ramp(mask: Mask, width: int, tile: tuple[slice, slice]) -> NDArray[np.float32]:
    """min(1, d/D) of one tile. What is farther than 2 · ``width`` from it has no bearing on it."""
    around = tuple(slice(max(0, part.start - 2 * width), part.stop + 2 * width) for part in tile)
    own = tuple(slice(p.start - a.start, p.stop - a.start) for p, a in zip(tile, around, strict=True))
    selected = mask[around] > 0
    if selected.all():
        return np.ones(selected[own].shape, np.float32)
    depth = distance_inside(selected, width)
    return np.minimum(depth[own] / thickness(depth, width)[own], 1)


def thickness(depth: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """D: the largest radius ≤ ``most`` of a disc inside the selection that contains the pixel; at least 1.

    ``depth``: each pixel's distance to the nearest unselected one, up to ``most``. A pixel is in a disc of
    radius r if a pixel of depth ≥ r is nearer than r: the opening by r, tried for falling whole radii, of
    which large ones are an eighth apart.
    """
    found = np.ones_like(depth)
    missing = depth > 0
    radius = min(most, int(depth.max(initial=1)))
    while radius > 1 and missing.any():
        inside = distance_inside(depth < radius, radius) < radius
        np.copyto(found, np.float32(radius), where=inside & missing)
        missing &= ~inside
        radius = min(radius - 1, int(radius / 1.125))
    return found


def distance_inside(selected: NDArray[np.bool_], limit: int) -> NDArray[np.float32]:
    """Euclidean distance of every selected pixel to the nearest unselected one, exact up to ``limit``.

    Separable (Saito & Toriwaki 1994): first along columns, then the lower envelope along rows,
    which needs only offsets up to ``limit``. Larger distances, and a mask without any unselected
    pixel, give ``limit``.
    """
    column = np.minimum(_run_length(selected, limit), _run_length(selected[::-1], limit)[::-1])
    squared = np.minimum(column, limit) ** 2
    nearest = squared.copy()
    for offset in range(1, min(limit, selected.shape[1])):
        reach = offset * offset
        np.minimum(nearest[:, offset:], squared[:, :-offset] + reach, out=nearest[:, offset:])
        np.minimum(nearest[:, :-offset], squared[:, offset:] + reach, out=nearest[:, :-offset])
    return np.minimum(np.sqrt(nearest), limit).astype(np.float32)


def _run_length(selected: NDArray[np.bool_], far: int) -> NDArray[np.int32]:
    """How many selected pixels end here, counted down each column; ``far`` or more before any unselected."""
    rows = np.arange(len(selected), dtype=np.int32)[:, None]
    last_unselected = np.maximum.accumulate(np.where(selected, np.int32(-far), rows), axis=0)
    return rows - last_unselected
