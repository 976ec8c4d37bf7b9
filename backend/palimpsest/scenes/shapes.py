"""Surfaces (signed distance, shading, gloss) and the layers that they are painted on.

Every thing is drawn in its own coordinates: `u` to the right, `v` down, (0, 0) at the foot, one unit half of
the thing's nominal height. Only the window that the thing can reach is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.scenes.things import Placed, Rgb

Array = NDArray[np.floating[Any]]
Point = tuple[float, float]

LIGHT = (-0.5, -0.55, 0.67)
REACH = (-1.35, -2.4, 1.7, 0.3)
"""Left, top, right and bottom of a thing's window, in its own units; the shadow falls to the right."""


@dataclass(frozen=True)
class Frame:
    """A window of the picture in a thing's coordinates; `pixel` is one pixel's width in them."""

    u: Array  # (1, columns)
    v: Array  # (rows, 1)
    pixel: float
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        return self.v.shape[0], self.u.shape[1]


def frame_around(placed: Placed, side: int) -> Frame:
    """The part of a `side` × `side` picture that `placed` can reach."""
    unit = placed.size * side / 2
    left, top, right, bottom = REACH
    columns = _span(placed.x * side + left * unit, placed.x * side + right * unit, side)
    rows = _span(placed.y * side + top * unit, placed.y * side + bottom * unit, side)
    return frame_over(placed, side, rows, columns)


def frame_over(placed: Placed, side: int, rows: slice, columns: slice) -> Frame:
    """The given window in the coordinates of `placed`."""
    unit = placed.size * side / 2
    u = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - placed.x * side) / unit
    v = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5 - placed.y * side) / unit
    return Frame(u[None, :].astype(np.float32), v[:, None].astype(np.float32), 1 / unit, rows, columns)


def _span(low: float, high: float, side: int) -> slice:
    start = min(max(int(np.floor(low)), 0), side)
    return slice(start, max(start, min(int(np.ceil(high)), side)))


@dataclass(frozen=True)
class Surface:
    """Signed distance in the frame's units (negative inside), how brightly it is lit, and its highlight."""

    distance: Array
    shade: Array | float
    gloss: Array | float = 0.0


@dataclass(frozen=True)
class Paint:
    """A colour, flat `(3,)` or per pixel; `lift` lets very dark paint show its shading."""

    colour: Array
    lift: float = 0.0


