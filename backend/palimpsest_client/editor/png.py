"""Raw pixels to PNG, losslessly, with zlib alone (PNG specification, ISO/IEC 15948).

Every row is stored with filter 0: no arithmetic on pixels happens in Python.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .geometry import Extent

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels → grey, grey + alpha, RGB, RGB + alpha
BAND = 1 << 20  # bytes
STORED, QUICK = 0, 1  # levels of zlib: 0 doesn't compress, for a server on the same machine
CHANNELS = {color_type: channels for channels, color_type in COLOR_TYPES.items()}


class Layout(NamedTuple):
    """How raw pixels lie in memory: interleaved, row by row, without padding."""

    extent: Extent
    channels: int  # 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
    depth: int = 8  # bits: 8 or 16
    little_endian: bool = sys.byteorder == "little"  # of 16-bit values
    blue_first: bool = False  # BGR(A), as Krita has it

    @property
    def row_bytes(self) -> int:
        return self.extent.width * self.channels * self.depth // 8

    @property
    def size(self) -> int:
        """Bytes."""
        return self.row_bytes * self.extent.height


def encode(pixels: bytes, layout: Layout, icc: bytes | None = None, level: int = QUICK) -> bytes:
    """A PNG of exactly these pixels. ``level``: zlib's, 0 … 9."""
    check(pixels, layout)
    return encode_bands(bands(pixels, layout), layout, icc, level)


def encode_bands(
    pixels: Iterable[bytes],
    layout: Layout,
    icc: bytes | None = None,
    level: int = QUICK,
    file: io.BytesIO | None = None,
) -> bytes:
    """As ``encode``, of pixels that come as pieces of whole rows: never all of them are in memory.

    Written piece by piece, because joining them at the end would keep Python's other threads waiting.
    ``file``: where to, from its beginning.
    """
    check_kind(layout)
    width, height = layout.extent
    header = struct.pack(">IIBBBBB", width, height, layout.depth, COLOR_TYPES[layout.channels], 0, 0, 0)
    file = io.BytesIO() if file is None else file
    file.write(SIGNATURE + chunk(b"IHDR", header))
    if icc is not None:
        file.write(chunk(b"iCCP", b"profile\0\0" + zlib.compress(icc)))
    for data in compressed(pixels, layout, level):
        file.write(chunk(b"IDAT", data))
    file.write(chunk(b"IEND", b""))
    return file.getvalue()


def bands(pixels: bytes, layout: Layout) -> Iterator[bytes]:
    """The pixels in pieces of whole rows, so short that no other thread waits for one."""
    step = max(1, BAND // layout.row_bytes) * layout.row_bytes
    for start in range(0, len(pixels), step):
        yield pixels[start : start + step]


def check(pixels: bytes, layout: Layout) -> None:
    check_kind(layout)
    check_amount(len(pixels), layout)


def check_kind(layout: Layout) -> None:
    if layout.channels not in COLOR_TYPES or layout.depth not in (8, 16):
        raise ValueError(f"{layout.channels} channels of {layout.depth} bits can't be a PNG")
    if layout.extent.width <= 0 or layout.extent.height <= 0:
        raise ValueError(f"{layout!r} holds no pixels")


def check_amount(amount: int, layout: Layout) -> None:
    if amount != layout.size:
        raise ValueError(f"{amount} bytes where {layout.size} belong to {layout!r}")


def as_stored(pixels: bytes, layout: Layout) -> bytes:
    """Red first, most significant byte first, as PNG wants them."""
    if layout.depth == 16 and layout.little_endian:
        values = array("H")
        assert values.itemsize == 2
        values.frombytes(pixels)
        values.byteswap()
        pixels = values.tobytes()
    if layout.blue_first and layout.channels >= 3:
        return red_first(pixels, layout.channels, layout.depth // 8)
    return pixels


def red_first(pixels: bytes, channels: int, size: int) -> bytes:
    """Exchange the first and the third channel of values that are ``size`` bytes long."""
    swapped = bytearray(pixels)
    stride = channels * size
    for byte in range(size):
        swapped[byte::stride] = pixels[2 * size + byte :: stride]
        swapped[2 * size + byte :: stride] = pixels[byte::stride]
    return bytes(swapped)


def compressed(pixels: Iterable[bytes], layout: Layout, level: int) -> Iterator[bytes]:
    """The zlib stream of all rows, each after its filter byte. Raises ValueError at a wrong amount."""
    squeeze = zlib.compressobj(level)
    amount, step = 0, layout.row_bytes
    for band in pixels:
        amount += len(band)
        view = memoryview(as_stored(band, layout))
        rows = [view[start : start + step] for start in range(0, len(view), step)]
        piece = squeeze.compress(b"\0" + b"\0".join(rows) if rows else b"")
        if piece:
            yield piece
    check_amount(amount, layout)
    yield squeeze.flush()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def read_layout(png: bytes) -> Layout:
    """Size and kind of a PNG, from its header alone. Raises ValueError."""
    if len(png) < 33 or png[:8] != SIGNATURE or png[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    width, height, depth, color_type = struct.unpack(">IIBB", png[16:26])
    if color_type not in CHANNELS:
        raise ValueError("a PNG with a palette")
    return Layout(Extent(width, height), CHANNELS[color_type], depth, little_endian=False)
