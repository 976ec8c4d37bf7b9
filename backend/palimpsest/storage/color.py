"""The document's colour space and the model's, which is sRGB.

Profiles made of three primaries and tone curves (sRGB, Adobe RGB, Display P3, ProPhoto, any grey
gamma) are computed here in float32, so 16 bits stay 16 bits. Profiles made of look-up tables go
through LittleCMS at 8 bits. Intent: relative colorimetric; colours that sRGB can't show are clipped
for the model's eyes only, because `back` returns what wasn't edited as it was.
ICC.1:2022 (profile version 4.4); section numbers below are its.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from palimpsest.errors import ImageUnsupportedError, Text

Rgb = NDArray[np.float32]  # (h, w, 3) in [0, 1]
# Linear sRGB to CIE XYZ under D50, the profile connection space (IEC 61966-2-1, Bradford-adapted).
SRGB = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
LEVELS = 65536  # tone curves are tabulated at every 16-bit level
UNTOUCHED = 8 / 255  # an sRGB change this large is an edit through and through
BAND = 1 << 20  # pixels converted at a time


class Space(Protocol):
    """A colour space that a document may have."""

    def to_srgb(self, values: Rgb) -> Rgb: ...
    def from_srgb(self, values: Rgb) -> Rgb: ...


@dataclass(frozen=True)
class Srgb:
    """sRGB itself: nothing to do."""

    def to_srgb(self, values: Rgb) -> Rgb:
        return values

    def from_srgb(self, values: Rgb) -> Rgb:
        return values


@dataclass(frozen=True, eq=False)
class Primaries:
    """Per channel a tone curve to linear light, then a matrix to XYZ D50 (section 8.3.3)."""

    curves: tuple[NDArray[np.float32], ...]  # three tables of LEVELS values in [0, 1], never falling
    matrix: NDArray[np.float64]  # (3, 3), a column per primary

    def to_srgb(self, values: Rgb) -> Rgb:
        linear = np.stack([curve[_level(values[..., i])] for i, curve in enumerate(self.curves)], axis=-1)
        to_linear_srgb = (np.linalg.inv(SRGB) @ self.matrix).astype(np.float32)
        return encode_srgb(np.clip(linear @ to_linear_srgb.T, 0, 1))

    def from_srgb(self, values: Rgb) -> Rgb:
        from_linear_srgb = (np.linalg.inv(self.matrix) @ SRGB).astype(np.float32)
        linear = np.clip(decode_srgb(values) @ from_linear_srgb.T, 0, 1)
        return np.stack([_inverse(curve, linear[..., i]) for i, curve in enumerate(self.curves)], axis=-1)


@dataclass(frozen=True, eq=False)
class Grey:
    """A tone curve alone (section 8.3.4). Colours become grey by their luminance, in linear light."""

    curve: NDArray[np.float32]

    def to_srgb(self, values: Rgb) -> Rgb:
        return np.repeat(encode_srgb(self.curve[_level(values[..., :1])]), 3, axis=-1)

    def from_srgb(self, values: Rgb) -> Rgb:
        luminance = decode_srgb(values) @ SRGB[1].astype(np.float32) / np.float32(SRGB[1].sum())
        return np.repeat(_inverse(self.curve, luminance)[..., None], 3, axis=-1)


@dataclass(frozen=True, eq=False)
class Tables:
    """A profile of look-up tables, through LittleCMS, at 8 bits."""

    forth: Any
    reverse: Any
    grey: bool

    def to_srgb(self, values: Rgb) -> Rgb:
        pixels = _bytes(values)
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if self.grey else pixels)
        return _floats(ImageCms.applyTransform(image, self.forth))

    def from_srgb(self, values: Rgb) -> Rgb:
        found = _floats(ImageCms.applyTransform(Image.fromarray(_bytes(values)), self.reverse))
        return np.repeat(found[..., None], 3, axis=-1) if self.grey else found


def space(icc: bytes | None, grey: bool) -> Space:
    """The colour space of a profile; without one it is sRGB (or grey with sRGB's tone curve).

    Raises ImageUnsupportedError if the profile is damaged, or is for another kind of picture.
    """
    if icc is None:
        return Grey(decode_srgb(ramp())) if grey else Srgb()
    try:
        kind, tags = icc[16:20], _tags(icc)
        _expect_kind(kind, grey)
        found = _computed(icc, tags, grey) or _through_tables(icc, grey)
    except ImageUnsupportedError:
        raise
    except Exception as error:  # a damaged profile may fail anywhere, here or inside LittleCMS
        raise _unusable(f"it can't be read ({error})") from error
    return found if grey else simplest(found)


def simplest(found: Space) -> Space:
    """Srgb in place of a space that is sRGB under another name."""
    return Srgb() if _is_srgb(found) else found


def is_rgb(icc: bytes) -> bool:
    return icc[16:20] == b"RGB "


def forth(values: NDArray[Any], document: Space) -> Rgb:
    """Document samples (h, w, 3) uint8 or uint16 as sRGB in [0, 1]."""
    return _in_bands(lambda part: document.to_srgb(_unit(part)), values)


def back(edited: Rgb, values: NDArray[Any], document: Space) -> Rgb:
    """Edited sRGB as document colours in [0, 1]; a pixel that equals the original's sRGB is the original.

    ``values`` are the original samples. Where the edit is small, what the conversion there and back
    loses (rounding, colours outside sRGB) is added again; it fades out as the change reaches UNTOUCHED.
    """
    if isinstance(document, Srgb):
        return np.clip(edited, 0, 1)

    def convert(part: Rgb, original: NDArray[Any]) -> Rgb:
        exact = _unit(original)
        seen = document.to_srgb(exact)
        change = np.abs(part - seen).max(axis=-1, keepdims=True)
        keep = np.clip(1 - change / UNTOUCHED, 0, 1).astype(np.float32)
        return document.from_srgb(np.clip(part, 0, 1)) + keep * (exact - document.from_srgb(seen))

    return np.clip(_in_bands(convert, edited, values), 0, 1)


def encode_srgb(linear: Rgb) -> Rgb:
    low = np.float32(12.92) * linear
    high = np.float32(1.055) * np.maximum(linear, 0) ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(linear <= 0.0031308, low, high).astype(np.float32)


def decode_srgb(values: Rgb) -> Rgb:
    low = values / np.float32(12.92)
    high = ((np.maximum(values, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= 0.04045, low, high).astype(np.float32)


def _computed(icc: bytes, tags: dict[bytes, bytes], grey: bool) -> Space | None:
    """The profile as formulas, or None if it needs look-up tables."""
    if icc[20:24] != b"XYZ " or b"A2B0" in tags or b"A2B1" in tags:
        return None
    if grey:
        return Grey(_curve(tags[b"kTRC"])) if b"kTRC" in tags else None
    if not {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"} <= set(tags):
        return None
    primaries = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    matrix = np.array(primaries, np.float64).T / 65536
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise _unusable("its three primaries don't span a colour space")
    return Primaries(tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")), matrix)


def _through_tables(icc: bytes, grey: bool) -> Tables:
    profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    intent, mode = ImageCms.Intent.RELATIVE_COLORIMETRIC, "L" if grey else "RGB"
    try:
        forth_ = ImageCms.buildTransform(profile, srgb, mode, "RGB", intent)
        reverse = ImageCms.buildTransform(srgb, profile, "RGB", mode, intent)
    except ImageCms.PyCMSError as error:
        raise _unusable(f"it can't be used in both directions ({error})") from error
    return Tables(forth_, reverse, grey)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """The tag table (section 7.3)."""
    if icc[36:40] != b"acsp":
        raise _unusable("it isn't a profile")
    (count,) = struct.unpack_from(">I", icc, 128)
    entries = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 1000))]
    return {name: icc[start : start + size] for name, start, size in entries}


def _expect_kind(kind: bytes, grey: bool) -> None:
    if kind != (b"GRAY" if grey else b"RGB "):
        raise _unusable(f"it is for {kind.decode('latin-1').strip()} pictures")


def _curve(tag: bytes) -> NDArray[np.float32]:
    """A tone curve (sections 10.6 and 10.18) at every 16-bit level."""
    x = ramp().astype(np.float64)
    if tag[:4] == b"curv":
        y = _sampled(tag, x)
    elif tag[:4] == b"para":
        y = _parametric(tag, x)
    else:
        raise _unusable(f"its tone curve is of the unknown type {tag[:4]!r}")
    if not np.isfinite(y).all() or y[-1] - y[0] < 0.5:
        raise _unusable("its tone curve is flat")
    return np.maximum.accumulate(np.clip(y, 0, 1)).astype(np.float32)


def _sampled(tag: bytes, x: NDArray[np.float64]) -> NDArray[np.float64]:
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return x
    if count == 1:
        return x ** (struct.unpack_from(">H", tag, 12)[0] / 256)
    samples = np.frombuffer(tag, ">u2", count, 12) / 65535
    return np.interp(x, np.linspace(0, 1, count), samples)


def _parametric(tag: bytes, x: NDArray[np.float64]) -> NDArray[np.float64]:
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = {0: "g", 1: "gab", 2: "gabc", 3: "gabcd", 4: "gabcdef"}.get(kind)
    if names is None:
        raise _unusable(f"its tone curve is of the unknown form {kind}")
    values = struct.unpack_from(f">{len(names)}i", tag, 12)
    p = dict(zip("gabcdef", (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), strict=True))
    p.update({name: value / 65536 for name, value in zip(names, values, strict=True)})
    power = np.maximum(p["a"] * x + p["b"], 0) ** p["g"]
    if kind == 0:
        return power
    if kind in (1, 2):  # the constant c from x = -b/a on, and below it
        return np.where(x >= -p["b"] / p["a"], power + p["c"], p["c"])
    return np.where(x >= p["d"], power + p["e"], p["c"] * x + p["f"])


def _is_srgb(found: Space) -> bool:
    """A profile that moves no colour by as much as an 8-bit level is sRGB under another name."""
    steps = np.linspace(0, 1, 18, dtype=np.float32)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(18, -1, 3)
    return float(np.abs(found.to_srgb(cube) - cube).max()) < 1 / 255


def _inverse(curve: NDArray[np.float32], linear: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.interp(linear, curve, ramp()).astype(np.float32)


def ramp() -> NDArray[np.float32]:
    """Every 16-bit level, in [0, 1]."""
    return np.linspace(0, 1, LEVELS, dtype=np.float32)


def _level(values: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.rint(np.clip(values, 0, 1) * (LEVELS - 1)).astype(np.intp)


def _in_bands(convert: Callable[..., Rgb], *arrays: NDArray[Any]) -> Rgb:
    """``convert`` over some rows at a time, so that large pictures need little memory."""
    height, width, _ = arrays[0].shape
    out = np.empty((height, width, 3), np.float32)
    rows = max(1, BAND // width)
    for top in range(0, height, rows):
        out[top : top + rows] = convert(*(array[top : top + rows] for array in arrays))
    return out


def _unit(samples: NDArray[Any]) -> Rgb:
    return np.divide(samples, np.float32(np.iinfo(samples.dtype).max), dtype=np.float32)


def _bytes(values: Rgb) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _floats(image: Image.Image | None) -> Rgb:
    assert image is not None
    return np.divide(np.asarray(image), np.float32(255), dtype=np.float32)


def _unusable(why: str) -> ImageUnsupportedError:
    return ImageUnsupportedError(
        Text("profile-unusable", reason=why),
        "Convert the picture to sRGB in your editor, or remove the profile.",
    )
