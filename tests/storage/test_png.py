"""Our PNG writer against Pillow and against the specification's own decoder; damaged files are noticed."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from palimpsest.errors import ImageUnreadableError, ImageUnsupportedError
from palimpsest.storage import png


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def decoded_by_the_book(data: bytes) -> np.ndarray:
    """Sections 9 and 10 of the specification, byte by byte; slow, and shares nothing with ours."""
    at, body, header = 8, b"", (0, 0, 0, 0)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        header = struct.unpack(">IIBBBBB", content)[:4] if kind == b"IHDR" else header
        body += content if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour = header
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[colour]
    step, raw = channels * depth // 8, zlib.decompress(body)
    above, rows = bytearray(width * step), []
    for y in range(height):
        line = bytearray(raw[y * (width * step + 1) + 1 : (y + 1) * (width * step + 1)])
        kind = raw[y * (width * step + 1)]
        for i in range(len(line)):
            a, b = (line[i - step] if i >= step else 0), above[i]
            c = above[i - step] if i >= step else 0
            nearest = min((a, b, c), key=lambda v, p=a + b - c: abs(p - v))
            line[i] = (line[i] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
        rows.append(bytes(line))
        above = line
    return np.frombuffer(b"".join(rows), ">u2" if depth == 16 else "u1").reshape(height, width, channels)


@st.composite
def pixels(draw: st.DrawFn) -> np.ndarray:
    depth = draw(st.sampled_from([np.uint8, np.uint16]))
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    seed, kind = draw(st.integers(0, 99)), draw(st.sampled_from(["noise", "slope", "flat", "layer"]))
    rng = np.random.default_rng(seed)
    found = rng.integers(0, np.iinfo(depth).max + 1, shape)
    if kind == "slope":
        found = np.indices(shape).sum(axis=0) * rng.integers(1, 900)
    elif kind == "flat":
        found = np.full(shape, rng.integers(0, 65536))
    elif kind == "layer":
        found[: shape[0] // 2] = 0
    return found.astype(depth)


@given(pixels(), st.integers(1, 40), st.integers(1, 200))
@settings(max_examples=120, deadline=None)
def test_what_is_written_is_what_the_specification_reads(array: np.ndarray, cached: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png, "CACHED", cached)  # rows at once, and by few
        patch.setattr(png, "BLOCK", block)  # in one block, and in several
        data = png.encode(array)
    assert np.array_equal(decoded_by_the_book(data), array)


def test_threads_and_what_the_cache_holds_change_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.random.default_rng(0).integers(0, 256, (300, 70, 3)).cumsum(axis=0).astype(np.uint8)
    monkeypatch.setattr(png, "BLOCK", 5000)
    many = png.encode(array)
    assert many.count(b"IDAT") > 10
    monkeypatch.setattr(png, "THREADS", 1)
    monkeypatch.setattr(png, "CACHED", 1)
    assert png.encode(array) == many


def test_a_small_picture_has_the_bytes_that_recipes_know() -> None:
    """The zlib stream of all rows, its header in a chunk of its own."""
    data = png.encode(np.zeros((2, 3), np.uint8))
    deflate = zlib.compressobj(strategy=zlib.Z_RLE)
    parts = [deflate.compress(b"\0" * 8), deflate.flush()]
    assert b"".join(chunk(b"IDAT", part) for part in parts) in data


def test_blocks_cost_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a layer's empty rows nothing either."""
    array = np.zeros((600, 400, 4), np.uint8)
    noise = np.random.default_rng(0).normal(0, 3, (100, 400, 4))
    array[200:300] = (120 + noise + np.arange(400)[:, None] / 5).astype(np.uint8)
    whole = len(png.encode(array))
    monkeypatch.setattr(png, "BLOCK", 1 << 16)
    blocks = png.encode(array)
    assert blocks.count(b"IDAT") > 10
    assert abs(len(blocks) - whole) < 0.03 * whole


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_the_same_at_eight_bits(channels: int) -> None:
    y, x = np.mgrid[0:70, 0:90]
    array = np.stack([x * y // 7, x + y, x * 2, y * 3], axis=-1)[..., :channels].astype(np.uint8)
    image = Image.open(io.BytesIO(png.encode(array)))
    assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    assert np.array_equal(np.asarray(image).reshape(array.shape), array)


def test_the_profile_goes_with_it_and_comes_back() -> None:
    data = png.encode(np.zeros((4, 4, 3), np.uint8), icc=b"a profile" * 50)
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == b"a profile" * 50
    assert png.profile_in(png.examine(data).body(b"iCCP") or b"") == b"a profile" * 50


def test_the_same_pixels_are_the_same_bytes() -> None:
    array = np.random.default_rng(0).integers(0, 65536, (40, 50, 4)).astype(np.uint16)
    swapped = array.astype(">u2")
    assert png.encode(array) == png.encode(array.copy()) == png.encode(np.asfortranarray(array))
    assert png.encode(swapped.astype(np.uint16)) == png.encode(array)


def test_filters_are_worth_it() -> None:
    y, x = np.mgrid[0:256, 0:256]
    noise = np.random.default_rng(0).normal(0, 100, (256, 256, 3))
    photo = (20000 + 100 * np.stack([x + y, x, y], axis=-1) + noise).astype(np.uint16)
    assert len(png.encode(photo)) < 0.8 * len(zlib.compress(photo.astype(">u2").tobytes(), 9))


GOOD = png.encode(np.random.default_rng(0).integers(0, 256, (70, 70, 3)).astype(np.uint8))
HEADER = struct.pack(">IIBBBBB", 70, 70, 8, 2, 0, 0, 0)


def with_header(*values: int) -> bytes:
    return png.SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *values)) + GOOD[33:]


