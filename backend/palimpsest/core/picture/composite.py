"""The pixel law: outside the selection nothing changes, not by one level of 65535.

Inside, out = round(α·edit + (1-α)·original) with α = selection x soft edge (``selection.coverage``). α is
exactly 0 wherever nothing is selected, the soft edge lies inside only, and α and edit are whole levels of
the picture's own depth: the sum is an integer that float64 holds exactly, and is rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from palimpsest.core.picture.region import Mask, Region
from palimpsest.core.picture.selection import coverage
from palimpsest.errors import NotFiniteError

Pixels = NDArray[Any]  # uint8 or uint16
BAND = 1 << 20  # pixels mixed at a time


@dataclass(frozen=True)
class Composite:
    """``layer`` over the picture looks like ``merged``; both have the canvas's size and depth."""

    layer: Pixels  # (H, W, 4), α = 0 and colour 0 wherever nothing changes
    merged: Pixels  # (H, W, 3); a transparent picture keeps its own alpha channel as it is
    pixels_changed_outside: int  # counted by comparing; 0, or something is wrong
    pixels_changed_inside: int


class Parts(Protocol):
    """An array, or whatever else gives its parts when it is asked for them: ``edited[rows, columns]``."""

    def __getitem__(self, part: tuple[slice, slice], /) -> NDArray[np.floating[Any]]: ...


def composite(
    original: Pixels,
    edited: Parts,
    mask: Mask | None,
    region: Region,
    feather: int = 8,
    alpha: Pixels | None = None,
    selected: Mask | None = None,
) -> Composite:
    """Lay the edited box over the picture.

    ``original``: (H, W, 3) uint8 or uint16. ``edited``: the region's box (h, w, 3) in [0, 1], in the
    picture's own colour space. ``mask``: 0 = keep, 255 = edit, values between are mixed; None = the
    whole canvas. ``feather``: width in pixels of the soft edge inside the selection. ``alpha``: the
    picture's own alpha channel; it is kept, and the layer never paints where it is transparent.
    ``selected``: what was selected, where ``mask`` is that and a margin around it: the soft edge then keeps
    to the margin. Outside means outside ``mask``.
    """
    box, size = region.box.slices, region.box.size
    cut = [None if part is None else part[box] for part in (mask, selected)]
    cover = coverage(cut[0], feather, size[::-1], cut[1])
    merged = original.copy()
    layer = np.zeros((*original.shape[:2], 4), original.dtype)
    columns = _span(np.any(cover, axis=0))
    rows = max(1, BAND // size.width)
    for top in range(0, size.height, rows):
        part = (slice(top, min(size.height, top + rows)), columns)
        if cover[part].any():
            own = None if alpha is None else alpha[box][part]
            _lay(edited[part], cover[part], merged[box][part], layer[box][part], own)
    outside, inside = changed(original, merged, mask)
    return Composite(layer, merged, outside, inside)


def _lay(
    edited: NDArray[np.floating[Any]],
    cover: NDArray[np.float32],
    merged: Pixels,
    layer: Pixels,
    own: Pixels | None,
) -> None:
    """Mix the edit into ``merged``, and lay it on ``layer``; both are written in place."""
    top = int(np.iinfo(merged.dtype).max)
    weight, ink = quantise(cover, top), quantise(edited, top)
    alpha = weight[..., None]
    merged[...] = np.rint((alpha * ink + (top - alpha) * merged) / top)
    opacity = weight if own is None else np.rint(weight * own / top)
    layer[..., 3] = opacity
    layer[..., :3] = np.where(opacity[..., None] > 0, ink, 0)


def changed(before: Pixels, after: Pixels, mask: Mask | None) -> tuple[int, int]:
    """How many pixels differ in any channel: (where nothing is selected, where something is)."""
    differs = (before != after).any(axis=-1)
    total = int(np.count_nonzero(differs))
    outside = 0 if mask is None else int(np.count_nonzero(differs & (mask == 0)))
    return outside, total - outside


def quantise(values: NDArray[np.floating[Any]], top: int) -> NDArray[np.float64]:
    """[0, 1] to whole levels 0 … ``top``, rounded to nearest. Raises NotFiniteError for what is no number."""
    if not np.isfinite(values).all():
        raise NotFiniteError("Colours came out as NaN or infinity.", "Nothing was written. Please report it.")
    return np.floor(np.clip(values, 0, 1).astype(np.float64) * top + 0.5)


def _span(present: NDArray[np.bool_]) -> slice:
    """From the first to the last True."""
    found = np.flatnonzero(present)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
