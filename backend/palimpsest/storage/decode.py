"""Untrusted bytes to samples: what a picture file says is checked before anything is unpacked.

The format is told by the first bytes, never by the name. Size, frames and kind of colour come from
the header and are judged before the pixels are decoded, so a decompression bomb costs nothing.
16 bits stay 16 bits: Pillow's unpackers for 16-bit colour keep one byte of two, so the pixels are
unpacked twice, once for each half. Memory at the peak, in bytes per pixel, the samples themselves
included: docs/architecture.md; tests/storage/test_decoding_costs.py keeps them.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from palimpsest.errors import (
    ImageTooLargeError,
    ImageTooSmallError,
    ImageUnreadableError,
    ImageUnsupportedError,
    OutOfMemoryError,
    Text,
)
from palimpsest.storage import png
from palimpsest.storage.carried import Carried, from_pillow, from_png
from palimpsest.storage.png_rows import channels_of, check_halving, decode_rows

READERS: dict[str, Callable[[Any], ImageFile]] = {
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
}
KNOWN_BUT_NOT_READ = {  # first bytes, where they start: name
    (b"#?RADIANCE", 0): "Radiance HDR",
    (b"\x76\x2f\x31\x01", 0): "OpenEXR",
    (b"8BPS", 0): "Photoshop",
    (b"gimp xcf", 0): "GIMP",
    (b"%PDF", 0): "PDF",
    (b"ftypheic", 4): "HEIC",
    (b"ftypavif", 4): "AVIF",
    (b"\xff\x0a", 0): "JPEG XL",
    (b"JXL ", 4): "JPEG XL",
    (b"jP  ", 4): "JPEG 2000",
    (b"PK\x03\x04", 0): "ZIP, OpenRaster or Krita",
}
BAND = 1 << 20  # pixels taken over from Pillow at a time
SMALL_TILE = 1 << 22  # pixels of a tile that is allowed in the smallest picture
ANIMATED = "The picture is animated: its first frame was taken."
PAGES = "The file has several pages: the first was taken."
READABLE = "Save it as PNG, JPEG, WebP, TIFF or BMP."
TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {  # EXIF tag 274: how to put it upright
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}


@dataclass(frozen=True)
class Limits:
    """What is accepted. ``pixels``: width x height; ``file_bytes``: of the file; ``shortest``: side."""

    pixels: int = 150_000_000
    file_bytes: int = 1 << 30
    shortest: int = 64


@dataclass(frozen=True)
class Decoded:
    """Upright samples: (H, W, channels) uint8 or uint16; 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.

    ``carried``: what else the file holds, already upright too.
    """

    samples: NDArray[Any]
    carried: Carried


def decode(data: bytes, limits: Limits) -> Decoded:
    """Raises ImageTooLarge-, TooSmall-, Unreadable- and UnsupportedError, OutOfMemoryError."""
    check_bytes(len(data), limits)
    name = kind_of(data)
    with _without_pillows_opinion():
        return _decode_png(data, limits) if name == "PNG" else _decode_other(name, data, limits)


@contextmanager
def _without_pillows_opinion() -> Iterator[None]:
    """Our own limit is looked at first, and may have been raised; warnings are said as our notices."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def check_header(data: bytes, limits: Limits) -> None:
    """Raises what ``decode`` raises for a format, size or kind of colour that can't be."""
    check_bytes(len(data), limits)
    name = kind_of(data)
    with _without_pillows_opinion():
        if name == "PNG":
            _examined(data, limits)
        else:
            _opened(name, data, limits)


def size_of(data: bytes, limits: Limits) -> tuple[int, int]:
    """Width and height as ``decode`` will have them, upright. Raises what ``check_header`` raises."""
    check_bytes(len(data), limits)
    name = kind_of(data)
    with _without_pillows_opinion():
        if name == "PNG":
            found = _examined(data, limits)
            size, turn = (found.width, found.height), from_png(found).turn
        else:
            image = _opened(name, data, limits)
            size, turn = image.size, _guarded(name, lambda: from_pillow(name, image, data)).turn
    return size if turn < 5 else (size[1], size[0])


def check_bytes(count: int, limits: Limits) -> None:
    if count > limits.file_bytes:
        raise ImageTooLargeError(
            f"The picture's file has {count} bytes; the limit is {limits.file_bytes}.",
            "Save it smaller, or raise the limit.",
            bytes=count,
            limit=limits.file_bytes,
        )


