"""A result in the photo's own kind: its pixels where the kind is exact, and all that the photo carries."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

import icc_profiles as icc
from palimpsest.errors import StorageError
from palimpsest.storage.own_kind import pack_like, suffix_for
from palimpsest.storage.pictures import encode_merged, read_picture
from storage.picture_files import HEIGHT, WIDTH, colours, saved, tiff16

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>me</dc:creator></x:xmpmeta>"
PROFILE = icc.primaries(icc.ADOBE, icc.gamma(2.19921875))
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x04name"


def smooth(seed: int = 0) -> Any:
    """(H, W, 3) uint8 without noise, as photos are."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [np.sin((rows * a + columns * b) / 30 + seed) for a, b in ((1, 2), (3, 1), (2, 2))]
    return np.rint((np.stack(waves, axis=-1) + 1) * 127).astype(np.uint8)


def exif(orientation: int = 1) -> bytes:
    told = Image.Exif()
    told[271], told[274] = "Maker", orientation
    told.get_ifd(34665)[33434] = 0.005
    told.get_ifd(34853)[1] = "N"
    return told.tobytes()


def edited(photo: bytes) -> tuple[bytes, Any]:
    """The merged PNG with a square changed, and its pixels."""
    picture = read_picture(photo)
    pixels = picture.pixels.copy()
    pixels[10:26, 16:40] = np.iinfo(pixels.dtype).max - pixels[10:26, 16:40]
    return encode_merged(picture, pixels), pixels


CARRIED = {"icc_profile": PROFILE, "xmp": XMP}
EXACT = {
    "WebP": saved(Image.fromarray(smooth()), "WEBP", lossless=True, exif=exif(), **CARRIED),
    "WebP with alpha": saved(
        Image.fromarray(colours(4)), "WEBP", lossless=True, exact=True, exif=exif(), **CARRIED
    ),
    "TIFF": saved(Image.fromarray(smooth()), "TIFF", tiffinfo={271: "Maker", 700: XMP}, icc_profile=PROFILE),
    "TIFF with LZW": saved(Image.fromarray(smooth()), "TIFF", compression="tiff_lzw", dpi=(300, 200)),
    "TIFF in grey": saved(Image.fromarray(colours(1)[..., 0]), "TIFF"),
    "TIFF with alpha": saved(Image.fromarray(colours(4)), "TIFF"),
    "TIFF of 16 bits": tiff16(colours(3, np.uint16)),
    "TIFF of 16 bits with alpha": tiff16(colours(4, np.uint16), "tiff_adobe_deflate"),
    "TIFF of 16 bits in grey": tiff16(colours(1, np.uint16)),
    "TIFF that lies on its side": tiff16(colours(3, np.uint16), orientation=6),
}


@pytest.mark.parametrize("name", EXACT)
def test_what_is_exact_has_every_pixel_and_all_that_the_photo_carries(name: str) -> None:
    merged, pixels = edited(EXACT[name])
    made = pack_like(EXACT[name], merged)
    before, after = read_picture(merged), read_picture(made.content)
    assert (made.exact, made.lost) == (True, ())
    assert np.array_equal(after.pixels, pixels)
    assert (after.depth, after.grey) == (before.depth, before.grey)
    if before.alpha is None or after.alpha is None:
        assert before.alpha is after.alpha
    else:
        assert np.array_equal(before.alpha, after.alpha)
    assert (after.icc, after.metadata.xmp) == (before.icc, before.metadata.xmp)
    assert entries(after.metadata.exif) == entries(before.metadata.exif)
    if name.startswith("TIFF"):
        assert after.metadata.density == before.metadata.density
        opened = Image.open(io.BytesIO(made.content))
        opened.load()
        assert opened.size == pixels.shape[1::-1]


def entries(block: bytes | None) -> Any:
    """What an EXIF block says, in all its directories."""
    if block is None:
        return None
    told = Image.Exif()
    told.load(b"Exif\0\0" + block)
    below = {tag: dict(told.get_ifd(tag)) for tag in (34665, 34853)}
    return {tag: value for tag, value in told.items() if tag not in below}, below


