"""What a file says its numbers mean besides a profile: cICP, sRGB, gAMA and cHRM.

They are carried as they are into what is written; for the model they are turned into a colour space of
`color`. The order of trust is PNG's (Third Edition, 4.3): cICP, then a profile, sRGB, gAMA and cHRM.
Code points of cICP: ITU-T H.273. Chromatic adaptation to D50 by Bradford (ICC.1:2022, annex E).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from palimpsest.errors import ImageUnsupportedError, Text
from palimpsest.storage import color

Pairs = tuple[float, ...]  # x and y of white, red, green, blue
D65, C, E = (0.3127, 0.329), (0.31, 0.316), (1 / 3, 1 / 3)
D50 = np.array([0.9642, 1.0, 0.8249])  # the profile connection space's white, XYZ
REC709: Pairs = (*D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
SMPTE170: Pairs = (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07)
ADOBE_RGB: Pairs = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
PRIMARIES: dict[int, Pairs] = {  # H.273, table 2
    1: REC709,
    4: (*C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: SMPTE170,
    7: SMPTE170,
    8: (*C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    10: (*E, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    22: (*D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
REC709_CURVES = {1, 6, 11, 12, 14, 15}  # H.273, table 3
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
SRGB_CURVE = 13
SRGB_GAMMA = 45455  # gAMA of files whose curve is sRGB's (11.3.2.2)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class ColorTags:
    """The bodies of the four chunks, each of its right length, or None."""

    cicp: bytes | None = None
    srgb: bytes | None = None
    gamma: bytes | None = None
    chromaticities: bytes | None = None

    def chunks(self) -> Iterator[tuple[bytes, bytes]]:
        """For `png.encode`."""
        named = {b"cICP": self.cicp, b"sRGB": self.srgb, b"gAMA": self.gamma, b"cHRM": self.chromaticities}
        yield from ((kind, body) for kind, body in named.items() if body is not None)


def adobe_rgb() -> ColorTags:
    """Of a camera's picture that names Adobe RGB in its EXIF data and brings no profile (DCF 2.0)."""
    numbers = [round(100_000 * value) for value in ADOBE_RGB]
    return ColorTags(
        gamma=struct.pack(">I", round(100_000 * 256 / 563)), chromaticities=struct.pack(">8I", *numbers)
    )


def space_of(icc: bytes | None, tags: ColorTags, grey: bool) -> tuple[color.Space, tuple[str, ...]]:
    """The colour space that the model is shown the picture from, and what should be said about it.

    What can't be interpreted is no reason to refuse a picture: the next in order counts, sRGB at last.
    """
    notices: list[str] = []
    if tags.cicp is not None:
        found = _coded(tags.cicp, grey)
        if found is not None:
            return found, ()
        codes = ", ".join(map(str, tags.cicp))
        notices.append(f"The picture's cICP ({codes}) can't be interpreted. It is kept as it is.")
    if icc is not None:
        try:
            return color.space(icc, grey), tuple(notices)
        except ImageUnsupportedError as error:
            notices.append(Text("two-sentences", one=error.message, two=Text("profile-as-srgb")))
            return color.space(None, grey), tuple(notices)
    found = None if tags.srgb is not None else _measured(tags, grey, notices)
    return color.space(None, grey) if found is None else found, tuple(notices)


def _coded(cicp: bytes, grey: bool) -> color.Space | None:
    primaries, transfer, matrix, full = cicp
    if matrix != 0 or full != 1 or (primaries not in PRIMARIES and not grey):
        return None
    if transfer in GAMMAS:
        curve = color.ramp() ** np.float32(GAMMAS[transfer])
    elif transfer == SRGB_CURVE:
        curve = color.decode_srgb(color.ramp())
    elif transfer in REC709_CURVES:
        curve = _rec709(color.ramp())
    else:
        return None
    return _space(curve, PRIMARIES.get(primaries, REC709), grey)


def _measured(tags: ColorTags, grey: bool, notices: list[str]) -> color.Space | None:
    """From gAMA and cHRM; where one is missing, sRGB's counts."""
    if tags.gamma is None and tags.chromaticities is None:
        return None
    curve, pairs = color.decode_srgb(color.ramp()), REC709
    if tags.gamma is not None and (gamma := int.from_bytes(tags.gamma, "big")) != SRGB_GAMMA:
        if 10_000 <= gamma <= 1_000_000:
            curve = color.ramp() ** np.float32(100_000 / gamma)
        else:
            notices.append(f"The picture's gamma ({gamma / 100_000}) makes no sense. It is kept as it is.")
    if tags.chromaticities is not None:
        coordinates = tuple(value / 100_000 for value in struct.unpack(">8I", tags.chromaticities))
        if _matrix(coordinates) is not None:
            pairs = coordinates
        else:
            notices.append("The picture's chromaticities make no sense. They are kept as they are.")
    return _space(curve, pairs, grey)


def _space(curve: NDArray[np.float32], pairs: Pairs, grey: bool) -> color.Space:
    curve = curve.astype(np.float32)
    if grey:
        return color.Grey(curve)
    matrix = _matrix(pairs)
    assert matrix is not None, pairs
    return color.simplest(color.Primaries((curve, curve, curve), matrix))


def _matrix(pairs: Pairs) -> NDArray[np.float64] | None:
    """Linear RGB to XYZ under D50, (3, 3); None if the primaries span no colour space."""
    points = np.array(pairs, np.float64).reshape(4, 2)
    white = _xyz(points[0])
    primaries = np.stack([_coordinates(point) for point in points[1:]], axis=1)
    if white is None or abs(np.linalg.det(primaries)) < 1e-6:
        return None
    scaled = primaries * np.linalg.solve(primaries, white)
    cone = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    found = np.linalg.inv(BRADFORD) @ cone @ BRADFORD @ scaled
    return found if np.isfinite(found).all() and abs(np.linalg.det(found)) > 1e-6 else None


def _coordinates(point: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = point
    return np.array([x, y, 1 - x - y])


def _xyz(point: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Of a white: luminance 1."""
    return _coordinates(point) / point[1] if point[1] > 0.01 else None


def _rec709(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of ITU-R BT.709's curve."""
    low = values / np.float32(4.5)
    high = ((values + np.float32(0.0993)) / np.float32(1.0993)) ** np.float32(1 / 0.45)
    return np.where(values < 0.0813, low, high).astype(np.float32)