def check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise ImageTooLargeError(
            Text("picture-large", width=width, height=height, n=width * height, limit=limits.pixels),
            Text("scale-down-or-raise"),
            width=width,
            height=height,
            limit=limits.pixels,
        )
    if min(width, height) < limits.shortest:
        raise ImageTooSmallError(
            Text("picture-small", width=width, height=height),
            Text("sides-least", n=limits.shortest),
            width=width,
            height=height,
            limit=limits.shortest,
        )


def kind_of(data: bytes) -> str:
    """PNG, JPEG, WebP, TIFF, BMP or GIF. Raises ImageUnsupportedError, ImageUnreadableError."""
    if data.startswith(png.SIGNATURE):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if data.startswith(b"BM"):
        return "BMP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    for (start, at), name in KNOWN_BUT_NOT_READ.items():
        if data.startswith(start, at):
            raise ImageUnsupportedError(f"{name} files aren't read.", READABLE)
    raise ImageUnreadableError("This isn't a picture file.", READABLE)


def _decode_png(data: bytes, limits: Limits) -> Decoded:
    found = _examined(data, limits)
    carried = from_png(found)
    if found.frames > 1:
        carried = _noting(carried, ANIMATED)
    kind = np.uint16 if found.depth == 16 else np.uint8
    lying = (found.height, found.width)
    upright = lying[::-1] if carried.turn >= 5 else lying

    def filled() -> NDArray[Any]:
        samples = np.empty((*upright, channels_of(found)), kind)
        back = TURNS.get({6: 8, 8: 6}.get(carried.turn, carried.turn))
        decode_rows(found, samples if back is None else back(samples))
        return samples

    return Decoded(_guarded("PNG", filled), carried)


def _examined(data: bytes, limits: Limits) -> png.Examined:
    found = png.examine(data)
    check_size(found.width, found.height, limits)
    return found


def _opened(name: str, data: bytes, limits: Limits) -> ImageFile:
    """Its header is read and judged; its pixels aren't unpacked."""
    if name == "WebP":
        width, height = _guarded(name, lambda: _webp_size(data))
        check_size(width, height, limits)
    image: ImageFile = _guarded(name, lambda: READERS[name](io.BytesIO(data)))
    check_size(image.width, image.height, limits)
    _check_mode(image)
    if name == "TIFF":
        _guarded(name, lambda: _check_tiles(image))
    return image


def _decode_other(name: str, data: bytes, limits: Limits) -> Decoded:
    image = _opened(name, data, limits)
    carried = _guarded(name, lambda: from_pillow(name, image, data))
    # A phone's JPEG may carry more pictures behind the photo; they are no frames.
    if name != "JPEG" and _guarded(name, lambda: getattr(image, "is_animated", False)):
        carried = _noting(carried, PAGES if name == "TIFF" else ANIMATED)
    samples = _guarded(name, lambda: _samples(name, data, image))
    # Pillow turns a TIFF upright itself while it loads; what is left to do it says afterwards.
    turn = TURNS.get(_turn_left(image) if name == "TIFF" else carried.turn)
    return Decoded(samples if turn is None else np.ascontiguousarray(turn(samples)), carried)


def _noting(carried: Carried, notice: str) -> Carried:
    return replace(carried, notices=(*carried.notices, notice))


def _turn_left(image: ImageFile) -> int:
    try:
        return int(image.getexif().get(274, 1))
    except Exception:  # damaged EXIF data, which `from_pillow` has told of
        return 1


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height, before a decoder sets memory aside for them (RFC 9649, sections 2.5 to 2.7)."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return tuple(int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))  # type: ignore[return-value]
    raise ValueError(f"it starts with {kind!r}")


def _check_tiles(image: ImageFile) -> None:
    """A decoder sets memory aside for a whole tile, whatever the picture's size."""
    tags: Any = getattr(image, "tag_v2", {})
    width, height = int(tags.get(322, 1)), int(tags.get(323, 1))
    if width * height > max(SMALL_TILE, 4 * image.width * image.height):
        raise ValueError(f"its tiles have {width} x {height} pixels, many times the picture's")


