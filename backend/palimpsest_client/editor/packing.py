"""Pixels of an editor to PNG: read in bands on the editor's thread, packed on another."""

from __future__ import annotations

import queue
from typing import Callable, TypeVar

from . import png
from .geometry import Bounds, strips
from .picture_file import PictureFile
from .slices import WORKED, Steps, on_thread

QUEUED = 8  # bands that may wait to be packed

Band = TypeVar("Band")


def pack(
    layout: png.Layout,
    part: Bounds,
    most: int,
    read: Callable[[Bounds], Band],
    file: PictureFile,
    pixels_of: Callable[[Band], bytes] = bytes,
) -> Steps[bytes]:
    """A PNG of ``part``, which ``read`` gives in bands of about ``most`` pixels, written into ``file``.

    ``pixels_of`` makes what is packed of what is read, on the other thread.
    """
    bands: queue.Queue[Band | None] = queue.Queue()
    read_bands = iter(bands.get, None)

    def encode() -> bytes:
        try:
            level = file.level(layout.size)
            made = png.encode_bands(map(pixels_of, read_bands), layout, level=level, file=file)
            file.end()
            return made
        except BaseException:
            file.close()
            raise

    packing = on_thread(encode)
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
