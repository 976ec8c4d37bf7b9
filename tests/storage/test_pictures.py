"""Real files in, every kind of them; and each bad one refused with its own code and a remedy."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import TiffImageFile

import icc_profiles as icc
from palimpsest.core.region import Size, bounds
from palimpsest.errors import (
    DiskFullError,
    ImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    ImageTooSmallError,
    ImageUnreadableError,
    ImageUnsupportedError,
    SelectionEmptyError,
    SelectionSizeError,
)
from palimpsest.storage.decode import Limits
from palimpsest.storage.pictures import (
    Picture,
    encode_layer,
    encode_merged,
    from_model_rgb,
    read_picture,
    read_selection,
    to_model_rgb,
    write_png,
)
from palimpsest.storage.png import encode

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


@pytest.mark.parametrize("make", [encode, interlaced])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_keeps_every_bit(channels: int, depth: type, make) -> None:
    array = colours(channels, depth)
    picture = read_picture(make(array))
    assert picture.pixels.dtype == depth
    assert picture.depth == np.dtype(depth).itemsize * 8
    assert picture.size == (WIDTH, HEIGHT)
    assert picture.grey == (channels < 3)
    expected = np.repeat(array[..., :1], 3, axis=-1) if channels < 3 else array[..., :3]
    assert np.array_equal(picture.pixels, expected)
    if channels in (2, 4):
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, array[..., -1])
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_keep_every_bit(kind: str) -> None:
    array = colours()
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read_picture(saved(Image.fromarray(array), kind, **options)).pixels, array)


def test_jpeg_is_read_as_pillow_reads_it() -> None:
    data = saved(Image.fromarray(colours()), "JPEG", quality=90)
    assert np.array_equal(read_picture(data).pixels, np.asarray(Image.open(io.BytesIO(data))))
    assert read_picture(saved(Image.fromarray(colours()[..., 0]), "JPEG")).grey


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_keeps_sixteen_bits(channels: int, compression: str) -> None:
    array = colours(channels, np.uint16)
    assert np.array_equal(_pixels(read_picture(tiff16(array, compression))), array)


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


def _pixels(picture: Picture) -> np.ndarray:
    found = picture.pixels[..., :1] if picture.grey else picture.pixels
    return found if picture.alpha is None else np.concatenate([found, picture.alpha[..., None]], axis=-1)


TRANSPOSES = {  # what Pillow must do to an upright picture so that this orientation puts it upright again
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", TRANSPOSES)
def test_every_exif_orientation_is_put_upright(orientation: int, kind: str) -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    upright = np.stack([x * 2, y * 3, (x + y) // 2], axis=-1).astype(np.uint8)
    image, turn = Image.fromarray(upright), TRANSPOSES[orientation]
    lying = image if turn is None else image.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}.get(kind, {})
    picture = read_picture(saved(lying, kind, exif=exif, **options))
    assert picture.size == (WIDTH, HEIGHT)
    assert np.abs(picture.pixels.astype(int) - upright).max() <= (6 if kind == "JPEG" else 0)
    written = Image.open(io.BytesIO(encode_merged(picture, picture.pixels)))
    assert written.getexif().get(274, 1) == 1, "the output is upright and says nothing else"
    assert np.array_equal(read_picture(encode_merged(picture, picture.pixels)).pixels, picture.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_at_sixteen_bits(orientation: int) -> None:
    upright = colours(3, np.uint16)
    from palimpsest.storage.decode import TURNS

    back = {6: 8, 8: 6}.get(orientation, orientation)  # turning back a quarter is three quarters on
    lying = upright if orientation == 1 else TURNS[back](upright)
    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 274, 3, 1, orientation, 0, 0)
    data = encode(lying)
    assert np.array_equal(read_picture(data[:33] + chunk(b"eXIf", exif) + data[33:]).pixels, upright)
    assert np.array_equal(read_picture(tiff16(lying, orientation=orientation)).pixels, upright)


def test_an_orientation_that_does_not_exist_is_ignored() -> None:
    exif = Image.Exif()
    exif[274] = 99
    assert np.array_equal(read_picture(saved(Image.fromarray(colours()), "PNG", exif=exif)).pixels, colours())


def test_palettes_become_colours() -> None:
    image = Image.fromarray(colours()).quantize(17)
    assert np.array_equal(read_picture(saved(image, "PNG")).pixels, np.asarray(image.convert("RGB")))
    picture = read_picture(saved(image, "PNG", transparency=3))
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha == 0, np.asarray(image) == 3)
    assert not read_picture(saved(image, "GIF")).grey


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_transparent_colour_becomes_an_alpha_channel(depth: type) -> None:
    top = int(np.iinfo(depth).max)
    for array, key in ((colours(3, depth), (top - 3, 5, 77)), (colours(1, depth), (top - 3,))):
        array[10:20, 30:40] = key
        data = encode(array)
        trns = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
        picture = read_picture(data[:33] + trns + data[33:])
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, np.where((array == key).all(axis=-1), 0, top))


def test_one_bit_pictures_are_grey() -> None:
    bits = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.5
    picture = read_picture(saved(Image.fromarray(bits), "PNG"))
    assert picture.grey
    assert np.array_equal(picture.pixels[..., 0], bits * np.uint8(255))


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


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(kind: str) -> None:
    frames = [Image.fromarray(colours(seed=seed)) for seed in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = read_picture(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    still = read_picture(saved(frames[0], kind, **options))
    assert np.array_equal(picture.pixels, still.pixels)
    assert [notice for notice in picture.notices if "was taken" in notice], picture.notices
    assert still.notices == ()


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


def test_a_profile_comes_along_and_pixels_round_trip_through_srgb() -> None:
    adobe = icc.primaries(icc.ADOBE, icc.gamma(2.19921875))
    array = colours(3, np.uint16)
    picture = read_picture(encode(array, adobe))
    assert picture.icc == adobe
    seen = to_model_rgb(picture)
    assert np.abs(seen - array / 65535).mean() > 0.01, "it was converted"
    box = (11, 5, 60, 66)
    part = to_model_rgb(picture, box)
    assert np.array_equal(part, seen[5:66, 11:60])
    returned = from_model_rgb(part, picture, box)
    assert np.array_equal(np.rint(returned.astype(np.float64) * 65535), array[5:66, 11:60])
    again = read_picture(encode_merged(picture, picture.pixels))
    assert again.icc == adobe
    assert np.array_equal(again.pixels, array)


def test_a_grey_picture_with_an_rgb_profile_is_rgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_picture(saved(Image.fromarray(colours()[..., 0]), "JPEG", icc_profile=srgb))
    assert not picture.grey
    assert picture.icc == srgb


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_written_is_of_the_pictures_own_kind(channels: int, depth: type) -> None:
    profile = icc.grey(icc.gamma(2.2)) if channels < 3 else icc.primaries(icc.ADOBE, icc.gamma(2.2))
    picture = read_picture(encode(colours(channels, depth), profile))
    merged = read_picture(encode_merged(picture, picture.pixels))
    assert np.array_equal(_pixels(merged), colours(channels, depth))
    assert (merged.icc, merged.grey, merged.depth) == (profile, picture.grey, picture.depth)
    layer = np.concatenate([picture.pixels, colours(1, depth, seed=3)], axis=-1)
    written = read_picture(encode_layer(picture, layer))
    assert written.icc == profile
    assert np.array_equal(written.pixels, picture.pixels)
    assert written.alpha is not None
    assert np.array_equal(written.alpha, layer[..., 3])


SIZE = (WIDTH, HEIGHT)


def clear(grey: np.ndarray) -> np.ndarray:
    """Within 8 levels of black or white is black or white."""
    return np.where(grey <= 8, 0, np.where(grey >= 247, 255, grey)).astype(np.uint8)


def test_selections_of_every_kind() -> None:
    grey = colours(1)[..., 0]
    hard = np.where(grey > 128, 255, 0).astype(np.uint8)
    opaque = np.full_like(grey, 255)
    cases = {
        "grey": (encode(grey), grey),
        "grey 16": (encode(grey.astype(np.uint16) * 257), grey),
        "1 bit": (saved(Image.fromarray(hard > 0), "PNG"), hard),
        "rgb": (encode(np.stack([grey] * 3, axis=-1)), grey),
        "rgba opaque": (encode(np.stack([grey] * 3 + [opaque], axis=-1)), grey),
        "alpha": (encode(np.stack([hard, hard // 2, opaque, grey], axis=-1)), grey),
        "grey and alpha": (encode(np.stack([hard, grey], axis=-1)), grey),
        "palette": (saved(Image.fromarray(grey).convert("P"), "PNG"), grey),
        "bmp": (saved(Image.fromarray(grey), "BMP"), grey),
    }
    for name, (data, expected) in cases.items():
        found = read_selection(data, SIZE)
        assert found.dtype == np.uint8
        assert np.array_equal(found, clear(expected)), name


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_ends_of_a_selection_are_clear_and_what_lies_between_is_kept(depth: type) -> None:
    levels = np.resize(np.arange(256, dtype=np.uint8), (HEIGHT, WIDTH))
    found = read_selection(encode(levels.astype(depth) * (257 if depth is np.uint16 else 1)), SIZE)
    assert np.array_equal(found, clear(levels))
    assert not found[levels == 8].any()
    assert (found[levels == 9] == 9).all()
    assert (found[levels == 246] == 246).all()
    assert (found[levels == 247] == 255).all()


@pytest.mark.parametrize("quality", [60, 75, 95])
def test_a_lossy_files_noise_is_no_selection(quality: int) -> None:
    """A thing in the middle, saved as a JPEG over a black that isn't quite black."""
    mask = np.random.default_rng(0).integers(0, 4, (240, 320)).astype(np.uint8)
    mask[100:140, 150:200] = 255 - mask[100:140, 150:200]
    found = read_selection(saved(Image.fromarray(mask), "JPEG", quality=quality), (320, 240))
    box = bounds(found, Size(320, 240))
    assert box.left >= 150 - 16
    assert box.top >= 100 - 16
    assert box.right <= 200 + 16
    assert box.bottom <= 140 + 16
    assert (found[110:130, 160:190] == 255).all()