class Layer:
    """Premultiplied colour and opacity of a thing, part over part."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.rgb = np.zeros((*frame.shape, 3), np.float32)
        self.alpha = np.zeros(frame.shape, np.float32)

    def add(self, surface: Surface, paint: Paint) -> None:
        """Lay a lit surface over what is there."""
        cover = coverage(surface.distance, self.frame.pixel)
        touched = (_reach(cover, 1), _reach(cover, 0))
        a = cover[touched]
        shade = _within(surface.shade, touched)[..., None]
        lit = _within(paint.colour, touched) * shade + paint.lift * (shade - 0.5)
        lit += 153 * _within(surface.gloss, touched)[..., None]
        self.rgb[touched] += a[..., None] * (np.clip(lit, 0, 255) - self.rgb[touched])
        self.alpha[touched] += a * (1 - self.alpha[touched])


def _reach(cover: Array, axis: int) -> slice:
    """The rows (axis 1) or columns (axis 0) from the first to the last that a surface covers."""
    hit = np.flatnonzero(cover.any(axis))
    return slice(int(hit[0]), int(hit[-1]) + 1) if len(hit) else slice(0, 0)


def _within(values: Array | float, window: tuple[slice, slice]) -> Array:
    """`values` inside the window; what is the same everywhere stays as it is."""
    array = np.asarray(values)
    return array if array.ndim < 2 else array[window]


def coverage(distance: Array, pixel: float) -> Array:
    """How much of each pixel lies inside, in [0, 1]."""
    return np.clip(0.5 - distance / pixel, 0, 1)


def flat(rgb: Rgb) -> Paint:
    """A paint exactly of its nominal colour."""
    return Paint(np.asarray(rgb, np.float32))


DARK = flat((30, 28, 32))
WHITE = flat((246, 246, 244))


def darker(paint: Paint, by: float = 0.7) -> Paint:
    return Paint(paint.colour * np.float32(by), paint.lift)


def shaded_across(f: Frame, paint: Paint, half: float) -> Paint:
    """A flat cloth made round: lighter on the left, darker on the right."""
    q = np.clip(f.u / half, -1, 1)
    light = (1.06 - 0.2 * np.clip(q, 0, 1) ** 2 - 0.12 * q)[..., None]
    return Paint(np.broadcast_to(paint.colour * light, (*f.shape, 3)).astype(np.float32), paint.lift)


def tint(rgb: Rgb, jitter: Array) -> Paint:
    """A flat paint, a little off its nominal colour."""
    return Paint(np.asarray(rgb, np.float32) + jitter, 40.0 if max(rgb) < 70 else 0.0)


def pattern(f: Frame, rgb: Rgb, other: Rgb, texture: str, jitter: Array) -> Paint:
    """A paint with `texture` of the `other` colour on it."""
    base = tint(rgb, jitter)
    if texture == "plain":
        return base
    ink = _TEXTURES[texture](f)[..., None]
    return Paint(base.colour * (1 - ink) + np.asarray(other, np.float32) * ink, base.lift)


def _striped(f: Frame) -> Array:
    return np.clip(np.sin(2 * np.pi * (f.v + 0.4 * f.u) / 0.58 + 0.5) * 4 + 0.3, 0, 1)


def _dotted(f: Frame) -> Array:
    pitch = 0.52
    v = f.v / pitch
    u = f.u / pitch + 0.5 * (np.floor(v) % 2)
    return np.clip((0.3 - np.hypot(u % 1 - 0.5, v % 1 - 0.5)) * pitch / f.pixel + 0.5, 0, 1)


def _checked(f: Frame) -> Array:
    return np.clip(np.sin(2 * np.pi * f.u / 0.84) * np.sin(2 * np.pi * f.v / 0.84) * 6 + 0.5, 0, 1)


_TEXTURES: dict[str, Callable[[Frame], Array]] = {"striped": _striped, "dotted": _dotted, "checked": _checked}
_SECOND = {"white": (110, 110, 120), "yellow": (150, 90, 20)}
"""What stripes, dots and checks are drawn in where near-white would not show."""


def second_colour(colour: str) -> Rgb:
    return _SECOND.get(colour, (250, 250, 245))


def sphere_light(x: Array, y: Array, ambient: float) -> tuple[Array, Array]:
    """Shade and cosine of the light on a unit sphere seen from the front."""
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    cosine = np.clip(x * LIGHT[0] + y * LIGHT[1] + z * LIGHT[2], 0, 1)
    return ambient + (1.14 - ambient) * cosine, cosine


def ellipse(f: Frame, centre: Point, radii: Point, turn: float = 0.0, ambient: float = 0.55) -> Surface:
    """A rounded ellipse, turned clockwise by `turn` radians."""
    du, dv = f.u - centre[0], f.v - centre[1]
    if turn != 0:
        c, s = np.cos(turn), np.sin(turn)
        du, dv = c * du + s * dv, c * dv - s * du
    x, y = du / radii[0], dv / radii[1]
    shade, _ = sphere_light(x, y, ambient)
    return Surface((np.sqrt(x * x + y * y) - 1) * min(radii), shade)


def dot(f: Frame, centre: Point, radii: Point) -> Surface:
    """An unshaded spot."""
    return Surface(ellipse(f, centre, radii).distance, 1.0)


def capsule(f: Frame, start: Point, end: Point, radii: Point, ambient: float = 0.55) -> Surface:
    """A limb from `start` to `end`, its radius running from the first of `radii` to the second."""
    eu, ev = end[0] - start[0], end[1] - start[1]
    t = np.clip(((f.u - start[0]) * eu + (f.v - start[1]) * ev) / (eu * eu + ev * ev), 0, 1)
    r = radii[0] + (radii[1] - radii[0]) * t
    x, y = (f.u - start[0] - t * eu) / r, (f.v - start[1] - t * ev) / r
    shade, _ = sphere_light(x, y, ambient)
    return Surface((np.sqrt(x * x + y * y) - 1) * r, shade)


def polygon(f: Frame, points: tuple[Point, ...], shade: float = 1.0) -> Surface:
    """A flat convex polygon, its corners in order."""
    middle = np.mean(points, axis=0)
    distance = None
    for (au, av), (bu, bv) in zip(points, points[1:] + points[:1], strict=True):
        length = float(np.hypot(bu - au, bv - av))
        nu, nv = (bv - av) / length, (au - bu) / length
        if (middle[0] - au) * nu + (middle[1] - av) * nv > 0:
            nu, nv = -nu, -nv
        edge = (f.u - au) * nu + (f.v - av) * nv
        distance = edge if distance is None else np.maximum(distance, edge)
    assert distance is not None, "a polygon has corners"
    return Surface(np.asarray(distance, np.float32), shade)


def box(f: Frame, low: Point, high: Point, corner: float = 0.0, shade: float = 1.0) -> Surface:
    """A flat axis-aligned rectangle with rounded corners."""
    du = np.abs(f.u - (low[0] + high[0]) / 2) - (high[0] - low[0]) / 2 + corner
    dv = np.abs(f.v - (low[1] + high[1]) / 2) - (high[1] - low[1]) / 2 + corner
    outside = np.hypot(np.maximum(du, 0), np.maximum(dv, 0))
    return Surface(outside + np.minimum(np.maximum(du, dv), 0) - corner, shade)


def union(*surfaces: Surface) -> Surface:
    """The nearest surface at every pixel."""
    distance, shade = surfaces[0].distance, np.asarray(surfaces[0].shade)
    for other in surfaces[1:]:
        nearer = other.distance < distance
        shade = np.where(nearer, other.shade, shade)
        distance = np.minimum(distance, other.distance)
    return Surface(distance, shade)


def clipped(surface: Surface, distance: Array) -> Surface:
    """The part of a surface where `distance` is negative."""
    return Surface(np.maximum(surface.distance, distance), surface.shade, surface.gloss)
