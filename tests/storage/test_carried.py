"""What a photo carries arrives in what is written, from every format; what is broken is left out."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import icc_profiles as icc
from palimpsest.errors import ImageUnreadableError
from palimpsest.storage import color, metadata, png
from palimpsest.storage.carried import end_of_jpeg
from palimpsest.storage.metadata import density_of, read_exif, upright_xmp
from palimpsest.storage.pictures import Picture, encode_layer, encode_merged, read_picture, to_model_rgb

WIDTH, HEIGHT = 90, 70
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>me</dc:creator></x:xmpmeta>"
ADOBE = icc.primaries(icc.ADOBE, icc.gamma(2.19921875))


def colours(channels: int = 3, depth: type = np.uint8) -> np.ndarray:
    top = np.iinfo(depth).max
    return np.random.default_rng(0).integers(0, top + 1, (HEIGHT, WIDTH, channels)).astype(depth)


def saved(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    (Image.fromarray(colours()) if image is None else image).save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(*chunks: tuple[bytes, bytes], pixels: np.ndarray | None = None) -> bytes:
    data = png.encode(colours() if pixels is None else pixels)
    return data[:33] + b"".join(chunk(*one) for one in chunks) + data[33:]


def merged(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(encode_merged(picture, picture.pixels)))


def chunks_of(data: bytes) -> dict[bytes, bytes]:
    at, found = 8, {}
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def camera(orientation: int = 6) -> Image.Exif:
    """Maker, right, orientation, size, lens and place, as a camera writes them."""
    exif = Image.Exif()
    exif[271], exif[274], exif[282], exif[283], exif[33432] = "Camera", orientation, 300.0, 200.0, "(c) me"
    exif.get_ifd(34665).update({42036: "a lens", 40962: HEIGHT, 40963: WIDTH})
    exif.get_ifd(34853).update({1: "N", 2: (52.0, 30.0, 0.0)})
    for tag in (34665, 34853):  # Pillow writes directories into a TIFF only from here
        exif[tag] = dict(exif.get_ifd(tag))
    return exif


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_who_made_it_where_and_with_what_goes_along_upright(kind: str) -> None:
    lying = Image.fromarray(colours()).transpose(Image.Transpose.ROTATE_90)
    picture = read_picture(saved(kind, lying, exif=camera()))
    assert picture.size == (WIDTH, HEIGHT)
    assert picture.notices == ()
    found = merged(picture).getexif()
    assert (found[271], found[33432], found.get(274, 1)) == ("Camera", "(c) me", 1)
    assert found.get_ifd(34665)[42036] == "a lens"
    assert found.get_ifd(34853)[1] == "N"
    if kind != "TIFF":  # which says its size by itself
        assert [found.get_ifd(34665)[tag] for tag in (40962, 40963)] == [WIDTH, HEIGHT], "turned as well"
    assert 271 not in Image.open(io.BytesIO(encode_layer(picture, _layer(picture)))).getexif()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_xmp_goes_along(kind: str) -> None:
    if kind == "PNG":
        data = with_chunks((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)))
    elif kind == "TIFF":
        data = saved(kind, tiffinfo={700: XMP})
    else:
        data = saved(kind, xmp=XMP)
    assert merged(read_picture(data)).info["xmp"] == XMP


def test_xmp_is_turned_upright_and_shows_no_old_picture() -> None:
    old = b"<xmp:Thumbnails><rdf:Alt>" + base64.b64encode(b"the old photo") + b"</rdf:Alt></xmp:Thumbnails>"
    packet = XMP.replace(b"<dc:", old + b"<rdf:Description tiff:Orientation='6'/><dc:", 1)
    picture = read_picture(saved("JPEG", xmp=packet))
    assert picture.size == (HEIGHT, WIDTH), "turned by what XMP says where EXIF says nothing"
    written = merged(picture).info["xmp"]
    assert b"tiff:Orientation='1'" in written
    assert b"Thumbnails" not in written
    assert b"<dc:creator>me</dc:creator>" in written


def test_stale_xmp_does_not_turn_a_photo_that_exif_says_is_upright() -> None:
    packet = XMP.replace(b"<dc:", b"<rdf:Description tiff:Orientation='6'/><dc:", 1)
    picture = read_picture(saved("JPEG", exif=camera(1), xmp=packet))
    assert picture.size == (WIDTH, HEIGHT)
    assert b"tiff:Orientation='1'" in merged(picture).info["xmp"]
    silent = Image.Exif()
    silent[271] = "Camera"
    assert read_picture(saved("JPEG", exif=silent, xmp=packet)).size == (HEIGHT, WIDTH)


START, END = b"<x:Thumbnails>", b"</x:Thumbnails>"
THUMBNAILS = {
    "one": (b"a" + START + b"old" + END + b"b", b"ab"),
    "two": (b"a" + START + b"old" + END + b"b" + START + b"old" + END + b"c", b"abc"),
    "one within the other": (START + START + END + b"b" + END, b"b" + END),
    "an end before the start": (END + START + b"old" + END, END),
    "no end": (b"a" + START + b"b", b"a" + START + b"b"),
    "another's end": (START + b"</y:Thumbnails>", START + b"</y:Thumbnails>"),
    "blanks in the end": (b"<x:Thumbnails a='1'></x:Thumbnails \n>b", b"b"),
    "another word": (b"<x:ThumbnailsOf>" + END, b"<x:ThumbnailsOf>" + END),
}


@pytest.mark.parametrize("why", THUMBNAILS)
def test_thumbnails_go_from_their_start_to_their_end(why: str) -> None:
    packet, left = THUMBNAILS[why]
    assert upright_xmp(packet) == left


@pytest.mark.parametrize("start", ["<a:Thumbnails ", "<a{}:Thumbnails ", "</a{}:Thumbnails", "<a{}"])
def test_a_packet_of_tags_without_end_is_read_once(start: str) -> None:
    """Looking for each one's end anew would take hours for the megabyte."""
    packet = "".join(start.format(i) for i in range((1 << 20) // len(start))).encode()
    assert upright_xmp(packet) == packet
    body = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)
    assert merged(read_picture(with_chunks((b"iTXt", body)))).info["xmp"] == packet


def test_many_texts_are_not_all_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kilobyte of each chunk may stand for a megabyte."""
    unpacked = []
    unpack = metadata._unpacked
    monkeypatch.setattr(metadata, "_unpacked", lambda *given: unpacked.append(1) or unpack(*given))
    packed = zlib.compress(b"text")
    texts = [(b"zTXt", b"Title%d\0\0" % i + packed) for i in range(300)]
    picture = read_picture(with_chunks(*texts))
    assert len(unpacked) == 256
    assert picture.notices == ("44 of the picture's 300 texts were left out.",)
    assert len(picture.metadata.texts) == 256
    unpacked.clear()
    packet = (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))
    assert merged(read_picture(with_chunks(*[packet] * 9))).info["xmp"] == XMP
    assert len(unpacked) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_the_resolution_goes_along_and_turns_with_the_picture(kind: str) -> None:
    picture = read_picture(saved(kind, dpi=(300, 150)))
    expected = struct.pack(">IIB", 11811, 5906, 1)
    if kind == "BMP":  # whole pixels per metre, rounded when it was saved
        expected = struct.pack(">IIB", 11811, 5906, 1)
    assert chunks_of(encode_merged(picture, picture.pixels))[b"pHYs"] == expected
    assert chunks_of(encode_layer(picture, _layer(picture)))[b"pHYs"] == expected
    if kind == "PNG":
        turned = read_picture(saved("PNG", dpi=(300, 150), exif=camera()))
        assert chunks_of(encode_merged(turned, turned.pixels))[b"pHYs"] == struct.pack(">IIB", 5906, 11811, 1)


def test_no_resolution_is_made_up() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        picture = read_picture(saved(kind))
        assert b"pHYs" not in chunks_of(encode_merged(picture, picture.pixels)), kind
    for odd in ((0, 72), (float("nan"), 1), ("a", 1), None, (1e300, 1)):
        assert density_of(odd) is None


def test_text_goes_along_but_no_second_exif_block() -> None:
    title, packed = b"Title\0caf\xe9", b"Comment\0\0" + zlib.compress(b"long")
    data = with_chunks(
        (b"tEXt", title), (b"zTXt", packed), (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"x"))
    )
    picture = read_picture(data)
    assert merged(picture).info["Title"] == "café"
    assert merged(picture).info["Comment"] == "long"
    assert "Raw profile type exif" not in merged(picture).info
    assert picture.notices == ()


def test_thumbnails_of_the_old_photo_are_blanked() -> None:
    """What was removed from the photo must not look out of its thumbnail."""
    small = saved("JPEG", Image.fromarray(colours()[:20, :20]))
    block = _with_thumbnail(small)
    picture = read_picture(saved("JPEG", exif=b"Exif\0\0" + block))
    written = chunks_of(encode_merged(picture, picture.pixels))[b"eXIf"]
    assert len(written) == len(block), "offsets of maker notes stay right"
    assert small[:20] not in written
    assert small[200:220] not in written
    found = Image.Exif()
    found.load(b"Exif\0\0" + written)
    assert found[271] == "Camera"
    assert found.get_ifd(1) == {}


def _with_thumbnail(small: bytes) -> bytes:
    """Two directories, little-endian: the camera's name, and where the thumbnail is."""
    first = struct.pack("<H", 1) + struct.pack("<HHII", 271, 2, 7, 38) + struct.pack("<I", 45)
    second = (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 513, 4, 1, 75)
        + struct.pack("<HHII", 514, 4, 1, len(small))
    )
    head = b"II*\0" + struct.pack("<I", 20) + bytes(12) + first
    return head + b"Camera\0" + second + bytes(4) + small