def test_a_selection_of_next_to_nothing_is_empty() -> None:
    with pytest.raises(SelectionEmptyError, match="above 8 of 255"):
        read_selection(encode(np.full((HEIGHT, WIDTH), 8, np.uint8)), SIZE)


def test_black_is_exactly_zero_and_white_exactly_full() -> None:
    mask = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    mask[10:20] = 65535
    found = read_selection(encode(mask), SIZE)
    assert set(np.unique(found)) == {0, 255}
    assert np.array_equal(found > 0, mask[..., 0] > 0)


def test_a_selection_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(SelectionSizeError, match=r"90 x 70.* 91 x 70") as caught:
        read_selection(encode(colours(1)), (91, 70))
    assert caught.value.details == {"selection": [90, 70], "picture": [91, 70]}


def test_an_empty_selection_is_refused() -> None:
    with pytest.raises(SelectionEmptyError):
        read_selection(encode(np.zeros((HEIGHT, WIDTH), np.uint8)), SIZE)
    with pytest.raises(SelectionEmptyError):
        read_selection(encode(colours(4) * np.array([1, 1, 1, 0], np.uint8)), SIZE)


def test_a_selection_is_turned_upright_like_its_picture() -> None:
    grey = colours(1)[..., 0]
    exif = Image.Exif()
    exif[274] = 6
    lying = saved(Image.fromarray(grey).transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    assert np.array_equal(read_selection(lying, SIZE), clear(grey))


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "layer.png"
    write_png(path, colours(4, np.uint16))
    before = path.read_bytes()
    assert np.array_equal(_pixels(read_picture(path)), colours(4, np.uint16))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError):
        write_png(path, colours(3))
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == ["layer.png"]
