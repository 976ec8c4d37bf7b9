"""Untrusted bytes to samples: what a picture file says is checked before anything is unpacked.

The format is told by the first bytes, never by the name. Size, frames and kind of colour come from
the header and are judged before the pixels are decoded, so a decompression bomb costs nothing.
16 bits stay 16 bits: Pillow's unpackers for 16-bit colour keep one byte of two, so the pixels are
unpacked twice, once for each half (all of Pillow's decoders can do that, interlaced or tiled).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from palimpsest.errors import (
    ImageTooLargeError,
    ImageTooSmallError,
    ImageUnreadableError,
    ImageUnsupportedError,
    OutOfMemoryError,
)
from palimpsest.storage import png

READERS: dict[str, Callable[[Any], ImageFile]] = {
    "PNG": PngImageFile,
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
    """Upright samples: (H, W, channels) uint8 or uint16; 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA."""

    samples: NDArray[Any]
    icc: bytes | None


def decode(data: bytes, limits: Limits) -> Decoded:
    """Raises ImageTooLarge-, TooSmall-, Unreadable- and UnsupportedError, OutOfMemoryError."""
    check_bytes(len(data), limits)
    name = _format(data)
    if name != "PNG":
        return _decoded(name, data, None, limits)
    examined = png.examine(data)
    check_size(examined.width, examined.height, limits)
    _check_frames("PNG", examined.frames)
    png.check_amount(examined)
    found = _decoded(name, examined.essential, examined, limits)
    return replace(found, icc=examined.icc)


def check_header(data: bytes, limits: Limits) -> None:
    """Raises what ``decode`` raises for a format, size, number of frames or kind of colour that can't be."""
    check_bytes(len(data), limits)
    name = _format(data)
    if name != "PNG":
        _opened(name, data, limits)
        return
    examined = png.examine(data)
    check_size(examined.width, examined.height, limits)
    _check_frames("PNG", examined.frames)


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
            f"The picture has {width} x {height} = {width * height} pixels; the limit is {limits.pixels}.",
            "Scale it down, or raise the limit.",
            width=width,
            height=height,
            limit=limits.pixels,
        )
    if min(width, height) < limits.shortest:
        raise ImageTooSmallError(
            f"The picture has {width} x {height} pixels.",
            f"Both sides must have at least {limits.shortest}.",
            width=width,
            height=height,
            limit=limits.shortest,
        )


def _format(data: bytes) -> str:
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


def _decoded(name: str, data: bytes, examined: png.Examined | None, limits: Limits) -> Decoded:
    image = _opened(name, data, limits)
    samples = _guarded(name, lambda: _samples(name, data, image, examined))
    # Asked only now, because Pillow turns a TIFF upright itself while it loads, and then says so here.
    turn = TURNS.get(_guarded(name, lambda: image.getexif().get(274, 1)))
    upright = samples if turn is None else np.ascontiguousarray(turn(samples))
    return Decoded(upright, image.info.get("icc_profile") or None)


def _opened(name: str, data: bytes, limits: Limits) -> ImageFile:
    """Its header is read and judged; its pixels aren't unpacked."""
    image: ImageFile = _guarded(name, lambda: READERS[name](io.BytesIO(data)))
    check_size(image.width, image.height, limits)
    if name != "JPEG":  # a phone's JPEG may carry more pictures behind the photo; they are not frames
        _check_frames(name, _guarded(name, lambda: getattr(image, "n_frames", 1)))
    _check_mode(image)
    return image


def _guarded(name: str, action: Callable[[], Any]) -> Any:
    """Pillow's plugins answer a damaged file with nearly any exception; here they become one."""
    try:
        return action()
    except (ImageUnsupportedError, ImageUnreadableError):
        raise
    except MemoryError as error:
        raise OutOfMemoryError("Not enough memory to decode the picture.", "Scale it down.") from error
    except Exception as error:
        raise ImageUnreadableError(
            f"The {name} file is damaged, or isn't what it says it is ({error}).",
            "Open it in an editor and save it again.",
        ) from error


def _check_frames(name: str, frames: int) -> None:
    if frames > 1:
        what = "pages" if name == "TIFF" else "frames: it is animated"
        raise ImageUnsupportedError(
            f"The {name} file has {frames} {what}.", "Save the one you mean as a file of its own."
        )


