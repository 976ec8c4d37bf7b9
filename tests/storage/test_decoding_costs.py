"""Decoding costs what the header promises and no more: bytes per pixel, measured in a process of its own."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import palimpsest
from palimpsest.errors import ImageTooLargeError, ImageUnreadableError
from palimpsest.storage import png
from palimpsest.storage.decode import Limits
from palimpsest.storage.pictures import read_picture

STATUS = Path("/proc/self/status")
WIDTH, HEIGHT = 4000, 3000
PIXELS = WIDTH * HEIGHT
SPARE = 16 << 20  # bytes: bands, the file, and what the allocator rounds up
MEASURE = """
import re, sys
from pathlib import Path
from palimpsest.storage.pictures import read_picture
read_picture(Path(sys.argv[1]))  # what is loaded with the first picture isn't counted
peak = lambda: 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = peak()
found = read_picture(Path(sys.argv[2]))
print(peak() - before, *found.size)
"""


def measured(data: bytes, folder: Path) -> int:
    """Bytes that the decoder's process grew by at most; the file is read in it too."""
    small, large = folder / "small", folder / "large"
    small.write_bytes(png.encode(np.zeros((64, 64, 4), np.uint16)))
    large.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(large)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(palimpsest.__file__).parent.parent), "OMP_NUM_THREADS": "1"},
    )
    grown, *size = map(int, done.stdout.split())
    assert size == [WIDTH, HEIGHT]
    return grown


def large_png(depth: int, colour: int, interlaced: bool = False, more: int = 0) -> bytes:
    """Zeros under the Paeth filter; ``more``: bytes of image data beyond what the header promises."""
    packer, body = zlib.compressobj(), b""
    grid = png.ADAM7 if interlaced else ((0, 0, 1, 1),)
    for top, left, down, across in grid:
        width, height = -(-(WIDTH - left) // across), -(-(HEIGHT - top) // down)
        row = b"\4" + bytes(-(-width * png.CHANNELS[colour] * depth // 8))
        for _ in range(height):
            body += packer.compress(row)
    for _ in range(more >> 20):
        body += packer.compress(bytes(1 << 20))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, interlaced)
    chunks = {b"IHDR": header, b"IDAT": body + packer.flush(), b"IEND": b""}
    if colour == 3:
        chunks = {b"IHDR": header, b"PLTE": bytes(range(256)) * 3, **chunks}
    return png.SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks.items()
    )


def saved(kind: str, channels: int = 3, **options: object) -> bytes:
    ramp = np.linspace(0, 255, WIDTH).astype(np.uint8)
    pixels = np.broadcast_to(ramp[None, :, None], (HEIGHT, WIDTH, channels))
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels).squeeze()).save(stream, kind, **options)
    return stream.getvalue()


def tiff_16(channels: int) -> bytes:
    """Sixteen bits per sample in one deflated strip, little-endian; extra samples are straight alpha."""
    body = zlib.compress(bytes(PIXELS * channels * 2))
    entries = [
        (256, 4, WIDTH), (257, 4, HEIGHT), (259, 3, 8), (262, 3, 2), (273, 4, 8), (277, 3, channels),
        (278, 4, HEIGHT), (279, 4, len(body)), (284, 3, 1),
    ]  # fmt: skip
    entries += [(338, 3, 2)] if channels == 4 else []
    at = 8 + len(body) + len(body) % 2
    far = at + 2 + 12 * (len(entries) + 1) + 4
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries[:2])
    table += struct.pack("<HHII", 258, 3, channels, far)
    table += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries[2:])
    directory = struct.pack("<H", len(entries) + 1) + table + bytes(4) + struct.pack("<4H", *[16] * 4)
    return b"II*\0" + struct.pack("<I", at) + body + bytes(len(body) % 2) + directory


COSTS: dict[str, tuple[Callable[[], bytes], int, int]] = {  # file, bytes per pixel of the samples, at most
    "png 8": (lambda: large_png(8, 2), 3, 3),
    "png 16": (lambda: large_png(16, 2), 6, 6),
    "png 8 with alpha": (lambda: large_png(8, 6), 4, 4),
    "png 16 with alpha": (lambda: large_png(16, 6), 8, 8),
    "png palette": (lambda: large_png(8, 3), 3, 3),
    "png 1 bit": (lambda: large_png(1, 0), 1, 1),
    "png 16 interlaced": (lambda: large_png(16, 6, interlaced=True), 8, 8),
    "png with more data than it says": (lambda: large_png(8, 2, more=1 << 28), 3, 3),
    "jpeg": (lambda: saved("JPEG"), 3, 8),
    "jpeg progressive": (lambda: saved("JPEG", progressive=True, subsampling=0), 3, 14),
    "tiff strips": (lambda: saved("TIFF", compression="tiff_adobe_deflate"), 3, 8),
    "tiff one strip": (lambda: saved("TIFF", compression="tiff_lzw", tiffinfo={278: HEIGHT}), 3, 8),
    "tiff 16": (lambda: tiff_16(3), 6, 17),
    "tiff 16 with alpha": (lambda: tiff_16(4), 8, 21),
    "bmp": (lambda: saved("BMP"), 3, 8),
    "webp": (lambda: saved("WEBP", method=0, lossless=True, quality=0), 3, 18),
}


@pytest.mark.skipif(not STATUS.is_file(), reason="how much memory a process needed at most is Linux's to say")
@pytest.mark.parametrize("name", COSTS)
def test_memory_at_the_peak_is_as_stated(name: str, tmp_path: Path) -> None:
    """docs/architecture.md, "Pictures". The lower bound keeps the measuring honest."""
    make, samples, most = COSTS[name]
    data = make()
    grown = measured(data, tmp_path)
    assert samples * PIXELS * 0.9 <= grown <= most * PIXELS + len(data) + SPARE


def test_a_tile_far_larger_than_the_picture_is_refused() -> None:
    stream = BytesIO()
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(stream, "TIFF", compression="tiff_adobe_deflate")
    data = stream.getvalue()
    image = Image.open(BytesIO(data))
    offset, count = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]
    entries = [
        (256, 4, 100), (257, 4, 100), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1), (284, 3, 1),
        (322, 4, 30_000), (323, 4, 30_000), (324, 4, offset), (325, 4, count),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    at = len(data) + len(data) % 2
    tiled = data[:4] + struct.pack("<I", at) + data[8:] + bytes(len(data) % 2)
    with pytest.raises(ImageUnreadableError, match="30000 x 30000"):
        read_picture(tiled + struct.pack("<H", len(entries)) + table + bytes(4))


@pytest.mark.parametrize(
    "start",
    [
        b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16382).to_bytes(3, "little") * 2,
        b"VP8L" + struct.pack("<I", 10) + b"\x2f" + (16382 | 16382 << 14).to_bytes(4, "little") + bytes(5),
        b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383),
    ],
)
def test_a_webp_is_judged_before_its_decoder_sets_memory_aside(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palimpsest.storage.decode.READERS", {})
    data = b"RIFF" + struct.pack("<I", 4 + len(start)) + b"WEBP" + start
    with pytest.raises(ImageTooLargeError, match="16383 x 16383"):
        read_picture(data, Limits(pixels=1_000_000))


def test_a_limit_above_pillows_own_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    stream = BytesIO()
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(stream, "TIFF")
    assert read_picture(stream.getvalue()).size == (100, 100)
    assert Image.MAX_IMAGE_PIXELS == 1000
