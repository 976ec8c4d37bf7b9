"""Pixels of an editor to PNG: read in bands on the editor's thread, packed on another."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import TypeVar

from . import png
from .geometry import Bounds, strips
from .slices import WORKED, Steps, elsewhere

QUEUED = 8  # bands that may wait to be packed

Band = TypeVar("Band")


def packed(
    layout: png.Layout,
    part: Bounds,
    most: int,
    read: Callable[[Bounds], Band],
    level: int = png.QUICK,
    pixels_of: Callable[[Band], bytes] = bytes,
) -> Steps[bytes]:
    """A PNG of ``part``, which ``read`` gives in bands of about ``most`` pixels. ``level``: zlib's.

    ``pixels_of`` makes what is packed of what is read, on the other thread.
    """
    bands: queue.Queue[Band | None] = queue.Queue()
    read_bands = iter(bands.get, None)
    packing = elsewhere(lambda: png.encode_bands(map(pixels_of, read_bands), layout, level=level))
    next(packing)
    try:
        for band in strips(part, most):
            while bands.qsize() >= QUEUED:
                yield next(packing)
            bands.put(read(band))
            yield WORKED
    finally:
        bands.put(None)
    return (yield from packing)