CICP_P3 = bytes([12, 13, 0, 1])
GAMMA_1 = struct.pack(">I", 100_000)
P3_PRIMARIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "chunks",
    [
        {b"cICP": CICP_P3},
        {b"gAMA": GAMMA_1},
        {b"gAMA": struct.pack(">I", 45455), b"cHRM": P3_PRIMARIES},
        {b"sRGB": b"\1"},
    ],
)
def test_what_numbers_mean_is_kept(chunks: dict[bytes, bytes], channels: int, depth: type) -> None:
    """In the merged picture and in the layer, bit for bit, so that a viewer shows both as before."""
    pixels = colours(channels, depth)
    picture = read_picture(with_chunks(*chunks.items(), pixels=pixels))
    assert picture.notices == ()
    for data in (encode_merged(picture, picture.pixels), encode_layer(picture, _layer(picture))):
        found = chunks_of(data)
        assert {kind: found.get(kind) for kind in chunks} == chunks
    again = read_picture(encode_merged(picture, picture.pixels))
    assert np.array_equal(again.pixels, picture.pixels)
    assert again.tags == picture.tags


def _layer(picture: Picture) -> np.ndarray:
    return np.concatenate([picture.pixels, picture.pixels[..., :1]], axis=-1)


def _by_profile(matrix: np.ndarray, curve: bytes, pixels: np.ndarray) -> np.ndarray:
    return color.forth(pixels, color.space(icc.primaries(matrix, curve), grey=False))