JPEG = {"quality": 90, "exif": exif(), "dpi": (300, 300), "comment": b"a comment", **CARRIED}
IPTC_SEGMENT = b"\xff\xed" + (len(IPTC) + 2).to_bytes(2, "big") + IPTC


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_comes_back_packed_as_it_was(sampling: str, progressive: bool) -> None:
    """With its own tables far from the change nearly nothing differs; what the layer promises, it can't."""
    packing = {"subsampling": sampling, "progressive": progressive, "extra": IPTC_SEGMENT}
    photo = saved(Image.fromarray(smooth()), "JPEG", **packing, **JPEG)
    merged, pixels = edited(photo)
    made = pack_like(photo, merged)
    old, new = Image.open(io.BytesIO(photo)), Image.open(io.BytesIO(made.content))
    assert (made.exact, made.lost) == (False, ())
    assert old.quantization == new.quantization  # pyright: ignore
    assert bool(new.info.get("progressive")) is progressive
    for key in ("icc_profile", "dpi", "comment", "xmp"):
        assert old.info[key] == new.info[key], key
    assert [body for kind, body in new.applist if kind == "APP13"] == [IPTC]  # pyright: ignore
    after = read_picture(made.content)
    assert entries(after.metadata.exif) == entries(read_picture(photo).metadata.exif)
    difference = np.abs(after.pixels.astype(int) - pixels)
    assert difference[:, 64:].max() <= 8, "blocks that nothing changed in"
    assert difference[:, 64:].mean() < 1
    assert difference[12:24, 18:38].mean() < 12, "the change is there"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_full_of_detail_is_packed_too(progressive: bool) -> None:
    """It has more than the two bytes a pixel that Pillow keeps room for; 64 KiB it has in any case."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 240, 3), np.uint8)
    calm = Image.new("RGB", (240, 200), "grey")
    packing = {"quality": 100, "subsampling": "4:4:4", "progressive": progressive}
    photo = saved(calm, "JPEG", exif=exif(), **packing)
    made = pack_like(photo, encode_merged(read_picture(photo), noise))
    assert len(made.content) > 2 * 200 * 240 > 65_536
    old, new = Image.open(io.BytesIO(photo)), Image.open(io.BytesIO(made.content))
    assert old.quantization == new.quantization  # pyright: ignore
    assert np.abs(read_picture(made.content).pixels.astype(int) - noise).mean() < 2


def test_a_photo_that_lay_on_its_side_is_upright_and_says_so() -> None:
    photo = saved(Image.fromarray(smooth()), "JPEG", exif=exif(orientation=6))
    merged, pixels = edited(photo)
    made = Image.open(io.BytesIO(pack_like(photo, merged).content))
    assert made.size == (HEIGHT, WIDTH) == pixels.shape[1::-1]
    assert made.getexif()[274] == 1


def test_a_grey_jpeg_stays_grey() -> None:
    photo = saved(Image.fromarray(smooth()[..., 0]), "JPEG")
    assert Image.open(io.BytesIO(pack_like(photo, edited(photo)[0]).content)).mode == "L"


def test_what_a_jpeg_has_no_room_for_is_said() -> None:
    """A PNG's XMP may be longer than a JPEG's segment; one that was read from several segments is, too."""
    photo = saved(Image.fromarray(smooth()), "JPEG", exif=exif())
    picture = read_picture(photo)
    long = picture.metadata.__class__(picture.metadata.exif, XMP + b" " * 70_000)
    merged = encode_merged(picture.__class__(picture.pixels, metadata=long), picture.pixels)
    made = pack_like(photo, merged)
    assert made.lost == ("XMP data are longer than a JPEG can hold",)
    assert read_picture(made.content).metadata.exif is not None


def test_a_lossy_webp_says_that_it_is() -> None:
    photo = saved(Image.fromarray(smooth()), "WEBP", quality=80, exif=exif(), **CARRIED)
    merged, pixels = edited(photo)
    made = pack_like(photo, merged)
    assert made.exact is False
    assert np.abs(read_picture(made.content).pixels.astype(int) - pixels).mean() < 6
    assert (read_picture(made.content).icc, read_picture(made.content).metadata.xmp) == (PROFILE, XMP)


KINDS = [("PNG", ".png"), ("BMP", None), ("GIF", None), ("JPEG", ".jpg")]


@pytest.mark.parametrize(("kind", "suffix"), KINDS)
def test_the_kinds_that_are_written(kind: str, suffix: str | None) -> None:
    photo = saved(Image.fromarray(smooth()), kind)
    assert suffix_for(photo) == suffix
    merged, _ = edited(photo)
    if kind != "JPEG":
        assert pack_like(photo, merged).content == merged


def test_what_cannot_be_packed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = saved(Image.fromarray(smooth()), "JPEG")
    monkeypatch.setattr(Image.Image, "save", lambda *a, **k: (_ for _ in ()).throw(OSError("no encoder")))
    merged, _ = edited(photo)
    with pytest.raises(StorageError, match="can't be written as JPEG: no encoder"):
        pack_like(photo, merged)
