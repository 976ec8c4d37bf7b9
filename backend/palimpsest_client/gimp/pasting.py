"""A result made ready for GIMP: what shows of it as opaque colours and a mask. Formats as babl names them.

No pixel is touched in Python. Meant for worker threads.
"""

from __future__ import annotations

from array import array
from typing import Callable, NamedTuple, Optional

from ..editor.geometry import Bounds, Extent
from ..editor.masks import bounds_of
from ..editor.png import Layout
from ..editor.renewing import OldLayer

COVERED = b"\0" + b"\xff" * 255  # any coverage at all → full

Read = Callable[[Bounds, str], bytes]  # a part of a picture in a format


class Kind(NamedTuple):
    """How a document's pixels travel: grey or RGB, 8 or 16 bits, without alpha where all is opaque."""

    grey: bool
    depth: int
    alpha: bool = True

    @property
    def format(self) -> str:
        return "{}{} u{}".format("Y'" if self.grey else "R'G'B'", "A" if self.alpha else "", self.depth)

    @property
    def mask_format(self) -> str:
        return f"Y u{self.depth}"

    @property
    def channels(self) -> int:
        return (1 if self.grey else 3) + self.alpha

    @property
    def step(self) -> int:
        """Bytes of a value."""
        return self.depth // 8


class LayerContent(NamedTuple):
    """A result ready to become a layer: opaque colours, and how much of them shows."""

    kind: Kind
    bounds: Bounds  # on the canvas
    pixels: bytes
    mask: bytes  # one value of ``kind.depth`` bits per pixel


def read_content(
    layout: Layout, grey: bool, bounds: Bounds, content: Bounds, read: Read
) -> Optional[LayerContent]:
    """The part of ``content`` that shows, of a picture at ``bounds`` of the canvas; None if nothing does."""
    kind = Kind(grey, layout.depth)
    worked = content.moved(-bounds.x, -bounds.y).intersect(layout.extent.bounds)
    part = shown_part(read, worked, kind.step)
    if part.empty:
        return None
    mask = read(part, f"A u{kind.depth}")
    pixels = bytearray(read(part, kind.format))
    shown = covered(mask, kind.step)
    size = kind.channels * kind.step
    for byte in range(kind.step):
        pixels[size - kind.step + byte :: size] = shown
    return LayerContent(kind, part.moved(bounds.x, bounds.y), bytes(pixels), mask)


def shown_part(read: Read, within: Bounds, step: int) -> Bounds:
    """The smallest part that holds everything that isn't transparent."""
    if within.empty:
        return within
    found = bounds_of(read(within, f"A u{8 * step}"), Extent(within.width * step, within.height))
    left, right = found.x // step, -(-found.right // step)
    return Bounds(left, found.y, right - left, found.height).moved(within.x, within.y)


def covered(mask: bytes, step: int) -> bytes:
    """One byte per value of ``step`` bytes: 255 where it isn't 0."""
    shown = mask[0::step].translate(COVERED)
    for byte in range(1, step):
        more = int.from_bytes(mask[byte::step].translate(COVERED), "big")
        shown = (int.from_bytes(shown, "big") | more).to_bytes(len(shown), "big")
    return shown


def apply_mask(pixels: bytes, mask: bytes, kind: Kind) -> bytes:
    """``pixels``, their opacity times ``mask``: one value of ``kind.depth`` bits for each."""
    of_depth, top = ("B", 255) if kind.depth == 8 else ("H", 65535)
    values, last = array(of_depth, pixels), kind.channels - 1
    covering = zip(values[last :: kind.channels], memoryview(mask).cast(of_depth))
    values[last :: kind.channels] = array(of_depth, [(a * m + top // 2) // top for a, m in covering])
    return values.tobytes()


def layer_bounds(made: LayerContent, kept: OldLayer | None) -> Bounds:
    """Where the layer belongs: moved as the one before was."""
    return made.bounds if kept is None or not kept.by_hand else made.bounds.moved(*kept.shift)


def space_of(precision: str) -> str:
    """The space of a picture's own encoding, as GIMP's enumeration names it; ``precision``: its nick."""
    if precision.endswith("non-linear"):
        return "RGB_NON_LINEAR"
    return "RGB_PERCEPTUAL" if precision.endswith("perceptual") else "RGB_LINEAR"
