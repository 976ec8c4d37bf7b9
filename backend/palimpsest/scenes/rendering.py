"""From a scene to pixels, and to the masks that say which pixels are whose.

`masks[i]` is by definition where the picture differs from the picture of the scene without thing `i`: body,
shadow, what the body hides, its image in a mirror, and in styles whatever the filter spreads around it.
`bodies[i]` is the visible part of the thing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from palimpsest.scenes.animals import paint_animal
from palimpsest.scenes.figures import paint_figure
from palimpsest.scenes.grounds import paint_ground
from palimpsest.scenes.mirrors import paint_mirror, reflect
from palimpsest.scenes.people import paint_person
from palimpsest.scenes.shapes import Array, Frame, Layer, frame_around, frame_over
from palimpsest.scenes.solids import SHADOW_WIDTHS, paint_solid
from palimpsest.scenes.styles import in_style
from palimpsest.scenes.things import Animal, Figure, Mirror, Person, Placed, Scene, Solid, Thing

_GROUND, _LIGHT, _STYLE, _JITTER = 11, 12, 13, 14
"""Separate random streams, so that no draw shifts another."""


@dataclass(frozen=True)
class Rendering:
    """A picture and its truth. `masks` is empty, `(0, side, side)`, where it was not asked for."""

    image: NDArray[np.uint8]  # (side, side, 3)
    masks: NDArray[np.bool_]  # (things, side, side)
    bodies: NDArray[np.bool_]  # (things, side, side)


def render(scene: Scene, size: int = 128, masks: bool = True) -> Rendering:
    """Draw `scene` at `size` × `size` pixels. Without `masks` all is laid down and styled only once."""
    ground = paint_ground(scene.ground, size, _stream(scene.seed, _GROUND))
    layers = {i: _paint(scene, i, size, None) for i in range(len(scene.placed))}
    finish = partial(_finish, scene)
    image = finish(_compose(scene, size, ground, layers))
    changed = np.zeros((0, size, size), np.bool_)
    if masks:
        absent = [finish(_compose(scene, size, ground, _without(scene, i, size, layers))) for i in layers]
        changed = np.asarray([(image != other).any(-1) for other in absent], np.bool_).reshape(-1, size, size)
    return Rendering(image, changed, _bodies(scene, size, layers))


def _stream(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, purpose])


def _far_to_near(scene: Scene) -> list[int]:
    return sorted(range(len(scene.placed)), key=lambda i: (scene.placed[i].y, i))


def _paint(scene: Scene, i: int, size: int, absent: int | None) -> Layer:
    """Thing `i` alone; a mirror needs to know which of the others is `absent`."""
    placed = scene.placed[i]
    frame = frame_around(placed, size)
    if not isinstance(placed.thing, Mirror):
        return _paint_thing(placed, frame)
    glass = paint_mirror(frame)
    seen = _nearest(scene, i, absent)
    return glass.layer if seen is None else reflect(glass, _reflection(placed, seen, frame, size))


def _paint_thing(placed: Placed, frame: Frame) -> Layer:
    jitter = _stream(placed.seed, _JITTER).uniform(-9, 9, 3).astype(np.float32)
    match placed.thing:
        case Solid() as solid:
            return paint_solid(solid, frame, placed.pose, jitter)
        case Person() as person:
            return paint_person(person, frame, placed.pose, jitter)
        case Animal() as animal:
            return paint_animal(animal, frame, placed.pose, jitter)
        case Figure() as figure:
            return paint_figure(figure, frame, placed.pose, jitter)
        case Mirror():
            raise AssertionError("a mirror is painted with what it reflects")


def _nearest(scene: Scene, mirror: int, absent: int | None) -> Placed | None:
    """What the mirror shows: the closest other thing that is not itself a mirror."""
    here = scene.placed[mirror]
    others = [
        p for j, p in enumerate(scene.placed) if j not in (mirror, absent) and not isinstance(p.thing, Mirror)
    ]
    return min(others, key=lambda p: (p.x - here.x) ** 2 + (p.y - here.y) ** 2, default=None)


def _reflection(mirror: Placed, seen: Placed, frame: Frame, size: int) -> Layer:
    """The mirrored, smaller image of `seen`, shifted towards its side of the pane."""
    scale = min(0.8, 0.72 * mirror.size / seen.size)
    shift = float(np.clip(0.3 * (seen.x - mirror.x), -0.1 * mirror.size, 0.1 * mirror.size))
    image = replace(seen, x=mirror.x + shift, y=mirror.y - 0.16 * mirror.size, size=seen.size * scale)
    window = frame_over(image, size, frame.rows, frame.columns)
    return _paint_thing(image, replace(window, u=-window.u))


def _without(scene: Scene, absent: int, size: int, layers: dict[int, Layer]) -> dict[int, Layer]:
    """The layers of the scene without one thing: only mirrors may look different."""
    return {
        i: _paint(scene, i, size, absent) if isinstance(scene.placed[i].thing, Mirror) else layer
        for i, layer in layers.items()
        if i != absent
    }


def _compose(scene: Scene, size: int, ground: Array, layers: dict[int, Layer]) -> Array:
    """Shadows and layers over the ground, far to near."""
    picture = ground.copy()
    for i in _far_to_near(scene):
        if i not in layers:
            continue
        layer = layers[i]
        window = picture[layer.frame.rows, layer.frame.columns]
        window *= 1 - 0.5 * _shadow(scene.placed[i].thing, layer.frame)[..., None]
        window *= 1 - layer.alpha[..., None]
        window += layer.rgb
    return picture


def _shadow(thing: Thing, f: Frame) -> Array:
    """A soft contact shadow falling to the right."""
    width = SHADOW_WIDTHS[thing.shape] if isinstance(thing, Solid) else 0.72
    away = ((f.u - 0.3) / (1.2 * width)) ** 2 + ((f.v + 0.06) / 0.25) ** 2
    return np.clip(1.25 - away, 0, 1)


def _finish(scene: Scene, picture: Array) -> NDArray[np.uint8]:
    """Light, style and rounding."""
    rng = _stream(scene.seed, _LIGHT)
    light = (rng.uniform(0.93, 1.05) + rng.uniform(-0.02, 0.02, 3)).astype(np.float32)
    styled = in_style(np.clip(picture * light, 0, 255), scene.style, _stream(scene.seed, _STYLE))
    return np.clip(styled + 0.5, 0, 255).astype(np.uint8)


def _bodies(scene: Scene, size: int, layers: dict[int, Layer]) -> NDArray[np.bool_]:
    """Visible bodies: a nearer thing hides a farther one."""
    bodies = np.zeros((len(scene.placed), size, size), np.bool_)
    for i in _far_to_near(scene):
        rows, columns = layers[i].frame.rows, layers[i].frame.columns
        opaque = layers[i].alpha >= 0.5
        bodies[:, rows, columns] &= ~opaque
        bodies[i, rows, columns] = opaque
    return bodies