P3 = np.array([[0.51512, 0.24120, -0.00105], [0.29198, 0.69225, 0.04189], [0.15710, 0.06657, 0.78407]])
SRGB_CURVE = icc.parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@pytest.mark.parametrize(
    ("chunks", "matrix", "curve"),
    [
        ({b"cICP": CICP_P3}, P3, SRGB_CURVE),
        ({b"gAMA": GAMMA_1}, icc.SRGB, icc.gamma(1.0)),
        ({b"gAMA": struct.pack(">I", 45455), b"cHRM": P3_PRIMARIES}, P3, SRGB_CURVE),
        ({b"cICP": bytes([1, 4, 0, 1])}, icc.SRGB, icc.gamma(2.19921875)),
        ({b"cICP": bytes([1, 13, 0, 1]), b"gAMA": GAMMA_1}, icc.SRGB, SRGB_CURVE),
    ],
)
def test_the_model_sees_the_same_as_through_a_profile_that_says_the_same(
    chunks: dict[bytes, bytes], matrix: np.ndarray, curve: bytes
) -> None:
    """An independent way: the published matrices of the spaces, as an ICC profile."""
    pixels = colours(3, np.uint16)
    seen = to_model_rgb(read_picture(with_chunks(*chunks.items(), pixels=pixels)))
    difference = np.abs(seen - _by_profile(matrix, curve, pixels))
    assert np.percentile(difference, 99) < 1 / 255
    assert difference.max() < 4 / 255


