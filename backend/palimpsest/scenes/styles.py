"""Styles as filters of the finished picture.

A filter may read neighbouring pixels, but whatever is random in it is fixed by the scene's seed alone: the
same scene with one thing changed passes through the same filter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.scenes.grounds import cut, grid, rgb

Array = NDArray[np.floating[Any]]

_LUMA = rgb(0.3, 0.59, 0.11)
_PAPER = rgb(247, 243, 234)


def in_style(picture: Array, style: str, rng: np.random.Generator) -> Array:
    """The photo-like `picture`, `(side, side, 3)` in [0, 255], as `style` would show it."""
    return _FILTERS[style](picture, rng)


def _photo(picture: Array, rng: np.random.Generator) -> Array:
    return picture


def _blur(picture: Array) -> Array:
    p = np.pad(picture, ((1, 1), (1, 1), (0, 0)), "edge")
    p = (p[:-2] + 2 * p[1:-1] + p[2:]) / 4
    return (p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]) / 4


def _edges(picture: Array) -> Array:
    """Strength of the outlines, per 128th of the side whatever the size."""
    grey = picture @ _LUMA
    across, down = np.abs(np.gradient(grey, axis=1)), np.abs(np.gradient(grey, axis=0))
    return (across + down) * (picture.shape[0] / 128)


def _oil_painting(picture: Array, rng: np.random.Generator) -> Array:
    """Brush strokes: outlines wander a little, colours are saturated, light comes in flat steps."""
    side = picture.shape[0]
    rows, columns = np.mgrid[0:side, 0:side]
    reach = 0.8 * side / 128
    rows = np.clip(rows + np.rint(cut("middle", side, rng) * reach).astype(int), 0, side - 1)
    columns = np.clip(columns + np.rint(cut("middle", side, rng) * reach).astype(int), 0, side - 1)
    moved = picture[rows, columns]
    grey = (moved @ _LUMA)[..., None]
    strokes = cut("wide", side, rng)[..., None] * 6
    flat = np.round((grey + strokes) / 30) * 30
    return _blur(132 + 1.1 * (flat - 128) + 1.3 * (moved - grey))


def _ink_wash(picture: Array, rng: np.random.Generator) -> Array:
    """Grey washes with dark outlines on warm paper; ink has no colour."""
    grey = 255 * np.clip(picture @ _LUMA / 235, 0, 1) ** 0.8
    grey = np.clip(grey - np.clip(_edges(picture) * 2.2, 0, 110), 10, 255)[..., None] / 255
    return grey * rgb(246, 240, 226) + (1 - grey) * rgb(25, 28, 40)


def _pixel_mosaic(picture: Array, rng: np.random.Generator) -> Array:
    """32 × 32 flat tiles."""
    side = picture.shape[0]
    tiles = min(32, side)
    of = np.arange(side) * tiles // side
    first = np.searchsorted(of, np.arange(tiles))
    length = np.bincount(of).astype(np.float32)
    total = np.add.reduceat(np.add.reduceat(picture, first, axis=0), first, axis=1)
    means = total / (length[:, None] * length[None, :])[..., None]
    return (np.round(means / 16) * 16)[of][:, of]


def _sketch(picture: Array, rng: np.random.Generator) -> Array:
    """Pencil outlines and diagonal hatching over pale crayon on paper."""
    side = picture.shape[0]
    x, y = grid(side)
    smooth = _blur(picture)
    grey = (smooth @ _LUMA)[..., None]
    crayon = _PAPER + 0.8 * (smooth - grey) - 0.42 * np.clip(225 - grey, 0, 255)
    hatch = np.clip(np.sin(2 * np.pi * 16 * (x + y)), 0, 1)[..., None] * np.clip(150 - grey, 0, 150) * 0.2
    return crayon - hatch - np.clip(_edges(picture) * 2 - 12, 0, 130)[..., None]


def _blueprint(picture: Array, rng: np.random.Generator) -> Array:
    """White lines and faint tone on blue."""
    line = np.clip(_edges(_blur(picture)) * 7 - 10, 0, 190)[..., None]
    tone = (picture @ _LUMA)[..., None] * 0.22
    return rgb(22, 58, 128) + tone + line


def _poster(picture: Array, rng: np.random.Generator) -> Array:
    """A two-ink print: dark teal and orange on cream."""
    grey = (_blur(picture) @ _LUMA)[..., None]
    ink = np.where(grey < 88, rgb(20, 60, 72), rgb(232, 112, 52))
    return np.where(grey < 158, ink, rgb(250, 236, 205))


def _embroidery(picture: Array, rng: np.random.Generator) -> Array:
    """Slanted stitches of thread on linen."""
    side = picture.shape[0]
    x, y = grid(side)
    row = np.floor(y * 32)
    thread = np.abs(np.sin(np.pi * (x * 16 + 0.5 * row + y * 32))) * np.sqrt(np.sin(np.pi * (y * 32 % 1)))
    stitch = 0.82 + 0.3 * thread
    threads = np.round(_pixel_mosaic(picture, rng) / 48) * 48
    return threads * stitch[..., None] + 8


_FILTERS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "photo": _photo,
    "oil painting": _oil_painting,
    "ink wash": _ink_wash,
    "pixel mosaic": _pixel_mosaic,
    "sketch": _sketch,
    "blueprint": _blueprint,
    "poster": _poster,
    "embroidery": _embroidery,
}
