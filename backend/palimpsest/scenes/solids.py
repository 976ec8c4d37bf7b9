"""The eight solids, each one surface in its own coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from palimpsest.scenes.shapes import (
    LIGHT,
    Array,
    Frame,
    Layer,
    Surface,
    coverage,
    ellipse,
    pattern,
    polygon,
    second_colour,
    sphere_light,
    union,
)
from palimpsest.scenes.things import COLOURS, Solid


def _ball(f: Frame, pose: float) -> Surface:
    x, y = f.u, f.v + 1
    shade, cosine = sphere_light(x, y, 0.42)
    return Surface(np.sqrt(x * x + y * y) - 1, shade, 0.7 * cosine**30)


def _cube(f: Frame, pose: float) -> Surface:
    w, du, dv = 1.35, 0.45, 0.42
    left = -(w + du) / 2
    right = left + w
    front = polygon(f, ((left, -w), (right, -w), (right, 0.0), (left, 0.0)), 0.9)
    top = polygon(f, ((left, -w), (right, -w), (right + du, -w - dv), (left + du, -w - dv)), 1.15)
    flank = polygon(f, ((right, -w), (right + du, -w - dv), (right + du, -dv), (right, 0.0)), 0.55)
    return union(front, top, flank)


def _round_shade(q: Array) -> Array:
    """Light on an upright round wall at the fraction `q` of its half width."""
    return 0.5 + 0.62 * np.clip(np.sqrt(1 - q * q) * 0.75 - q * 0.5, 0, 1)


def _cone(f: Frame, pose: float) -> Surface:
    tip, foot, radius = -1.95, -0.2, 0.85
    sides = polygon(f, ((0.0, tip), (radius, foot), (-radius, foot)))
    rim = ellipse(f, (0.0, foot), (radius, 0.2))
    half = np.clip((f.v - tip) / (foot - tip), 0.05, 1.1) * radius
    return Surface(np.minimum(sides.distance, rim.distance), _round_shade(np.clip(f.u / half, -1, 1)))


def _drum(f: Frame, centre: float, radius: float, height: float, lid: float) -> Surface:
    """An upright cylinder whose top is lit by `lid`."""
    foot, top = -0.2, -height
    u = f.u - centre
    wall = np.maximum(np.abs(u) - radius, np.maximum(top - f.v, f.v - foot))
    rim = ellipse(f, (centre, top), (radius, 0.2)).distance
    under = ellipse(f, (centre, foot), (radius, 0.2)).distance
    cover = coverage(rim, f.pixel)
    shade = _round_shade(np.clip(u / radius, -1, 1)) * (1 - cover) + cover * lid
    return Surface(np.minimum(np.minimum(wall, under), rim), shade)


def _cylinder(f: Frame, pose: float) -> Surface:
    return _drum(f, 0.0, 0.62, 1.75, 1.2)


def _mug(f: Frame, pose: float) -> Surface:
    side = -1.0 if pose < 0 else 1.0
    centre, radius = -0.2 * side, 0.68
    cup = _drum(f, centre, radius, 1.3, 0.3)
    hu = (f.u - centre) * side - radius - 0.18
    handle = np.abs(np.hypot(hu, (f.v + 0.75) / 1.2) - 0.34) - 0.1
    handle = np.maximum(handle, radius * 0.9 - (f.u - centre) * side)
    return union(cup, Surface(handle, 0.75))


def _ring(f: Frame, pose: float) -> Surface:
    x, y = f.u, f.v + 1
    r = np.hypot(x, y)
    q = np.clip((r - 0.72) / 0.28, -1, 1)
    ru, rv = x / (r + 1e-3), y / (r + 1e-3)
    cosine = np.clip(q * ru * LIGHT[0] + q * rv * LIGHT[1] + np.sqrt(1 - q * q) * LIGHT[2], 0, 1)
    return Surface(np.abs(r - 0.72) - 0.28, 0.4 + 0.8 * cosine)


def _star(f: Frame, pose: float) -> Surface:
    tip, sector = 1.12, 2 * np.pi / 5
    u, v = f.u, f.v + tip * 0.84
    r = np.hypot(u, v)
    turned = (np.arctan2(u, -v) + 0.12 * pose + sector / 2) % sector - sector / 2
    a = np.abs(turned)
    iu, iv = 0.42 * tip * np.sin(sector / 2), 0.42 * tip * np.cos(sector / 2) - tip
    n = np.hypot(iu, iv)
    distance = (r * np.sin(a) * -iv + (r * np.cos(a) - tip) * iu) / n
    return Surface(distance, np.where(turned > 0, 0.72, 1.08))


def _pyramid(f: Frame, pose: float) -> Surface:
    tip, left, near, right = (-0.05, -1.75), (-0.95, -0.25), (0.2, 0.0), (0.95, -0.4)
    return union(polygon(f, (tip, left, near), 1.08), polygon(f, (tip, near, right), 0.55))


_SOLIDS: dict[str, Callable[[Frame, float], Surface]] = {
    "ball": _ball,
    "cube": _cube,
    "cone": _cone,
    "cylinder": _cylinder,
    "ring": _ring,
    "star": _star,
    "pyramid": _pyramid,
    "mug": _mug,
}
SHADOW_WIDTHS = {
    "ball": 1.0,
    "cube": 0.9,
    "cone": 0.85,
    "cylinder": 0.62,
    "ring": 0.8,
    "star": 0.7,
    "pyramid": 0.9,
    "mug": 0.68,
}


def paint_solid(solid: Solid, frame: Frame, pose: float, jitter: Array) -> Layer:
    """A solid in its colour and texture."""
    layer = Layer(frame)
    coat = pattern(frame, COLOURS[solid.colour], second_colour(solid.colour), solid.texture, jitter)
    layer.add(_SOLIDS[solid.shape](frame, pose), coat)
    return layer
