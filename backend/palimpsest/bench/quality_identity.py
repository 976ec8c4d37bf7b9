"""Is it this very thing? A second measure of identity, which shares nothing with the judge or the model.

The scenes are drawn by a program, so the thing can be drawn as the result might show it: in many poses, at
several sizes, a little to each side. The distance is that to the nearest of these true views, over the
thing's body and a seam around it, so that a copy that lacks a part or has one too many is far from all of
them. What is compared is the mean colour and the spread of colours around each point: where exactly a stripe
runs doesn't matter, whether there are stripes does. Of a thing that hardly stands out from its ground a small
distance says little, and counts for more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.pictures import Picture
from palimpsest.scenes.edits import remove as without
from palimpsest.scenes.rendering import render
from palimpsest.scenes.things import Placed, Scene
from palimpsest.scenes.truth import Box, box_of

Features = NDArray[np.float64]

ROUGH_POSES = (-0.6, 0.6)  # a pose's sign is the side that a thing faces
POSES = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
SCALES = (0.72, 0.84, 0.96, 1.08, 1.2)
FINE_SCALES = (0.94, 1.0, 1.06)
SHIFTS = (-0.07, -0.035, 0.0, 0.035, 0.07)  # in sides of the picture
FINE_SHIFTS = (-0.02, 0.0, 0.02)
WINDOW = 1 / 16  # side of the square around a point, in sides of the picture
SEAM = 1 / 24  # width of what is compared around the body
SPREAD = 1.5  # weight of a difference in spread against one in mean colour
STANDS_OUT = 0.15  # the least distance to its bare ground of a thing that stands out
LARGEST = 0.09
"""The largest distance at which it is still this thing, chosen on development scenes (docs/quality.md)."""


@dataclass(frozen=True)
class Nearest:
    """The true view that is nearest to a picture."""

    distance: float  # root mean square, in units of the colours' range; 0 = this very view
    place: Placed


def distance(picture: Picture, scene: Scene, i: int, place: Placed | None = None) -> float:
    """Of what ``picture`` shows of thing ``i`` of ``scene`` to the nearest of its true views.

    ``place``: where it stands, if not where ``scene`` has it. Size and place are looked for first, then pose.
    """
    begin = replace(scene.placed[i] if place is None else place, thing=scene.placed[i].thing)
    bare = features(render(without(scene, i), len(picture), masks=False).image)

    seen = features(picture)

    def best(places: list[Placed], shifts: tuple[float, ...]) -> Nearest:
        found = [_nearest(seen, bare, scene, i, one, shifts) for one in places]
        return min(found, key=lambda nearest: nearest.distance)

    sizes = [replace(begin, size=begin.size * scale, pose=p) for scale in SCALES for p in ROUGH_POSES]
    rough = best(sizes, SHIFTS).place
    posed = best([replace(rough, pose=pose) for pose in POSES], FINE_SHIFTS).place
    sized = [replace(posed, size=posed.size * scale) for scale in FINE_SCALES]
    return round(best(sized, FINE_SHIFTS).distance, 4)


def _nearest(
    seen: Features, bare: Features, scene: Scene, i: int, place: Placed, shifts: tuple[float, ...]
) -> Nearest:
    """The view with thing ``i`` at ``place``, moved by the best of ``shifts`` across and down.

    ``seen``, ``bare``: the features of the picture, and of the scene without the thing.
    """
    side = len(seen)
    placed = (*scene.placed[:i], place, *scene.placed[i + 1 :])
    shown = render(replace(scene, placed=placed), side, masks=False)
    if not shown.bodies[i].any():
        return Nearest(float("inf"), place)
    weight, view = weights(shown.bodies[i]), features(shown.image)
    left, top, right, bottom = box_of(weight > 0)
    weight, view = weight[top:bottom, left:right], view[top:bottom, left:right]
    contrast = _gap(bare[top:bottom, left:right], view, weight)
    faint = max(1.0, STANDS_OUT / max(contrast, 1e-6))
    found = []
    for dx, dy in product([round(shift * side) for shift in shifts], repeat=2):
        rows = np.clip(np.arange(top, bottom) + dy, 0, side - 1)
        columns = np.clip(np.arange(left, right) + dx, 0, side - 1)
        gap = faint * _gap(seen[np.ix_(rows, columns)], view, weight)
        moved = replace(place, x=place.x + dx / side, y=place.y + dy / side)
        found.append(Nearest(gap, moved))
    return min(found, key=lambda nearest: nearest.distance)


def _gap(a: Features, b: Features, weight: Features) -> float:
    return float((((a - b) ** 2).mean(-1) * weight).sum()) ** 0.5


def features(picture: Picture) -> Features:
    """(height, width, 6): mean and spread of each colour in the window around each pixel, in [0, 1]."""
    pixels = picture.astype(np.float64) / 255
    mean = blurred(pixels)
    spread = np.sqrt(np.maximum(blurred(pixels**2) - mean**2, 0))
    return np.concatenate([mean, SPREAD * spread], -1)


def blurred(values: Features) -> Features:
    """The mean over the window around each point; beyond the border its edge is repeated."""
    reach = round(len(values) * WINDOW) // 2
    span = 2 * reach + 1
    for axis in (0, 1):
        width = [(reach + 1, reach) if a == axis else (0, 0) for a in range(values.ndim)]
        sums = np.cumsum(np.pad(values, width, mode="edge"), axis)
        ends = np.take(sums, np.arange(span, sums.shape[axis]), axis)
        values = (ends - np.take(sums, np.arange(sums.shape[axis] - span), axis)) / span
    return values


def weights(body: NDArray[np.bool_]) -> Features:
    """1 on the body, falling off in the seam around it; scaled to sum to 1."""
    reach = round(len(body) * SEAM)
    soft = body.astype(np.float64)
    for step in range(1, reach + 1):
        near = np.zeros_like(body)
        for dy, dx in ((step, 0), (-step, 0), (0, step), (0, -step)):
            near |= np.roll(body, (dy, dx), (0, 1))
        soft = np.maximum(soft, np.where(near, 1 - step / (reach + 1), 0))
    return soft / soft.sum()


def place_at(box: Box, like: Placed, body: NDArray[np.bool_]) -> Placed:
    """``like``, whose body is ``body``, moved and scaled so that it fills ``box``."""
    left, top, right, bottom = box_of(body)
    side = len(body)
    dx, dy = (box[0] + box[2] - left - right) / 2 / side, (box[3] - bottom) / side
    return replace(like, x=like.x + dx, y=like.y + dy, size=like.size * (box[3] - box[1]) / (bottom - top))
