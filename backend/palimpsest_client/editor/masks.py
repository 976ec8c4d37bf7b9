"""Grey masks as bytes, one per pixel, row by row: 0 = keep, 255 = edit. No pixel is touched in Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import List, Tuple

from .geometry import Bounds, Extent

SELECTED = re.compile(rb"[\x80-\xff]+")
MOST_GAPS = 1000  # of an outline
DARK = bytes((255 - value) * 65 // 100 for value in range(256))


def require_size(mask: bytes, extent: Extent) -> None:
    if len(mask) != extent.pixels:
        raise ValueError(f"a mask of {len(mask)} bytes for {extent.width}×{extent.height} pixels")


def rectangle(extent: Extent, bounds: Bounds) -> bytes:
    """White inside ``bounds``, black elsewhere."""
    inside = bounds.intersect(extent.bounds)
    row = bytes(inside.x) + b"\xff" * inside.width + bytes(extent.width - inside.right)
    above, below = bytes(extent.width * inside.y), bytes(extent.width * (extent.height - inside.bottom))
    return above + row * inside.height + below


def is_empty(mask: bytes) -> bool:
    return mask.count(0) == len(mask)


def veil(mask: bytes) -> bytes:
    """RGBA, black: dark where the mask is 0, clear where it is 255. To be laid over what it masks."""
    made = bytearray(4 * len(mask))
    made[3::4] = mask.translate(DARK)
    return bytes(made)


def bounds_of(mask: bytes, extent: Extent) -> Bounds:
    """The smallest rectangle around everything that isn't 0; empty for an empty mask."""
    require_size(mask, extent)
    width = extent.width
    kept = len(mask.rstrip(b"\0"))
    if kept == 0:
        return Bounds(0, 0, 0, 0)
    top, bottom = (len(mask) - len(mask.lstrip(b"\0"))) // width, (kept - 1) // width + 1
    rows = [mask[start : start + width] for start in range(top * width, bottom * width, width)]
    left = min(width - len(row.lstrip(b"\0")) for row in rows)
    right = max(len(row.rstrip(b"\0")) for row in rows)
    return Bounds(left, top, right - left, bottom - top)


def cropped(mask: bytes, extent: Extent, bounds: Bounds) -> bytes:
    """The part of the mask inside ``bounds``, which must lie on the canvas."""
    require_size(mask, extent)
    if not extent.bounds.contains(bounds):
        raise ValueError(f"{bounds!r} is not inside {extent!r}")
    starts = [y * extent.width + bounds.x for y in range(bounds.y, bounds.bottom)]
    return b"".join([mask[start : start + bounds.width] for start in starts])


def outline(rows: Sequence[Tuple[Bounds, bytes]]) -> Tuple[Bounds, List[Bounds]]:
    """The outline of a mask as a rectangle less some others.

    ``rows``: bands of the mask from the top down, each with the values of one of its rows. What is more than
    half selected there lies inside the outline. Nothing selected: an empty rectangle. Of too many gaps, which
    an editor takes one by one, the largest are told.
    """
    found = [(band, [run.span() for run in SELECTED.finditer(values)]) for band, values in rows]
    found = [(band, runs) for band, runs in found if runs]
    if not found:
        return Bounds(0, 0, 0, 0), []
    left = min(band.x + runs[0][0] for band, runs in found)
    right = max(band.x + runs[-1][1] for band, runs in found)
    top, bottom = found[0][0].y, found[-1][0].bottom
    whole = Bounds(left, top, right - left, bottom - top)
    gaps: List[Bounds] = []
    inside = dict(found)
    for band, _ in rows:
        if top <= band.y < bottom:
            ends = [left, *(band.x + x for run in inside.get(band, ()) for x in run), right]
            pairs = zip(ends[::2], ends[1::2])
            gaps += [Bounds(x, band.y, stop - x, band.height) for x, stop in pairs if stop > x]
    return whole, sorted(gaps, key=lambda gap: -gap.extent.pixels)[:MOST_GAPS]
