"""Pictures between PNG and raw pixels, decoded by GEGL at their full depth. Meant for worker threads.

Nothing here is GIMP's: formats are babl's names, of which "R'G'B'A" and "Y'A" are sRGB.
"""

from __future__ import annotations

import os
import tempfile

from _client.editor import png
from _client.editor.editor import LayerResult
from _client.editor.geometry import Bounds
from _client.gimp import pasting
from gi.repository import Gegl

STRIPE = 1 << 18  # pixels read or written at once, a few milliseconds


def read_content(result: LayerResult, grey: bool) -> pasting.LayerContent | None:
    """The part of the result that shows; None if nothing does."""
    layout, buffer = png.read_layout(result.image), loaded(result.image)
    take = lambda part, format: read(buffer, part, format)  # noqa: E731
    return pasting.read_content(layout, grey, result.bounds, result.content, take)


def coverage(mask: bytes, bounds: Bounds) -> bytes:
    """A grey PNG of the size of ``bounds`` as one byte per pixel."""
    extent = png.read_layout(mask).extent
    if extent != bounds.extent:
        raise ValueError(f"a mask of {extent!r} for {bounds!r}")
    return read(loaded(mask), extent.bounds, "Y' u8")


def loaded(content: bytes) -> Gegl.Buffer:
    """The PNG's pixels. GEGL reads files only, so it gets one that is gone afterwards."""
    extent = png.read_layout(content).extent
    number, path = tempfile.mkstemp(suffix=".png")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        graph = Gegl.Node()
        node = graph.create_child("gegl:png-load")
        node.set_property("path", path)
        box = node.get_bounding_box()
        if (box.width, box.height) != extent:
            raise ValueError("a damaged PNG")
        buffer = Gegl.Buffer.new("R'G'B'A u16", 0, 0, *extent)
        node.blit_buffer(buffer, rectangle(extent.bounds), 0, Gegl.AbyssPolicy.NONE)
        return buffer
    finally:
        os.unlink(path)


def read(buffer: Gegl.Buffer, bounds: Bounds, format: str | None) -> bytes:
    """``format``: babl's; None = as they are."""
    return bytes(buffer.get(rectangle(bounds), 1.0, format, Gegl.AbyssPolicy.NONE))


def rectangle(bounds: Bounds) -> Gegl.Rectangle:
    return Gegl.Rectangle.new(bounds.x, bounds.y, bounds.width, bounds.height)