def test_a_profile_counts_before_gamma_and_cicp_before_a_profile() -> None:
    body = b"ICC profile\0\0" + zlib.compress(ADOBE)
    both = read_picture(with_chunks((b"gAMA", GAMMA_1), (b"iCCP", body)))
    assert np.array_equal(to_model_rgb(both), color.forth(both.pixels, color.space(ADOBE, grey=False)))
    first = read_picture(with_chunks((b"cICP", bytes([1, 13, 0, 1])), (b"iCCP", body)))
    assert np.array_equal(to_model_rgb(first), first.pixels / np.float32(255))
    assert {b"cICP", b"iCCP"} <= set(chunks_of(encode_merged(first, first.pixels)))


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ({b"cICP": bytes([2, 2, 0, 1])}, "cICP"),
        ({b"cICP": bytes([1, 13, 1, 1])}, "cICP"),
        ({b"gAMA": bytes(4)}, "gamma"),
        ({b"cHRM": bytes(32)}, "chromaticities"),
        ({b"cHRM": struct.pack(">8I", *[30000] * 8)}, "chromaticities"),
    ],
)
def test_what_cannot_be_interpreted_is_kept_and_said(chunks: dict[bytes, bytes], said: str) -> None:
    picture = read_picture(with_chunks(*chunks.items()))
    assert [said in notice for notice in picture.notices] == [True]
    assert np.array_equal(to_model_rgb(picture), picture.pixels / np.float32(255))
    assert chunks.items() <= chunks_of(encode_merged(picture, picture.pixels)).items()


def test_a_cameras_adobe_rgb_without_a_profile_is_understood() -> None:
    """DCF: such a camera says it by an interoperability index of R03 alone."""
    exif = Image.Exif()
    exif.get_ifd(34665).update({40961: 65535, 40965: {1: "R03"}})
    picture = read_picture(saved("JPEG", exif=exif, quality=95))
    assert {b"gAMA", b"cHRM"} <= set(chunks_of(encode_merged(picture, picture.pixels)))
    expected = _by_profile(icc.ADOBE, icc.gamma(2.19921875), picture.pixels)
    assert np.percentile(np.abs(to_model_rgb(picture) - expected), 99) < 1 / 255