def _check_mode(image: ImageFile) -> None:
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        raise ImageUnsupportedError(
            f"This is a {image.mode} picture; only RGB, grey and palette pictures can be edited.",
            "Convert it to RGB in your editor.",
        )
    if image.mode in ("F", "I"):
        raise ImageUnsupportedError(
            "This picture has 32 bits per channel (HDR).",
            "Tone-map it to an ordinary 8- or 16-bit picture first.",
        )


def _samples(name: str, data: bytes, image: ImageFile, examined: png.Examined | None) -> NDArray[Any]:
    if image.mode.startswith("I;16"):
        samples = np.asarray(image).astype(np.uint16)[..., None]
    elif examined is not None and examined.depth == 16:
        samples = _two_byte_grey(image) if examined.colour == 4 else _two_halves(name, data, image)
    elif name == "TIFF" and max(_tiff_bits(image)) > 8:
        samples = _two_halves(name, data, image)
    else:
        samples = _eight_bits(image)
    if examined is None or examined.transparent is None:
        return samples
    return _with_alpha(samples, examined.transparent, examined.depth)


def _eight_bits(image: ImageFile) -> NDArray[np.uint8]:
    mode = image.mode
    if mode in ("P", "PA"):
        mode = "RGBA" if mode == "PA" or "transparency" in image.info else "RGB"
    mode = {"1": "L", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}.get(mode, mode)
    if mode not in ("L", "LA", "RGB", "RGBA"):
        raise ImageUnsupportedError(f"Pictures of the kind {mode!r} can't be edited.", "Convert it to RGB.")
    array = np.array(image if image.mode == mode else image.convert(mode))
    return array[..., None] if array.ndim == 2 else array


def _two_halves(name: str, data: bytes, image: ImageFile) -> NDArray[np.uint16]:
    """16-bit RGB or RGBA, unpacked once for the high and once for the low bytes."""
    raw = _raw_mode(image)
    colour, _, order = raw.partition(";16")
    if colour not in ("RGB", "RGBA") or order not in ("B", "L", "N"):
        raise ImageUnsupportedError(
            f"16-bit pictures of this kind ({raw}) aren't read.", "Save it as a 16-bit PNG."
        )
    order = sys.byteorder[0].upper() if order == "N" else order
    _check_halving(colour)
    again = READERS[name](io.BytesIO(data))
    _set_raw_mode(image, f"{colour};16{order}")
    _set_raw_mode(again, f"{colour};16{'L' if order == 'B' else 'B'}")
    samples = np.left_shift(np.asarray(image), 8, dtype=np.uint16)
    samples |= np.asarray(again)
    return samples


def _two_byte_grey(image: ImageFile) -> NDArray[np.uint16]:
    """16-bit grey + alpha has four bytes per pixel: unpacked as if it were 8-bit RGBA."""
    _set_raw_mode(image, "RGBA")
    return np.array(image).view(">u2").astype(np.uint16)


def _raw_mode(image: ImageFile) -> str:
    arguments = image.tile[0].args
    return arguments if isinstance(arguments, str) else str((arguments or ("unknown",))[0])


def _set_raw_mode(image: ImageFile, raw: str) -> None:
    def changed(arguments: Any) -> Any:
        return raw if isinstance(arguments, str) else (raw, *arguments[1:])

    image.tile = [tile._replace(args=changed(tile.args)) for tile in image.tile]


def _check_halving(colour: str) -> None:
    """That ``;16B`` keeps the first byte of two and ``;16L`` the second is how Pillow is, not a promise."""
    pair = bytes(range(1, 2 * len(colour) + 1))
    first = Image.frombytes(colour, (1, 1), pair, "raw", f"{colour};16B").tobytes()
    second = Image.frombytes(colour, (1, 1), pair, "raw", f"{colour};16L").tobytes()
    if (first, second) != (pair[::2], pair[1::2]):
        raise ImageUnsupportedError(
            f"Pillow {PIL.__version__} unpacks 16-bit colour in a new way.",
            "Install the version that this program was released with.",
        )


def _tiff_bits(image: ImageFile) -> tuple[int, ...]:
    return tuple(getattr(image, "tag_v2", {}).get(258, (1,)))


def _with_alpha(samples: NDArray[Any], transparent: tuple[int, ...], depth: int) -> NDArray[Any]:
    """The samples with an alpha channel that is 0 where they equal the transparent colour."""
    top = np.iinfo(samples.dtype).max
    key = [value * 255 // (2**depth - 1) if depth < 8 else value for value in transparent]
    alpha = np.where((samples == np.array(key)).all(axis=-1), 0, top).astype(samples.dtype)
    return np.concatenate([samples, alpha[..., None]], axis=-1)


