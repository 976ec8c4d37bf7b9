"""Pictures as Krita's nodes and selections take them, in pieces of a few rows. Runs on worker threads.

``Read`` gives the rows of a part of the canvas that a picture covers, as ``png.Layout`` has them decoded by
Qt: straight BGRA of 8 bits, straight RGBA of 16, or (``GREY``) one byte of grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Tuple

from ..editor import masks, png
from ..editor.editor import LayerResult
from ..editor.geometry import Bounds, strips
from ..editor.slices import WorkError
from ..text.wording import say

GREY = 0  # of depths
LINES = 64  # bands of an outline
OPAQUE = b"\0" + b"\xff" * 255  # where a mask lets anything through, its layer is opaque

Read = Callable[[Bounds, int], bytes]  # a part of the canvas, bits of a value
Decode = Callable[[bytes], Read]  # a PNG, whose parts are its own. Raises WorkError


@dataclass(frozen=True)
class Piece:
    """A few rows of a layer: straight colours in Krita's order of channels, opaque where the mask isn't 0."""

    bounds: Bounds  # on the canvas
    pixels: bytes  # empty for a mask alone
    mask: bytes


@dataclass(frozen=True)
class LayerPicture:
    """The pieces cover what was asked for."""

    grey: bool
    depth: int  # 8 or 16
    pieces: List[Piece]


@dataclass(frozen=True)
class MaskPicture:
    """The pieces hold all that isn't 0, and all of ``whole``, which less ``gaps`` is the mask's outline."""

    whole: Bounds
    gaps: List[Bounds]
    pieces: List[Piece]


def read_layer(decode: Decode, result: LayerResult, most: int) -> LayerPicture:
    """What a result's layer covers. Raises WorkError."""
    read, layout = opened(decode, result.image, result.bounds)
    return layer_picture(read, layout, result.covered, most)


def read_mask(decode: Decode, content: bytes, bounds: Bounds, most: int) -> MaskPicture:
    """A grey PNG that lies at ``bounds``. Raises WorkError."""
    return mask_picture(opened(decode, content, bounds)[0], bounds, most)


def opened(decode: Decode, content: bytes, bounds: Bounds) -> Tuple[Read, png.Layout]:
    """A PNG that lies at ``bounds`` of the canvas. Raises WorkError for one of another size, or damaged."""
    try:
        layout = png.read_layout(content)
    except ValueError as error:
        raise WorkError(say("unreadable", reason=str(error))) from error
    if layout.extent != bounds.extent:
        raise WorkError(say("unreadable", reason=f"{tuple(layout.extent)} ≠ {tuple(bounds.extent)}"))
    read = decode(content)
    return (lambda part, depth: read(part.moved(-bounds.x, -bounds.y), depth)), layout


def layer_picture(read: Read, layout: png.Layout, part: Bounds, most: int) -> LayerPicture:
    """``part`` of a layer in pieces of about ``most`` pixels."""
    grey, depth = layout.channels < 3, layout.depth
    return LayerPicture(grey, depth, [layer_piece(read, strip, grey, depth) for strip in strips(part, most)])


def layer_piece(read: Read, part: Bounds, grey: bool, depth: int) -> Piece:
    pixels = bytearray(read(part, depth))
    mask = bytes(pixels[3::4] if depth == 8 else pixels[7::8])  # of 16 bits the upper ones: masks have 8
    opaque = mask.translate(OPAQUE)
    if depth == 8:
        pixels[3::4] = opaque
    else:
        pixels[6::8] = pixels[7::8] = opaque
    return Piece(part, as_krita(bytes(pixels), grey, depth), mask)


def as_krita(pixels: bytes, grey: bool, depth: int) -> bytes:
    """Qt's BGRA of 8 or RGBA of 16 bits as Krita's BGRA, or as grey + alpha."""
    if not grey:
        return pixels if depth == 8 else png.red_first(pixels, 4, 2)
    size = depth // 8
    values = bytearray(len(pixels) // 2)
    for byte in range(size):
        values[byte :: 2 * size] = pixels[byte :: 4 * size]
        values[size + byte :: 2 * size] = pixels[3 * size + byte :: 4 * size]
    return bytes(values)


def mask_picture(read: Read, bounds: Bounds, most: int) -> MaskPicture:
    """A mask that covers ``bounds``, in pieces of about ``most`` pixels."""
    middles = []
    for band in strips(bounds, bounds.width * max(1, bounds.height // LINES)):
        middle = Bounds(band.x, band.y + band.height // 2, band.width, 1)
        middles.append((band, read(middle, GREY)))
    whole, gaps = masks.outline(middles)
    pieces = []
    for part in strips(bounds, most):
        values = read(part, GREY)
        found = masks.bounds_of(values, part.extent)  # Krita takes long to measure a selection full of zeros
        found = found.union(whole.intersect(part).moved(-part.x, -part.y))
        if not found.empty:
            pieces.append(Piece(found.moved(part.x, part.y), b"", masks.cropped(values, part.extent, found)))
    return MaskPicture(whole, gaps, pieces)
