"""PNG files as bytes that Krita's nodes and selections take. Runs on worker threads: knows no document."""

from __future__ import annotations

from dataclasses import dataclass

from ._client import masks, png
from ._client.geometry import Bounds, Extent, strips
from ._client.slices import WorkError
from ._client.wording import say
from .qt import QBuffer, QImage, QImageReader, QIODevice

LINES = 64  # bands of an outline
OPAQUE = b"\0" + b"\xff" * 255  # where a mask lets anything through, its layer is opaque


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
    pieces: list[Piece]


@dataclass(frozen=True)
class MaskPicture:
    """The pieces hold all that isn't 0, and all of ``whole``, which less ``gaps`` is the mask's outline."""

    whole: Bounds
    gaps: list[Bounds]
    pieces: list[Piece]


def read_layer(content: bytes, bounds: Bounds, part: Bounds, most: int) -> LayerPicture:
    """``part`` of a layer's PNG that lies at ``bounds``, in pieces of about ``most`` pixels.

    Raises WorkError.
    """
    image, layout = read_image(content, bounds.extent)
    grey, depth = layout.channels < 3, layout.depth
    parts = strips(part.intersect(bounds), most)
    return LayerPicture(grey, depth, [layer_piece(image, part, bounds, grey, depth) for part in parts])


def read_mask(content: bytes, bounds: Bounds, most: int) -> MaskPicture:
    """A grey PNG that lies at ``bounds``. Raises WorkError."""
    image, _ = read_image(content, bounds.extent)
    middles = []
    for band in strips(bounds, bounds.width * max(1, bounds.height // LINES)):
        middle = Bounds(band.x, band.y + band.height // 2, band.width, 1)
        middles.append((band, cut(image, middle, bounds, QImage.Format.Format_Grayscale8, 1)))
    whole, gaps = masks.outline(middles)
    pieces = []
    for part in strips(bounds, most):
        values = cut(image, part, bounds, QImage.Format.Format_Grayscale8, 1)
        found = masks.bounds_of(values, part.extent)  # Krita takes long to measure a selection full of zeros
        found = found.union(whole.intersect(part).moved(-part.x, -part.y))
        if not found.empty:
            pieces.append(Piece(found.moved(part.x, part.y), b"", masks.cropped(values, part.extent, found)))
    return MaskPicture(whole, gaps, pieces)


def read_image(content: bytes, extent: Extent) -> tuple[QImage, png.Layout]:
    """Through a reader: unlike ``QImage.fromData`` it lets Python's other threads run meanwhile."""
    try:
        layout = png.read_layout(content)
    except ValueError as error:
        raise WorkError(say("unreadable", reason=str(error))) from error
    if layout.extent != extent:
        raise WorkError(say("unreadable", reason=f"{tuple(layout.extent)} ≠ {tuple(extent)}"))
    buffer = QBuffer()
    buffer.setData(content)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    if hasattr(reader, "setAllocationLimit"):  # Qt 6 refuses what is larger than 256 MB
        reader.setAllocationLimit(0)
    image = reader.read()
    if image.isNull():
        raise WorkError(say("unreadable", reason=reader.errorString()))
    return image, layout


def layer_piece(image: QImage, part: Bounds, bounds: Bounds, grey: bool, depth: int) -> Piece:
    wide = QImage.Format.Format_RGBA64 if depth == 16 else QImage.Format.Format_ARGB32
    pixels = bytearray(cut(image, part, bounds, wide, depth // 2))
    mask = bytes(pixels[3::4] if depth == 8 else pixels[7::8])  # of 16 bits the upper ones: masks have 8
    opaque = mask.translate(OPAQUE)
    if depth == 8:
        pixels[3::4] = opaque
    else:
        pixels[6::8] = pixels[7::8] = opaque
    return Piece(part, png.as_krita(bytes(pixels), grey, depth), mask)


def cut(image: QImage, part: Bounds, bounds: Bounds, format: QImage.Format, size: int) -> bytes:
    """``part`` of the canvas, of an image that lies at ``bounds``; ``size``: bytes per pixel."""
    x, y, width, height = part.moved(-bounds.x, -bounds.y)
    image = image.copy(x, y, width, height).convertToFormat(format)
    return b"".join([image.constScanLine(row).asstring(width * size) for row in range(height)])
