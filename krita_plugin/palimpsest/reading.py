"""From a clone of a document to PNG: read in bands on Krita's thread, packed on another."""

from __future__ import annotations

import queue
from typing import Callable

from ._client import png
from ._client.geometry import Bounds, strips
from ._client.slices import WORKED, Steps, elsewhere
from .qt import QByteArray
from .spaces import CHANNELS, DEPTHS, INTEGER, Backstage, Converter, Space, sent_for

QUEUED = 8  # bands that may wait to be packed

Read = Callable[[int, int, int, int], QByteArray]  # x, y, width, height
Band = Callable[[Bounds], bytes]


def picture_png(backstage: Backstage, space: Space, part: Bounds, read: Read) -> Steps[bytes]:
    """``part`` of what ``read`` gives in ``space``, as PNG in sRGB or its grey."""
    target = sent_for(space)
    layout = png.Layout(
        part.extent, CHANNELS[target.model], 8 * DEPTHS[target.depth], blue_first=target.model == "RGBA"
    )
    with Converter(backstage, space, target) as converter:
        return (yield from packed(layout, part, space.most, lambda b: converter.convert(read(*b).data())))


def selection_png(part: Bounds, read: Read) -> Steps[bytes]:
    return (yield from packed(png.Layout(part.extent, 1), part, INTEGER, lambda b: read(*b).data()))


def packed(layout: png.Layout, part: Bounds, most: int, read: Band) -> Steps[bytes]:
    """A PNG of ``part``, read in bands of about ``most`` pixels."""
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
