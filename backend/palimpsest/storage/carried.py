"""What a picture file carries besides its pixels, gathered from each format in the same form.

Whatever is damaged here is left out, and said in a notice: it is no reason to refuse a good photo.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from PIL.ImageFile import ImageFile

from palimpsest.storage import metadata, png
from palimpsest.storage.color_tags import ColorTags, adobe_rgb
from palimpsest.storage.metadata import NO_EXIF, Exif, Metadata, read_exif

TIFF_TAGS = (270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096))  # who, what, when
TIFF_DIRECTORIES = (34665, 34853)  # EXIF and GPS
WHITE_POINT, PRIMARIES = 318, 319
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
MOST_TEXTS = 16 << 20  # bytes of all text chunks together
MOST_TEXT_CHUNKS = 256  # each may unpack to metadata.MOST_TEXT bytes
LEFT_OUT = "The picture's {} is damaged ({}) and was left out."


@dataclass(frozen=True)
class Carried:
    """``turn``: EXIF's orientation, 1 to 8, that the pixels are yet to be turned by."""

    icc: bytes | None = None
    tags: ColorTags = field(default_factory=ColorTags)
    metadata: Metadata = field(default_factory=Metadata)
    turn: int = 1
    notices: tuple[str, ...] = ()


def from_png(found: png.Examined) -> Carried:
    notices = list(found.notices)
    exif = _exif(found.body(b"eXIf"), notices)
    turn = exif.orientation or 1
    density = found.body(b"pHYs")
    xmp, texts = _texts(found, notices)
    icc = _profile(found.body(b"iCCP"), notices)
    return Carried(
        icc,
        ColorTags(
            found.body(b"cICP"),
            found.body(b"sRGB") if icc is None else None,  # 11.3.2.5: never both
            found.body(b"gAMA"),
            found.body(b"cHRM"),
        ),
        Metadata(exif.block, xmp, texts, None if density is None else metadata.turned_density(density, turn)),
        turn,
        tuple(notices),
    )


def from_pillow(name: str, image: ImageFile, data: bytes) -> Carried:
    """Of an opened JPEG, WebP, TIFF, BMP or GIF that isn't loaded yet."""
    info, notices = image.info, list(_behind(name, image, data))
    raw = _tiff_exif(image, notices) if name == "TIFF" else info.get("exif")
    exif = _exif(raw, notices)
    packet = info.get("xmp")
    packet = packet if isinstance(packet, bytes) and packet else None
    turn = exif.orientation
    if turn is None:  # what EXIF says counts: programs that turn a photo may leave XMP as it was
        turn = 1 if packet is None or name == "TIFF" else metadata.xmp_orientation(packet)
    icc = info.get("icc_profile")
    if icc is None and "icc_profile" in info and name == "JPEG":
        notices.append(LEFT_OUT.format("colour profile", "parts of it are missing"))
    # Pillow says 72 dpi of every JPEG that says nothing.
    has_resolution = name != "JPEG" or info.get("jfif_unit") in (1, 2) or exif.resolution
    density = metadata.density_of(info.get("dpi"), turn) if has_resolution else None
    return Carried(
        icc if icc else None,
        adobe_rgb() if exif.adobe_rgb and not icc else _tiff_tags(image),
        Metadata(exif.block, _xmp(packet, notices), (), density),
        turn,
        tuple(notices),
    )


def _exif(raw: Any, notices: list[str]) -> Exif:
    if not isinstance(raw, bytes) or not raw.removeprefix(metadata.PREFIX):
        return NO_EXIF
    found = read_exif(raw)
    if found.block is None:
        notices.append(LEFT_OUT.format("EXIF data", "they have no readable directory"))
    elif not found.sound:
        notices.append("The picture's EXIF data are damaged; what can be read of them is kept.")
    return found


def _xmp(packet: bytes | None, notices: list[str]) -> bytes | None:
    if packet is None:
        return None
    found = metadata.upright_xmp(packet.rstrip(b"\0"))
    if found is None:
        notices.append(LEFT_OUT.format("XMP data", "they are no text, or too long"))
    return found


def _profile(body: bytes | None, notices: list[str]) -> bytes | None:
    if body is None:
        return None
    try:
        return png.profile_in(body)
    except ValueError as error:
        notices.append(LEFT_OUT.format("colour profile", error))
        return None


def _texts(found: png.Examined, notices: list[str]) -> tuple[bytes | None, tuple[tuple[bytes, bytes], ...]]:
    """The XMP packet, the first if there are several, and all other text of a PNG."""
    packet, kept, total = None, [], 0
    texts = [(kind, body) for kind, body in found.carried if kind in png.TEXTS]
    if len(texts) > MOST_TEXT_CHUNKS:
        notices.append(f"{len(texts) - MOST_TEXT_CHUNKS} of the picture's {len(texts)} texts were left out.")
    for kind, body in texts[:MOST_TEXT_CHUNKS]:
        try:
            if kind == b"iTXt" and metadata.is_xmp(body):
                packet = metadata.xmp_in(body) if packet is None else packet
            elif metadata.check_text(kind, body) and total + len(body) <= MOST_TEXTS:
                kept.append((kind, body))
                total += len(body)
        except ValueError as error:
            notices.append(LEFT_OUT.format(f"{kind.decode()} chunk", error))
    return _xmp(packet, notices), tuple(kept)


def _tiff_exif(image: ImageFile, notices: list[str]) -> bytes | None:
    """A TIFF is its own EXIF block; taken out of it is what says something of the photo."""
    try:
        read, kept = image.getexif(), Image.Exif()
        for tag in TIFF_TAGS:
            if tag in read:
                kept[tag] = read[tag]
        directories = {tag: dict(read.get_ifd(tag)) for tag in TIFF_DIRECTORIES}
        for tag, entries in directories.items():
            if entries:
                kept.get_ifd(tag).update(entries)
        return kept.tobytes() if len(kept) or any(directories.values()) else None
    except Exception as error:  # Pillow answers damage with nearly any exception
        notices.append(LEFT_OUT.format("EXIF data", error))
        return None


def _tiff_tags(image: ImageFile) -> ColorTags:
    """TIFF 6.0, section 20."""
    tags = getattr(image, "tag_v2", {})
    try:
        numbers = [round(float(value) * 100_000) for value in (*tags[WHITE_POINT], *tags[PRIMARIES])]
        return ColorTags(chromaticities=struct.pack(">8I", *numbers))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError, struct.error):
        return ColorTags()


def _behind(name: str, image: ImageFile, data: bytes) -> tuple[str, ...]:
    """Said of what lies behind the picture's end. A phone's further pictures and films are no surprise."""
    if name == "WebP":
        stop = 8 + int.from_bytes(data[4:8], "little")
        rest = data[stop + stop % 2 :]
    elif name == "JPEG":
        rest = data[end_of_jpeg(data) :]
        if "mp" in image.info or rest.startswith(b"\xff\xd8") or rest[4:8] == b"ftyp":
            return ()
    else:
        return ()
    if not rest.strip(b"\0"):
        return ()
    return (f"{len(rest)} bytes after the end of the picture were left out.",)


def end_of_jpeg(data: bytes) -> int:
    """Where the byte after EOI is (ITU-T T.81, annex B)."""
    at = 2
    while (found := MARKER.search(data, at)) is not None:
        kind, at = data[found.start() + 1], found.end()
        if kind == 0xD9:
            return at
        if kind not in (0x01, 0xD8):
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return len(data)
