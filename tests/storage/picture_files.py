"""Files of pictures as programs write them, for the tests of reading them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

WIDTH, HEIGHT = 90, 70


def colours(channels: int = 3, depth: type = np.uint8, seed: int = 0) -> np.ndarray:
    top = np.iinfo(depth).max
    return np.random.default_rng(seed).integers(0, top + 1, (HEIGHT, WIDTH, channels)).astype(depth)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def interlaced(array: np.ndarray) -> bytes:
    """Adam7 (section 8.1), unfiltered, 16 bits or 8."""
    height, width, channels = array.shape
    body = b""
    passes = "0088 0488 4084 0244 2042 0122 1021".split()
    for y, x, down, across in (map(int, step) for step in passes):
        for row in array[y::down, x::across]:
            body += b"\0" + row.astype(array.dtype.newbyteorder(">")).tobytes() if row.size else b""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, array.dtype.itemsize * 8, kind, 0, 0, 1)
    data = chunk(b"IDAT", zlib.compress(body))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def tiff16(array: np.ndarray, compression: str = "raw", orientation: int = 1) -> bytes:
    """A little-endian TIFF 6.0 of one strip, 16 bits per sample."""
    height, width, channels = array.shape
    body = array.astype("<u2").tobytes()
    if compression != "raw":  # Pillow's libtiff compresses bytes as an 8-bit strip of the same length
        as_bytes = Image.frombytes("L", (width * channels * 2, height), body)
        packed = saved(as_bytes, "TIFF", compression=compression, tiffinfo={278: height})
        image = TiffImageFile(io.BytesIO(packed))
        offset, count = image.tag_v2[273][0], image.tag_v2[279][0]
        body = packed[offset : offset + count]
    number = {"raw": 1, "tiff_lzw": 5, "tiff_adobe_deflate": 8, "packbits": 32773}[compression]
    extra = [(338, 3, [2])] if channels == 4 else []
    entries = [
        (256, 3, [width]), (257, 3, [height]), (258, 3, [16] * channels), (259, 3, [number]),
        (262, 3, [2 if channels > 2 else 1]), (273, 4, [8]), (274, 3, [orientation]), (277, 3, [channels]),
        (278, 3, [height]), (279, 4, [len(body)]), (284, 3, [1]), *extra,
    ]  # fmt: skip
    body += b"\0" * (len(body) % 2)
    at = 8 + len(body)
    far = at + 2 + 12 * len(entries) + 4
    table, beyond = b"", b""
    for tag, kind, values in entries:
        packed = b"".join(struct.pack("<H" if kind == 3 else "<I", value) for value in values)
        if len(packed) > 4:
            table += struct.pack("<HHII", tag, kind, len(values), far + len(beyond))
            beyond += packed
        else:
            table += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    directory = struct.pack("<H", len(entries)) + table + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", at) + body + directory + beyond
