"""Pixels of an editor to PNG: read in bands on the editor's thread, packed on another."""

from __future__ import annotations

import queue
from typing import Callable, Tuple, TypeVar

from ..gimp.pasting import Kind, masked
from ..http.sending import Outgoing
from ..text.wording import say
from . import masks, png
from .geometry import Bounds, strips
from .slices import WORKED, Steps, WorkError, on_thread

QUEUED = 8  # bands that may wait to be packed

Read = Callable[[Bounds], bytes]  # of a part of the canvas
Band = TypeVar("Band")


def packed(
    layout: png.Layout,
    part: Bounds,
    most: int,
    read: Callable[[Bounds], Band],
    file: Outgoing,
    pixels_of: Callable[[Band], bytes] = bytes,
) -> Steps[bytes]:
    """A PNG of ``part``, which ``read`` gives in bands of about ``most`` pixels, written into ``file``.

    ``pixels_of`` makes what is packed of what is read, on the other thread.
    """
    bands: queue.Queue[Band | None] = queue.Queue()
    read_bands = iter(bands.get, None)

    def pack() -> bytes:
        try:
            level = file.level(layout.size)
            made = png.encode_bands(map(pixels_of, read_bands), layout, level=level, file=file)
            file.end()
            return made
        except BaseException:
            file.close()
            raise

    packing = on_thread(pack)
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


def packed_picture(
    part: Bounds, most: int, kind: Kind, file: Outgoing, pixels: Read, mask: Read | None = None
) -> Steps[bytes]:
    """A PNG of ``part``. ``mask``: what its opacity is multiplied with."""
    layout = png.Layout(part.extent, kind.channels, kind.depth)
    if mask is None:
        return (yield from packed(layout, part, most, pixels, file))

    def both(band: Bounds) -> Tuple[bytes, bytes]:
        return pixels(band), mask(band)

    def shown(read: Tuple[bytes, bytes]) -> bytes:
        return masked(*read, kind)

    return (yield from packed(layout, part, most, both, file, shown))


def packed_selection(part: Bounds, most: int, read: Read) -> Steps[bytes]:
    """A grey PNG of ``part``. Raises WorkError where nothing of it is selected."""
    touched = False

    def noticed(band: Bounds) -> bytes:
        nonlocal touched
        values = read(band)
        touched = touched or not masks.is_empty(values)
        return values

    made = yield from packed(png.Layout(part.extent, 1), part, most, noticed, Outgoing())
    if not touched:
        raise WorkError(say("layer-untouched"))
    return made
