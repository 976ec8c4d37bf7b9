"""A merged picture as a file of the photo's own kind: JPEG, WebP or TIFF, with what the photo carries.

Everything is taken from the merged PNG, which is upright and complete; how it is packed is taken from the
photo: a JPEG's quantisation tables and subsampling, whether a WebP is lossless, whether a TIFF is compressed.
TIFF and lossless WebP are exact. A JPEG or a lossy WebP is compressed anew, so its pixels can't be.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile
from PIL.TiffTags import TAGS_V2_GROUPS

from palimpsest.errors import OutOfMemoryError, StorageError, Text
from palimpsest.storage.decode import Limits, kind_of
from palimpsest.storage.metadata import PREFIX, Metadata
from palimpsest.storage.pictures import LIMITS, Picture, read_picture

MOST_OF_JPEG = 65_533 - 29  # bytes of EXIF or of XMP that one segment holds
LOSSY_QUALITY = 95  # of a WebP, which doesn't say with which quality it was made
IPTC = "APP13"  # a JPEG's segment; in a TIFF two tags
KEPT_TIFF_TAGS = (318, 319, 33723, 34377)  # white point, primaries, IPTC, Photoshop's blocks
INCH = 0.0254  # metres
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "TIFF": ".tif"}


@dataclass(frozen=True)
class Packed:
    """A file's content. ``exact``: its pixels are the merged picture's. ``lost``: what has no place in it."""

    content: bytes
    exact: bool
    lost: tuple[str, ...] = ()


def suffix_for(photo: bytes) -> str | None:
    """What the file of the photo's own kind ends with; None where that kind isn't written."""
    return SUFFIXES.get(kind_of(photo))


def pack_like(photo: bytes, merged: bytes, limits: Limits = LIMITS) -> Packed:
    """``merged``: the PNG. Raises StorageError for what can't be packed, and OutOfMemoryError."""
    packers: dict[str, Callable[[bytes, Picture], Packed]] = {"JPEG": _jpeg, "WebP": _webp, "TIFF": _tiff}
    kind = kind_of(photo)
    if kind not in packers:
        return Packed(merged, True)
    try:
        return packers[kind](photo, read_picture(merged, limits))
    except MemoryError as error:
        raise OutOfMemoryError(Text("memory-for-decoding"), Text("scale-down")) from error
    except (OSError, ValueError, KeyError, struct.error) as error:
        what = f"The result can't be written as {kind}: {error}."
        raise StorageError(what, "Leave --keep-format out.") from error


def _jpeg(photo: bytes, merged: Picture) -> Packed:
    original = JpegImageFile(io.BytesIO(photo))
    lost = []
    carried: dict[str, Any] = {"exif": _exif(merged.metadata), "xmp": merged.metadata.xmp}
    for name, told in (("exif", "EXIF data"), ("xmp", "XMP data")):
        if carried[name] is not None and len(carried[name]) > MOST_OF_JPEG:
            lost.append(f"{told} are longer than a JPEG can hold")
            carried[name] = None
    iptc = b"".join(_segment(body) for name, body in original.applist if name == IPTC)
    sampling = get_sampling(original) if original.layers == 3 else -1
    carried.update(
        qtables=original.quantization,
        subsampling=sampling,
        icc_profile=merged.icc,
        comment=original.info.get("comment"),
        dpi=_dots_per_inch(merged.metadata),
        extra=iptc,
    )
    image, progressive = _image(merged, alpha=False), bool(original.info.get("progressive"))
    try:
        content = _saved(image, "JPEG", optimize=True, progressive=progressive, **carried)
    except OSError:  # for these two Pillow's buffer must hold the whole file, and has two bytes a pixel
        content = _saved(image, "JPEG", **carried)
    return Packed(content, False, tuple(lost))


def _segment(body: bytes) -> bytes:
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def _webp(photo: bytes, merged: Picture) -> Packed:
    lossless = any(kind == b"VP8L" for kind in _riff_chunks(photo))
    content = _saved(
        _image(merged),
        "WEBP",
        lossless=lossless,
        exact=True,  # colours under transparency too
        quality=100 if lossless else LOSSY_QUALITY,
        icc_profile=merged.icc,
        exif=_exif(merged.metadata),
        xmp=merged.metadata.xmp,
    )
    return Packed(content, lossless)


def _riff_chunks(data: bytes) -> Iterator[bytes]:
    """The kinds of a WebP's chunks (RFC 9649, section 2.3)."""
    at = 12
    while at + 8 <= len(data):
        yield data[at : at + 4]
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2


def _tiff(photo: bytes, merged: Picture) -> Packed:
    """TIFF 6.0, one strip, little-endian; Deflate unless the photo isn't compressed."""
    original = TiffImageFile(io.BytesIO(photo))
    samples = _samples(merged)
    height, width, channels = samples.shape
    bits = samples.dtype.itemsize * 8
    body = samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()
    packed = original.tag_v2.get(259, 1) != 1
    body = zlib.compress(body) if packed else body
    directory = ImageFileDirectory_v2()
    _carry(directory, original, merged)
    directory[256], directory[257] = width, height
    directory[258] = (bits,) * channels
    directory[259] = 8 if packed else 1
    directory[262] = 1 if channels < 3 else 2
    directory.tagtype[273] = directory.tagtype[279] = 4
    directory[273], directory[279] = 0, len(body)  # where the strip begins is put right when it is written
    directory[274], directory[277], directory[278], directory[284] = 1, channels, height, 1
    if channels in (2, 4):
        directory[338] = 2  # alpha that the colours aren't multiplied by
    stream = io.BytesIO()
    directory.save(stream)
    stream.write(body)
    return Packed(stream.getvalue(), True)


def _carry(directory: ImageFileDirectory_v2, original: TiffImageFile, merged: Picture) -> None:
    carried = merged.metadata
    if carried.exif is not None:
        exif = Image.Exif()
        exif.load(PREFIX + carried.exif)
        for tag in exif:
            directory[tag] = exif.get_ifd(tag) if tag in TAGS_V2_GROUPS else exif[tag]
    for tag in KEPT_TIFF_TAGS:
        if tag in original.tag_v2:
            directory.tagtype[tag] = original.tag_v2.tagtype[tag]
            directory[tag] = original.tag_v2[tag]
    if carried.xmp is not None:
        directory.tagtype[700] = 1
        directory[700] = carried.xmp
    if merged.icc is not None:
        directory.tagtype[34675] = 7
        directory[34675] = merged.icc
    resolution = _dots_per_inch(carried)
    if resolution != (0, 0):
        directory[282], directory[283], directory[296] = *resolution, 2


def _exif(carried: Metadata) -> bytes | None:
    return None if carried.exif is None else PREFIX + carried.exif


def _dots_per_inch(carried: Metadata) -> tuple[float, float]:
    """(0, 0) where the photo names no resolution."""
    if carried.density is None:
        return 0, 0
    across, down, unit = struct.unpack(">IIB", carried.density)
    return (round(across * INCH, 2), round(down * INCH, 2)) if unit == 1 else (0, 0)


def _samples(picture: Picture, alpha: bool = True) -> NDArray[Any]:
    """(H, W, 1 to 4), grey for a grey picture."""
    colours = picture.pixels[..., :1] if picture.grey else picture.pixels
    if alpha and picture.alpha is not None:
        colours = np.concatenate([colours, picture.alpha[..., None]], axis=-1)
    return np.ascontiguousarray(colours)


def _image(picture: Picture, alpha: bool = True) -> Image.Image:
    samples = _samples(picture, alpha)
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **{name: value for name, value in options.items() if value is not None})
    return stream.getvalue()
