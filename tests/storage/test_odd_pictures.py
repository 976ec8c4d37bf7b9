"""Odd pictures: each has one right outcome, told by an independent reader or by the format's own rules."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import palimpsest
from palimpsest.storage import png
from palimpsest.storage.pictures import encode_layer, encode_merged, read_picture

WIDTH, HEIGHT = 90, 70


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed_png(depth: int, colour: int, samples: np.ndarray, extra: bytes = b"") -> bytes:
    """Samples of 1, 2 or 4 bits, (h, w), each row filled up to a byte and under the filter "up"."""
    height, width = samples.shape
    bits = ((samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(height, -1)
    rows = np.packbits(bits.astype(np.uint8), axis=1)
    above = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    body = b"".join(b"\2" + row.tobytes() for row in rows - above)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return png.SIGNATURE + chunk(b"IHDR", header) + extra + data


def by_pillow(data: bytes, mode: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


@pytest.mark.parametrize("width", [64, 65, 71])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits(depth: int, width: int) -> None:
    samples = np.random.default_rng(0).integers(0, 2**depth, (HEIGHT, width))
    picture = read_picture(packed_png(depth, 0, samples))
    assert picture.grey
    assert np.array_equal(picture.pixels[..., 1], samples * (255 // (2**depth - 1)))
    clear = read_picture(packed_png(depth, 0, samples, chunk(b"tRNS", struct.pack(">H", 1))))
    assert clear.alpha is not None
    assert np.array_equal(clear.alpha == 0, samples == 1)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_palettes_of_few_bits_with_transparency(depth: int) -> None:
    count = 2**depth
    samples = np.random.default_rng(0).integers(0, count, (HEIGHT, WIDTH))
    palette = np.random.default_rng(1).integers(0, 256, (count, 3)).astype(np.uint8).tobytes()
    data = packed_png(depth, 3, samples, chunk(b"PLTE", palette) + chunk(b"tRNS", b"\0\x80"))
    picture = read_picture(data)
    assert picture.alpha is not None
    found = np.concatenate([picture.pixels, picture.alpha[..., None]], axis=-1)
    assert np.array_equal(found, by_pillow(data, "RGBA"))


@pytest.mark.parametrize("bits", [8, 16])
def test_tiffs_whose_white_is_zero(bits: int) -> None:
    samples = np.random.default_rng(0).integers(0, 2**bits, (HEIGHT, WIDTH)).astype(f"<u{bits // 8}")
    entries = [
        (256, 3, WIDTH), (257, 3, HEIGHT), (258, 3, bits), (259, 3, 1), (262, 3, 0), (273, 4, 8), (277, 3, 1),
        (278, 3, HEIGHT), (279, 4, samples.nbytes),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = b"II*\0" + struct.pack("<I", 8 + samples.nbytes)
    data = head + samples.tobytes() + struct.pack("<H", len(entries)) + table + bytes(4)
    assert np.array_equal(read_picture(data).pixels[..., 0], 2**bits - 1 - samples)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_photos_keep_alpha_and_what_lies_beneath(channels: int, depth: type) -> None:
    array = np.random.default_rng(0).integers(0, np.iinfo(depth).max + 1, (HEIGHT, WIDTH, channels))
    array[:20, :, -1] = 0
    picture = read_picture(png.encode(array.astype(depth)))
    assert encode_merged(picture, picture.pixels) == png.encode(array.astype(depth))
    layer = np.concatenate([picture.pixels, picture.alpha[..., None]], axis=-1)  # type: ignore[index]
    again = read_picture(encode_layer(picture, layer))
    assert np.array_equal(again.alpha, array[..., -1])  # type: ignore[arg-type]
    assert np.array_equal(again.pixels, picture.pixels)


def test_lossless_webp_with_alpha_is_exact() -> None:
    array = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "WEBP", lossless=True, exact=True)
    picture = read_picture(stream.getvalue())
    assert np.array_equal(picture.pixels, array[..., :3])
    assert np.array_equal(picture.alpha, array[..., 3])  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "height"), [(64, 20_000), (20_000, 64)])
def test_very_long_pictures(width: int, height: int) -> None:
    array = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert np.array_equal(read_picture(png.encode(array)).pixels, array)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a limit on memory is Linux's to keep")
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_too_little_memory_is_said_and_is_no_damage(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    Image.fromarray(np.zeros((6000, 8000, 3), np.uint8)).save(path, kind)
    code = """
import resource, sys
from pathlib import Path
from palimpsest.errors import PalimpsestError
from palimpsest.storage.pictures import read_picture
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (80 << 20), used + (80 << 20)))
try:
    read_picture(Path(sys.argv[1]))
except PalimpsestError as error:
    print(error.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(palimpsest.__file__).parent.parent), "OMP_NUM_THREADS": "1"},
    )
    assert done.stdout.split() == ["out_of_memory"], done.stderr