DAMAGED = {
    "signature alone": png.SIGNATURE,
    "cut within the header": GOOD[:20],
    "cut within the data": GOOD[:-500],
    "cut between chunks": GOOD[:-12],
    "no data": png.SIGNATURE + chunk(b"IHDR", HEADER) + chunk(b"IEND", b""),
    "data first": png.SIGNATURE + chunk(b"IDAT", b"x") + chunk(b"IHDR", HEADER) + chunk(b"IEND", b""),
    "a flipped bit in the data": GOOD[:900] + bytes([GOOD[900] ^ 4]) + GOOD[901:],
    "a flipped bit in the header": GOOD[:19] + bytes([GOOD[19] ^ 4]) + GOOD[20:],
    "a short header": png.SIGNATURE + chunk(b"IHDR", HEADER[:-1]) + GOOD[33:],
    "no width": with_header(0, 70, 8, 2, 0, 0, 0),
    "an impossible depth": with_header(70, 70, 7, 2, 0, 0, 0),
    "an unknown kind of colour": with_header(70, 70, 8, 5, 0, 0, 0),
    "an unknown compression": with_header(70, 70, 8, 2, 1, 0, 0),
    "an unknown interlacing": with_header(70, 70, 8, 2, 0, 0, 2),
    "a huge chunk length": GOOD[:33] + b"\xff\xff\xff\xff" + GOOD[37:],
    "a transparent colour of the wrong size": GOOD[:33] + chunk(b"tRNS", b"\0\0") + GOOD[33:],
}


@pytest.mark.parametrize("why", DAMAGED)
def test_damage_is_noticed_before_decoding(why: str) -> None:
    with pytest.raises(ImageUnreadableError, match="PNG file is damaged"):
        png.examine(DAMAGED[why])


def test_a_profile_that_cannot_be_unpacked_says_why() -> None:
    for body in (b"name\0\0rubbish", b"name\0\0" + zlib.compress(bytes(png.MAX_PROFILE + 1)), b"", b"name"):
        with pytest.raises(ValueError, match=r"unpacked|cut off"):
            png.profile_in(body)


def test_a_sound_file_is_described() -> None:
    found = png.examine(GOOD[:33] + chunk(b"tIME", bytes(7)) + GOOD[33:])
    assert (found.width, found.height, found.depth, found.colour, found.frames) == (70, 70, 8, 2, 1)
    assert (found.carried, found.notices) == ((), ()), "when it was last changed is no longer so"


def test_broken_chunks_that_no_pixel_needs_are_left_out_and_named() -> None:
    wrong = chunk(b"tEXt", b"Title\0photo")[:-1] + b"?"
    short = chunk(b"gAMA", b"\0\0")
    found = png.examine(GOOD[:33] + wrong + short + GOOD[33:] + b"anything after the end")
    assert found.carried == ()
    assert [word for word in ("tEXt", "gAMA", "22 bytes") if word not in " ".join(found.notices)] == []


@pytest.mark.parametrize("kind", [b"IDAT", b"PLTE", b"tRNS", b"ABCD", b"\0bcd"])
def test_broken_chunks_that_pixels_are_made_of_are_refused(kind: bytes) -> None:
    wrong = chunk(kind, b"12")[:-1] + b"?"
    with pytest.raises(ImageUnreadableError, match="checksum"):
        png.examine(GOOD[:33] + wrong + GOOD[33:])


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_refused(transfer: int) -> None:
    data = GOOD[:33] + chunk(b"cICP", bytes([9, transfer, 0, 1])) + GOOD[33:]
    with pytest.raises(ImageUnsupportedError, match=r"HDR.*Tone-map"):
        png.examine(data)
    png.examine(GOOD[:33] + chunk(b"cICP", bytes([1, 13, 0, 1])) + GOOD[33:])