BROKEN = {
    "a wrong checksum": (b"tEXt", b"Title\0photo", True),
    "a truncated EXIF block": (b"eXIf", b"II*\0\x08\0", False),
    "an EXIF block of noise": (b"eXIf", b"noise" * 9, False),
    "a profile that isn't packed": (b"iCCP", b"name\0\0rubbish", False),
    "a profile with a wrong checksum": (b"iCCP", b"name\0\0" + zlib.compress(ADOBE), True),
    "a profile that is a bomb": (b"iCCP", b"name\0\0" + zlib.compress(bytes((16 << 20) + 1)), False),
    "a short resolution": (b"pHYs", b"12", False),
    "text that is a bomb": (b"zTXt", b"Title\0\0" + zlib.compress(bytes(2 << 20)), False),
    "text that isn't packed": (b"zTXt", b"Title\0\0rubbish", False),
    "XMP that is no text": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0\xff\xfe", False),
    "text cut short": (b"iTXt", b"Title\0\1", False),
    "a long cICP": (b"cICP", bytes(5), False),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_broken_extra_is_no_reason_to_refuse_a_good_photo(why: str) -> None:
    kind, body, wrong = BROKEN[why]
    whole = chunk(kind, body)
    whole = whole[:-1] + bytes([whole[-1] ^ 1]) if wrong else whole
    data = png.encode(colours())
    picture = read_picture(data[:33] + whole + data[33:])
    assert len(picture.notices) == 1, picture.notices
    assert "left out" in picture.notices[0]
    assert np.array_equal(picture.pixels, colours())
    assert encode_merged(picture, picture.pixels) == data, "nothing of it is passed on"


def test_a_profile_that_cannot_be_used_is_kept_and_said() -> None:
    for kind in ("PNG", "JPEG"):
        for profile in (b"rubbish" * 30, icc.grey(icc.gamma(2.2)), ADOBE.replace(b"acsp", b"nope")):
            picture = read_picture(saved(kind, icc_profile=profile))
            assert ["profile" in notice and "as if" in notice for notice in picture.notices] == [True]
            assert merged(picture).info["icc_profile"] == profile
            assert np.array_equal(to_model_rgb(picture), picture.pixels / np.float32(255))


def test_broken_exif_in_a_jpeg_and_bytes_behind_it() -> None:
    whole = saved("JPEG", exif=camera(1))
    at = whole.index(b"Exif\0\0") + 6
    broken = whole[: at + 4] + b"\xff\xff\xff\x7f" + whole[at + 8 :]
    picture = read_picture(broken)
    assert ["EXIF" in notice for notice in picture.notices] == [True]
    assert np.array_equal(picture.pixels, read_picture(whole).pixels)
    assert ["9 bytes after" in notice for notice in read_picture(whole + b"some junk").notices] == [True]
    for usual in (bytes(8), saved("JPEG"), b"\0\0\0\x18ftypmp42 a film"):
        assert read_picture(whole + usual).notices == ()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": _with_thumbnail(saved("JPEG"))}])
def test_where_a_jpeg_ends(options: dict[str, Any]) -> None:
    data = saved("JPEG", **options)
    assert end_of_jpeg(data) == len(data)
    assert end_of_jpeg(data + data) == len(data)
    assert end_of_jpeg(data[:-2]) == len(data) - 2


def test_a_profile_with_a_part_missing_is_said() -> None:
    data = saved("JPEG", icc_profile=ADOBE * 200)
    first = data.index(b"ICC_PROFILE\0") - 4
    length = int.from_bytes(data[first + 2 : first + 4], "big")
    picture = read_picture(data[:first] + data[first + 2 + length :])
    assert ["profile" in notice for notice in picture.notices] == [True]


def test_what_follows_a_webp_is_said() -> None:
    assert ["5 bytes" in notice for notice in read_picture(saved("WEBP") + b"extra").notices] == [True]


def test_a_broken_exif_block_in_a_tiff_is_left_out() -> None:
    data = saved("TIFF", exif=camera(1))
    image = Image.open(io.BytesIO(data))
    at = data.index(struct.pack("<HH", 34665, 4)) + 8
    assert image.getexif().get_ifd(34665)
    picture = read_picture(data[:at] + struct.pack("<I", len(data) + 999) + data[at + 4 :])
    assert np.array_equal(picture.pixels, colours())
    assert merged(picture).getexif()[271] == "Camera"


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_to_an_exif_block_does_more_than_damage_it(data: st.DataObject) -> None:
    block = bytearray(_with_thumbnail(b"a thumbnail") if data.draw(st.booleans()) else camera().tobytes())
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    found = read_exif(bytes(block[: data.draw(st.integers(0, len(block)))]))
    assert found.orientation is None or 1 <= found.orientation <= 8
    if found.block is not None:
        again = read_exif(found.block)
        assert again.orientation in (None, 1) or not again.sound


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_damage_to_what_is_carried_never_costs_the_photo(data: st.DataObject) -> None:
    """Bytes of extra chunks are changed, their checksums set right again: the pixels are still there."""
    kind = data.draw(
        st.sampled_from([b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"gAMA", b"cHRM"])
    )
    start = {b"eXIf": camera().tobytes()[6:], b"iCCP": b"n\0\0" + zlib.compress(ADOBE)}.get(kind, bytes(32))
    body = bytearray(start)
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    picture = read_picture(with_chunks((kind, bytes(body[: data.draw(st.integers(0, len(body)))]))))
    assert picture.pixels.size == colours().size
    assert read_picture(encode_merged(picture, picture.pixels)).size == picture.size


def test_broken_pixels_stay_refused() -> None:
    data = png.encode(colours())
    for kind in (b"IDAT", b"IHDR"):
        at = data.index(kind) + 8
        with pytest.raises(ImageUnreadableError):
            read_picture(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
