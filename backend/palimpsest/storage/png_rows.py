"""The pixels of a PNG, some rows at a time: what is needed beside the result is a few megabytes.

The image data is unpacked as far as the next rows need it, so that data with less or more in it than the
header promises costs no more than the header says. Filters are undone by Pillow's decoder, which is handed
each band as a small picture of its own, with the row above it first (section 9 of the specification).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from palimpsest.errors import ImageUnsupportedError
from palimpsest.storage.png import CHANNELS, Examined, damaged, passes, row_bytes

PIECE = 1 << 16  # bytes handed to zlib at a time: it copies what it doesn't use
BAND = 1 << 20  # bytes decoded at a time
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA", 6: "RGB", 8: "RGBA"}  # bytes per pixel to Pillow's mode


def channels_of(found: Examined) -> int:
    """Of the decoded picture: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA."""
    colours = 3 if found.colour == 3 else CHANNELS[found.colour]
    return colours + (found.transparency is not None and found.colour in (0, 2, 3))


def decode_rows(found: Examined, out: NDArray[Any]) -> None:
    """Fill ``out`` (height, width, `channels_of`), uint16 for 16 bits and uint8 for less.

    Raises ImageUnreadableError for damaged or missing data.
    """
    data = _Unpacked(found)
    colours = _Colours(found)
    for top, left, down, across, width, height in passes(found):
        rows = out[top::down, left::across]
        start = 0
        for raw in _bands(data, found, width, height):
            values = _values(raw, found, width)
            rows[start : start + len(values)] = colours.of(values)
            start += len(values)


class _Unpacked:
    """The image data, unpacked in the portions that are asked for."""

    def __init__(self, found: Examined) -> None:
        self.pieces = (
            body[at : at + PIECE] for body in found.packed for at in range(0, max(1, len(body)), PIECE)
        )
        self.inflate = zlib.decompressobj()
        self.rest: Any = b""
        self.total = 0

    def take(self, count: int) -> bytearray:
        portion = bytearray()
        while len(portion) < count:
            portion += self._more(count - len(portion))
        self.total += count
        return portion

    def _more(self, most: int) -> bytes:
        try:
            if not self.rest:
                self.rest = next(self.pieces, b"")
            last = not self.rest
            part = self.inflate.decompress(self.rest, most)
        except zlib.error as error:
            raise damaged(f"its data can't be unpacked ({error})") from error
        self.rest = self.inflate.unconsumed_tail
        if not part and last:
            raise damaged(f"its image data ends after {self.total} bytes")
        return part


def _bands(data: _Unpacked, found: Examined, width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """Unfiltered rows of one pass: (n, bytes) uint8."""
    length = row_bytes(found, width)
    step = max(1, found.depth * CHANNELS[found.colour] // 8)
    above, count = bytes(length), max(1, BAND // max(length + 1, width))
    for top in range(0, height, count):
        filtered = data.take(min(count, height - top) * (length + 1))
        raw = _unfiltered(above, filtered, length, step)
        yield raw
        above = raw[-1].tobytes()


def _unfiltered(above: bytes, filtered: bytearray, length: int, step: int) -> NDArray[np.uint8]:
    """Pillow has no pixels of 6 or 8 bytes: it keeps the first of each two bytes, or the second."""
    packed = zlib.compress(b"\0" + above + filtered, 0)
    mode, size = MODES[step], (length // step, len(filtered) // (length + 1) + 1)
    if step <= 4:
        return _undone(packed, mode, size, mode).reshape(size[1], length)[1:]
    check_halving(mode)
    both = [_undone(packed, mode, size, f"{mode};16{order}")[1:] for order in "BL"]
    return np.stack(both, axis=-1).reshape(size[1] - 1, length)


def _undone(packed: bytes, mode: str, size: tuple[int, int], raw: str) -> NDArray[np.uint8]:
    try:
        return np.asarray(Image.frombytes(mode, size, packed, "zip", raw, 0))
    except ValueError as error:
        raise damaged(f"a row has a filter that doesn't exist ({error})") from error


def check_halving(mode: str) -> None:
    """That ``;16B`` keeps the first byte of two and ``;16L`` the second is how Pillow is, not a promise.

    Raises ImageUnsupportedError for a Pillow that doesn't.
    """
    pair = bytes(range(1, 2 * len(mode) + 1))
    first = Image.frombytes(mode, (1, 1), pair, "raw", f"{mode};16B").tobytes()
    second = Image.frombytes(mode, (1, 1), pair, "raw", f"{mode};16L").tobytes()
    if (first, second) != (pair[::2], pair[1::2]):
        raise ImageUnsupportedError(
            "The installed Pillow unpacks 16-bit colour in a new way.",
            "Install the version that this program was released with.",
        )


def _values(raw: NDArray[np.uint8], found: Examined, width: int) -> NDArray[Any]:
    """Rows of bytes as (n, width, channels) samples, or palette indices (section 7.2)."""
    shape = (len(raw), width, CHANNELS[found.colour])
    if found.depth == 16:
        return np.ascontiguousarray(raw).view(">u2").reshape(shape)
    if found.depth == 8:
        return raw.reshape(shape)
    shifts = np.arange(8 - found.depth, -1, -found.depth, dtype=np.uint8)
    single = (raw[..., None] >> shifts) & np.uint8(2**found.depth - 1)
    return single.reshape(len(raw), -1)[:, :width, None]


class _Colours:
    """From a file's samples to 8 or 16 bits with an alpha channel where there is transparency."""

    def __init__(self, found: Examined) -> None:
        self.found = found
        self.table = _palette(found) if found.colour == 3 else None
        self.key = None
        if found.colour in (0, 2) and found.transparency is not None:
            self.key = np.frombuffer(found.transparency, ">u2")

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        if self.table is not None:
            return self.table[values[..., 0]]
        depth = self.found.depth
        scaled = values if depth >= 8 else values * np.uint8(255 // (2**depth - 1))
        if self.key is None:
            return scaled
        top = 65535 if depth == 16 else 255
        alpha = np.where((values == self.key).all(axis=-1, keepdims=True), 0, top)
        return np.concatenate([scaled, alpha.astype(scaled.dtype)], axis=-1)


def _palette(found: Examined) -> NDArray[np.uint8]:
    """(256, 3 or 4): colours that the palette lacks are black, as in browsers."""
    colours = found.palette
    if colours is None or len(colours) % 3 or not 3 <= len(colours) <= 768:
        raise damaged("its palette is missing or broken")
    table = np.zeros((256, channels_of(found)), np.uint8)
    table[: len(colours) // 3, :3] = np.frombuffer(colours, np.uint8).reshape(-1, 3)
    if found.transparency is not None:
        opacity = np.frombuffer(found.transparency[:256], np.uint8)
        table[:, 3] = 255
        table[: len(opacity), 3] = opacity
    return table
