"""Pictures between PNG and raw pixels, decoded by GEGL at their full depth. Meant for worker threads.

Nothing here is GIMP's: formats are babl's names, of which "R'G'B'A" and "Y'A" are sRGB.
"""

# pyright: reportMissingImports=false
# GIMP's Python brings gi.
from __future__ import annotations

import os
import tempfile
from array import array
from typing import NamedTuple

import gi

gi.require_version("Gegl", "0.4")
from _client import masks, png  # noqa: E402
from _client.editor import LayerResult  # noqa: E402
from _client.geometry import Bounds, Extent  # noqa: E402
from gi.repository import Gegl  # noqa: E402

STRIPE = 1 << 18  # pixels read or written at once, a few milliseconds
COVERED = b"\0" + b"\xff" * 255  # any coverage at all → full


class Kind(NamedTuple):
    """How a document's pixels travel: grey or RGB, always with alpha, 8 or 16 bits."""

    grey: bool
    depth: int

    @property
    def format(self) -> str:
        return "{} u{}".format("Y'A" if self.grey else "R'G'B'A", self.depth)

    @property
    def channels(self) -> int:
        return 2 if self.grey else 4

    @property
    def pixel_bytes(self) -> int:
        return self.channels * self.depth // 8


class Pasted(NamedTuple):
    """A result ready to become a layer: opaque colours, and how much of them shows."""

    kind: Kind
    bounds: Bounds  # on the canvas
    pixels: bytes
    mask: bytes  # one value of ``kind.depth`` bits per pixel


def masked(pixels: bytes, mask: bytes, kind: Kind) -> bytes:
    """``pixels``, their opacity times ``mask``: one value of ``kind.depth`` bits for each."""
    of_depth, top = ("B", 255) if kind.depth == 8 else ("H", 65535)
    values, last = array(of_depth, pixels), kind.channels - 1
    covered = zip(values[last :: kind.channels], memoryview(mask).cast(of_depth))
    values[last :: kind.channels] = array(of_depth, [(a * m + top // 2) // top for a, m in covered])
    return values.tobytes()


def pasted(result: LayerResult, grey: bool) -> Pasted | None:
    """The part of the result that shows; None if nothing does."""
    layout = png.read_layout(result.image)
    kind = Kind(grey, layout.depth)
    buffer = loaded(result.image)
    step = kind.depth // 8
    worked = result.content.moved(-result.bounds.x, -result.bounds.y).intersect(layout.extent.bounds)
    part = shown_part(buffer, worked, step)
    if part.empty:
        return None
    mask = read(buffer, part, f"A u{kind.depth}")
    pixels = bytearray(read(buffer, part, kind.format))
    shown = covered(mask, step)
    for byte in range(step):
        pixels[kind.pixel_bytes - step + byte :: kind.pixel_bytes] = shown
    return Pasted(kind, part.moved(result.bounds.x, result.bounds.y), bytes(pixels), mask)


def shown_part(buffer: Gegl.Buffer, within: Bounds, step: int) -> Bounds:
    """The smallest part that holds everything that isn't transparent."""
    if within.empty:
        return within
    coverage = read(buffer, within, f"A u{8 * step}")
    found = masks.bounds_of(coverage, Extent(within.width * step, within.height))
    left, right = found.x // step, -(-found.right // step)
    return Bounds(left, found.y, right - left, found.height).moved(within.x, within.y)


def covered(mask: bytes, step: int) -> bytes:
    """One byte per value of ``step`` bytes: 255 where it isn't 0."""
    shown = mask[0::step].translate(COVERED)
    for byte in range(1, step):
        more = int.from_bytes(mask[byte::step].translate(COVERED), "big")
        shown = (int.from_bytes(shown, "big") | more).to_bytes(len(shown), "big")
    return shown


def selection(mask: bytes, bounds: Bounds, canvas: Extent) -> bytes:
    """A grey PNG that lies at ``bounds`` as one byte per pixel of the whole canvas."""
    layout = png.read_layout(mask)
    if layout.extent != bounds.extent:
        raise ValueError(f"a mask of {layout.extent!r} for {bounds!r}")
    values = read(loaded(mask), layout.extent.bounds, "Y' u8")
    return masks.placed(values, bounds, canvas)


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
