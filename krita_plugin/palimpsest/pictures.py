"""PNG files as bytes that Krita's nodes and selections take. Runs on worker threads: knows no document."""

from __future__ import annotations

from dataclasses import dataclass

from ._client import png
from ._client.geometry import Bounds, Extent, strips
from ._client.slices import WorkError
from .qt import QImage

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


def read_layer(content: bytes, bounds: Bounds, part: Bounds, most: int) -> LayerPicture:
    """``part`` of a layer's PNG that lies at ``bounds``, in pieces of about ``most`` pixels.

    Raises WorkError.
    """
    image, layout = read_image(content, bounds.extent)
    grey, depth = layout.channels < 3, layout.depth
    image = image.convertToFormat(
        QImage.Format.Format_RGBA64 if depth == 16 else QImage.Format.Format_ARGB32
    )
    parts = strips(part.intersect(bounds), most)
    pieces = [piece(image, part, bounds, grey, depth) for part in parts]
    return LayerPicture(grey, depth, pieces)


def read_mask(content: bytes, bounds: Bounds, most: int) -> list[Piece]:
    """A grey PNG that lies at ``bounds``. Raises WorkError."""
    image, layout = read_image(content, bounds.extent)
    image = image.convertToFormat(QImage.Format.Format_Grayscale8)
    parts = strips(layout.extent.bounds, most)
    return [Piece(part.moved(bounds.x, bounds.y), b"", b"".join(rows(image, part, 1))) for part in parts]


def read_image(content: bytes, extent: Extent) -> tuple[QImage, png.Layout]:
    try:
        layout = png.read_layout(content)
    except ValueError as error:
        raise WorkError(f"The backend sent something that can't be read: {error}.") from error
    if layout.extent != extent:
        raise WorkError(f"The backend sent {tuple(layout.extent)} pixels where {tuple(extent)} belong.")
    image = QImage.fromData(content)
    if image.isNull():
        raise WorkError("The backend sent a damaged picture. Apply it again.")
    return image, layout


def piece(image: QImage, part: Bounds, bounds: Bounds, grey: bool, depth: int) -> Piece:
    """``part`` of the canvas, of an image that lies at ``bounds``."""
    pixels = bytearray(b"".join(rows(image, part.moved(-bounds.x, -bounds.y), depth // 2)))
    mask = alpha_of(pixels, depth)
    opaque = mask.translate(OPAQUE)
    if depth == 8:
        pixels[3::4] = opaque
    else:
        pixels[6::8] = pixels[7::8] = opaque
    return Piece(part, krita_order(bytes(pixels), grey, depth), mask)


def alpha_of(pixels: bytes | bytearray, depth: int) -> bytes:
    """One byte per pixel: of 16 bits the upper ones, as a mask in Krita has 8."""
    return bytes(pixels[3::4] if depth == 8 else pixels[7::8])


def krita_order(pixels: bytes, grey: bool, depth: int) -> bytes:
    """Qt's BGRA of 8 or RGBA of 16 bits as Krita's BGRA, or as grey + alpha."""
    if not grey:
        return pixels if depth == 8 else png.red_first(pixels, 4, 2)
    size = depth // 8
    values = bytearray(len(pixels) // 2)
    for byte in range(size):
        values[byte :: 2 * size] = pixels[byte :: 4 * size]
        values[size + byte :: 2 * size] = pixels[3 * size + byte :: 4 * size]
    return bytes(values)


def rows(image: QImage, part: Bounds, size: int) -> list[bytes]:
    """``part`` row by row, at ``size`` bytes per pixel."""
    across = slice(part.x * size, part.right * size)
    return [row(image, y, size)[across] for y in range(part.y, part.bottom)]


def row(image: QImage, y: int, size: int) -> bytes:
    return image.constScanLine(y).asstring(image.width() * size)