def _guarded(name: str, action: Callable[[], Any]) -> Any:
    """Pillow's plugins answer a damaged file with nearly any exception; here they become one."""
    try:
        return action()
    except (ImageUnsupportedError, ImageUnreadableError):
        raise
    except MemoryError as error:
        raise OutOfMemoryError(Text("memory-for-decoding"), Text("scale-down")) from error
    except Exception as error:
        raise ImageUnreadableError(
            Text("picture-damaged-file", name=name, reason=str(error)), Text("save-again")
        ) from error


def _check_mode(image: ImageFile) -> None:
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        raise ImageUnsupportedError(Text("picture-kind", mode=image.mode), Text("convert-to-rgb"))
    if image.mode in ("F", "I"):
        raise ImageUnsupportedError(Text("picture-hdr"), Text("tone-map"))


def _samples(name: str, data: bytes, image: ImageFile) -> NDArray[Any]:
    if image.mode.startswith("I;16"):
        return _sixteen_bit_grey(image)
    if name == "TIFF" and max(_tiff_bits(image)) > 8:
        return _two_halves(name, data, image)
    return _eight_bits(image)


def _parts(image: ImageFile) -> Iterator[tuple[slice, Image.Image]]:
    """Some rows at a time: an array of the whole would be made of a second copy of it."""
    image.load()
    count = max(1, BAND // max(1, image.width))
    for top in range(0, image.height, count):
        bottom = min(image.height, top + count)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _sixteen_bit_grey(image: ImageFile) -> NDArray[np.uint16]:
    image.load()
    samples = np.empty((image.height, image.width, 1), np.uint16)
    for rows, part in _parts(image):
        samples[rows, :, 0] = np.asarray(part)
    if getattr(image, "tag_v2", {}).get(262) == 0:  # white is zero: Pillow sees to that at 8 bits only
        np.invert(samples, out=samples)
    return samples


def _eight_bits(image: ImageFile) -> NDArray[np.uint8]:
    mode = image.mode
    if mode in ("P", "PA"):
        mode = "RGBA" if mode == "PA" or "transparency" in image.info else "RGB"
    mode = {"1": "L", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}.get(mode, mode)
    if mode not in ("L", "LA", "RGB", "RGBA"):
        raise ImageUnsupportedError(f"Pictures of the kind {mode!r} can't be edited.", "Convert it to RGB.")
    image.load()
    samples = np.empty((image.height, image.width, len(mode)), np.uint8)
    for rows, part in _parts(image):
        samples[rows] = np.asarray(part if part.mode == mode else part.convert(mode)).reshape(
            samples[rows].shape
        )
    return samples


def _two_halves(name: str, data: bytes, image: ImageFile) -> NDArray[np.uint16]:
    """16-bit RGB or RGBA, unpacked once for the high and once for the low bytes."""
    raw = _raw_mode(image)
    colour, _, order = raw.partition(";16")
    if colour not in ("RGB", "RGBA") or order not in ("B", "L", "N"):
        raise ImageUnsupportedError(
            f"16-bit pictures of this kind ({raw}) aren't read.", "Save it as a 16-bit PNG."
        )
    order = sys.byteorder[0].upper() if order == "N" else order
    check_halving(colour)
    _set_raw_mode(image, f"{colour};16{order}")
    image.load()
    samples = np.empty((image.height, image.width, len(colour)), np.uint16)
    for rows, part in _parts(image):
        np.left_shift(np.asarray(part), 8, out=samples[rows], dtype=np.uint16)
    image.close()  # and with it the first half's memory
    again = READERS[name](io.BytesIO(data))
    _set_raw_mode(again, f"{colour};16{'L' if order == 'B' else 'B'}")
    for rows, part in _parts(again):
        samples[rows] |= np.asarray(part)
    return samples


def _raw_mode(image: ImageFile) -> str:
    arguments = image.tile[0].args
    return arguments if isinstance(arguments, str) else str((arguments or ("unknown",))[0])


def _set_raw_mode(image: ImageFile, raw: str) -> None:
    def changed(arguments: Any) -> Any:
        return raw if isinstance(arguments, str) else (raw, *arguments[1:])

    image.tile = [tile._replace(args=changed(tile.args)) for tile in image.tile]


def _tiff_bits(image: ImageFile) -> tuple[int, ...]:
    return tuple(getattr(image, "tag_v2", {}).get(258, (1,)))
