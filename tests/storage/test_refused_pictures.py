"""Each bad file is refused with its own code and a remedy."""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from palimpsest.errors import (
    ImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    ImageTooSmallError,
    ImageUnreadableError,
    ImageUnsupportedError,
)
from palimpsest.storage.decode import Limits
from palimpsest.storage.pictures import (
    read_picture,
)
from palimpsest.storage.png import encode
from storage.picture_files import HEIGHT, WIDTH, chunk, colours, saved, tiff16

BIG = Limits(pixels=10_000)


def png_that_says(width: int, height: int, animation: bytes = b"") -> bytes:
    """A few bytes that claim to be a large picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + animation + body


def test_bombs_are_refused_by_what_their_header_says() -> None:
    for data in (
        png_that_says(2**31 - 1, 2**31 - 1),
        png_that_says(100_000, 100_000),
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + FILES["GIF"][10:],
        FILES["BMP"].replace(struct.pack("<ii", WIDTH, HEIGHT), struct.pack("<ii", 99999, 99999)),
        tiff16(colours(1, np.uint16)).replace(
            struct.pack("<HHIHH", 256, 3, 1, WIDTH, 0), struct.pack("<HHII", 256, 4, 1, 3_000_000)
        ),
    ):
        with pytest.raises(ImageTooLargeError, match=r"pixels; the limit is 150000000"):
            read_picture(data)


def test_limits_are_the_callers() -> None:
    data = encode(np.zeros((100, 101, 3), np.uint8))
    with pytest.raises(ImageTooLargeError, match="101 x 100 = 10100 pixels; the limit is 10000"):
        read_picture(data, BIG)
    with pytest.raises(ImageTooLargeError, match="bytes; the limit is 20"):
        read_picture(data, Limits(file_bytes=20))
    assert read_picture(data, Limits(pixels=10_100)).size == (101, 100)


def test_a_file_that_is_too_long_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.png"
    path.write_bytes(bytes(1000))
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read"))
    with pytest.raises(ImageTooLargeError):
        read_picture(path, Limits(file_bytes=999))


@pytest.mark.parametrize("shape", [(63, 200), (200, 63), (1, 1)])
def test_pictures_under_64_pixels_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ImageTooSmallError, match=f"{shape[1]} x {shape[0]} .*64"):
        read_picture(encode(np.zeros((*shape, 3), np.uint8)))


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
def test_cut_off_files_are_refused(kind: str) -> None:
    data = saved(Image.fromarray(colours()), kind)
    for length in (len(data) // 2, 40, len(data) - len(data) // 8):
        with pytest.raises(ImageUnreadableError) as caught:
            read_picture(data[:length])
        assert caught.value.hint


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_png_with_less_data_than_it_says_is_refused(depth: type) -> None:
    array = colours(3, depth)
    whole = encode(array)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT + 10, array.dtype.itemsize * 8, 2, 0, 0, 0)
    with pytest.raises(ImageUnreadableError):
        read_picture(whole[:8] + chunk(b"IHDR", header) + whole[33:])


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"<svg>", bytes(999), b"\xff\xd8\xff", b"BM", b"II*\0", b"GIF89a"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ImageUnreadableError):
        read_picture(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"\x76\x2f\x31\x01....", "OpenEXR"),
        (b"8BPS....", "Photoshop"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"PK\x03\x04", "Krita"),
    ],
)
def test_known_formats_that_are_not_read_are_named(data: bytes, name: str) -> None:
    with pytest.raises(ImageUnsupportedError, match=rf"{name}.*Save it as PNG"):
        read_picture(data)


def test_cmyk_lab_and_hdr_are_refused_with_a_remedy() -> None:
    cmyk, lab = (Image.new(mode, (WIDTH, HEIGHT)) for mode in ("CMYK", "LAB"))
    for data in (saved(cmyk, "JPEG"), saved(cmyk, "TIFF"), saved(lab, "TIFF")):
        with pytest.raises(ImageUnsupportedError, match=r"Convert it to RGB"):
            read_picture(data)
    for mode in ("F", "I"):
        with pytest.raises(ImageUnsupportedError, match=r"HDR.*Tone-map"):
            read_picture(saved(Image.new(mode, (WIDTH, HEIGHT)), "TIFF"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError, match=r"nowhere\.png"):
        read_picture(tmp_path / "nowhere.png")
    with pytest.raises(ImageUnreadableError, match="directory"):
        read_picture(tmp_path)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_gets_past_as_anything_but_an_image_error(data: st.DataObject) -> None:
    """Bytes changed, cut out or put in, in files of every format: a picture or a clear error."""
    content = bytearray(FILES[data.draw(st.sampled_from(sorted(FILES)))])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 8))
        content[at : at + length] = data.draw(st.binary(max_size=8))
    with contextlib.suppress(ImageError):
        picture = read_picture(bytes(content), Limits(pixels=1_000_000))
        assert picture.pixels.shape == (*picture.size[::-1], 3)


FILES = {kind: saved(Image.fromarray(colours()), kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP")}


FILES["TIFF 16"] = tiff16(colours(3, np.uint16))


FILES["GIF"] = saved(Image.fromarray(colours()).quantize(8), "GIF")
