"""Pixels of an editor to PNG: read in bands on the editor's thread, packed on another."""

from __future__ import annotations

import queue
from collections.abc import Callable

from . import png
from .geometry import Bounds, strips
from .slices import WORKED, Steps, elsewhere

QUEUED = 8  # bands that may wait to be packed


def packed(layout: png.Layout, part: Bounds, most: int, read: Callable[[Bounds], bytes]) -> Steps[bytes]:
    """A PNG of ``part``, which ``read`` gives in bands of about ``most`` pixels."""
    bands: queue.Queue[bytes | None] = queue.Queue()
    packing = elsewhere(lambda: png.encode_bands(iter(bands.get, None), layout))
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
