"""Real files in, every kind of them; and each bad one refused with its own code and a remedy."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import icc_profiles as icc
from palimpsest.errors import (
    DiskFullError,
)
from palimpsest.storage.pictures import (
    Picture,
    encode_layer,
    encode_merged,
    from_model_rgb,
    read_picture,
    to_model_rgb,
    write_png,
)
from palimpsest.storage.png import encode
from storage.picture_files import HEIGHT, WIDTH, chunk, colours, interlaced, saved, tiff16


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


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(kind: str) -> None:
    frames = [Image.fromarray(colours(seed=seed)) for seed in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = read_picture(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    still = read_picture(saved(frames[0], kind, **options))
    assert np.array_equal(picture.pixels, still.pixels)
    assert [notice for notice in picture.notices if "was taken" in notice], picture.notices
    assert still.notices == ()


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


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("transparent", [False, True])
def test_an_edit_of_a_part_is_written_as_the_same_bytes_as_the_whole(
    depth: type, grey: bool, transparent: bool
) -> None:
    rng = np.random.default_rng(5)
    top = np.iinfo(depth).max
    height, width = 700, 1100  # more than one band of rows
    pixels = rng.integers(0, top + 1, (height, width, 3), depth)
    pixels = np.repeat(pixels[..., :1], 3, axis=-1) if grey else pixels
    alpha = rng.integers(0, top + 1, (height, width), depth) if transparent else None
    photo = Picture(pixels, alpha, grey=grey)
    where = slice(300, 520), slice(640, 1100)
    part = rng.integers(0, top + 1, (220, 460, 4), depth)
    layer, merged = np.zeros((height, width, 4), depth), pixels.copy()
    layer[where], merged[where] = part, part[..., :3]
    assert encode_layer(photo, part, 640, 300) == encode_layer(photo, layer)
    assert encode_merged(photo, part[..., :3], 640, 300) == encode_merged(photo, merged)
