"""People, animals, the mirror and the held-out figures, each a handful of shaded parts, back to front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from palimpsest.demo.shapes import (
    Array,
    Frame,
    Layer,
    Paint,
    Point,
    Surface,
    box,
    capsule,
    clipped,
    coverage,
    ellipse,
    pattern,
    polygon,
    second_colour,
    tint,
    union,
)
from palimpsest.demo.things import COLOURS, HAIRS, SKINS, Animal, Figure, Person

_DARK = Paint(np.asarray((30, 28, 32), np.float32))
_WHITE = Paint(np.asarray((246, 246, 244), np.float32))
_STILL = np.zeros(3, np.float32)


def _flat(rgb: tuple[int, int, int]) -> Paint:
    return Paint(np.asarray(rgb, np.float32))


def _dot(f: Frame, centre: Point, radii: Point) -> Surface:
    return Surface(ellipse(f, centre, radii).distance, 1.0)


# --- people ---------------------------------------------------------------------------------------------


def paint_person(person: Person, f: Frame, pose: float, jitter: Array) -> Layer:
    """Someone standing, seen from the front; `pose` swings the arms and sets the feet apart."""
    layer = Layer(f)
    skin, hair = tint(SKINS[person.skin], _STILL), tint(HAIRS[person.hair], _STILL)
    shirt, trousers = tint(COLOURS[person.shirt], jitter), tint(COLOURS[person.trousers], jitter)
    if person.kind == "woman":
        layer.add(union(ellipse(f, (0, -1.66), (0.37, 0.34)), box(f, (-0.36, -1.66), (0.36, -1.22), 0.12, 0.8)), hair)
    _legs(layer, trousers, 0.04 * pose)
    _arms(layer, shirt, skin, pose)
    _torso(layer, shirt, skin)
    _face(layer, skin, hair, person.kind)
    return layer


def _legs(layer: Layer, trousers: Paint, stride: float) -> None:
    f = layer.frame
    for side in (-1, 1):
        foot = side * 0.24 + stride
        layer.add(ellipse(f, (foot + side * 0.05, -0.06), (0.19, 0.09)), _DARK)
        layer.add(capsule(f, (side * 0.17, -0.86), (foot, -0.17), (0.18, 0.14)), trousers)
    layer.add(ellipse(f, (0, -0.84), (0.34, 0.16)), trousers)


def _arms(layer: Layer, shirt: Paint, skin: Paint, pose: float) -> None:
    f = layer.frame
    for side in (-1, 1):
        hand = (side * (0.56 + 0.08 * side * pose), -0.80 - 0.08 * side * pose)
        layer.add(ellipse(f, hand, (0.115, 0.125)), skin)
        layer.add(capsule(f, (side * 0.33, -1.27), (hand[0] * 0.97, hand[1] - 0.13), (0.13, 0.12)), shirt)


def _torso(layer: Layer, shirt: Paint, skin: Paint) -> None:
    f = layer.frame
    layer.add(capsule(f, (0, -1.55), (0, -1.36), (0.1, 0.1)), skin)
    layer.add(union(box(f, (-0.37, -1.40), (0.37, -0.84), 0.13, 0.96)), _shaded_across(f, shirt, 0.42))
    layer.add(_dot(f, (0, -1.41), (0.12, 0.07)), skin)


def _shaded_across(f: Frame, paint: Paint, half: float) -> Paint:
    """A flat cloth made round: lighter on the left, darker on the right."""
    q = np.clip(f.u / half, -1, 1)
    light = (1.06 - 0.2 * np.clip(q, 0, 1) ** 2 - 0.12 * q)[..., None]
    return Paint(np.broadcast_to(paint.colour * light, (*f.shape, 3)).astype(np.float32), paint.lift)


def _face(layer: Layer, skin: Paint, hair: Paint, kind: str) -> None:
    f = layer.frame
    middle = -1.70
    layer.add(ellipse(f, (0, middle), (0.265, 0.285), ambient=0.8), skin)
    fringe = f.v - (middle - 0.10) - (0.9 if kind == "woman" else 0.35) * f.u**2
    layer.add(clipped(ellipse(f, (0, middle - 0.03), (0.295, 0.29)), fringe), hair)
    for side in (-1, 1):
        layer.add(_dot(f, (side * 0.105, middle + 0.03), (0.04, 0.05)), _DARK)
    layer.add(_dot(f, (0, middle + 0.165), (0.085, 0.025)), _flat((176, 70, 70)))


# --- animals --------------------------------------------------------------------------------------------


def paint_animal(animal: Animal, f: Frame, pose: float, jitter: Array) -> Layer:
    """An animal from the side, its head towards us; a negative `pose` faces left."""
    mirrored = Frame(f.u * (-1 if pose < 0 else 1), f.v, f.pixel, f.rows, f.columns)
    layer = Layer(mirrored)
    if animal.species == "tiger":
        coat = _tiger_coat(mirrored, animal.colour, jitter)
    else:
        rgb = COLOURS[animal.colour]
        coat = pattern(mirrored, rgb, second_colour(animal.colour), animal.texture, jitter)
    _ANIMALS[animal.species](layer, coat, tint(COLOURS[animal.colour], jitter))
    return layer


def _tiger_coat(f: Frame, colour: str, jitter: Array) -> Paint:
    """Black stripes that run down the flanks and around the head."""
    stripe = np.clip(np.sin(2 * np.pi * (f.u + 0.12 * np.sin(4 * f.v)) / 0.31) * 3 - 0.6, 0, 1)[..., None]
    base = tint(COLOURS[colour], jitter)
    dark = 236.0 if colour == "black" else 28.0
    return Paint(base.colour * (1 - stripe) + dark * stripe, base.lift)


def _darker(paint: Paint, by: float = 0.7) -> Paint:
    return Paint(paint.colour * np.float32(by), paint.lift)


def _paws(layer: Layer, coat: Paint, at: tuple[float, ...], radius: float, top: float = -0.55) -> None:
    """Four legs; the farther pair first and darker."""
    f = layer.frame
    for k, u in enumerate(at):
        paint = _darker(coat) if k < 2 else coat
        layer.add(capsule(f, (u, top), (u + 0.02, -0.1 - 0.05 * (k < 2)), (radius * 1.15, radius)), paint)


def _eyes(layer: Layer, centre: Point, apart: float, iris: Paint) -> None:
    f = layer.frame
    for side in (-1, 1):
        at = (centre[0] + side * apart, centre[1])
        layer.add(_dot(f, at, (0.085, 0.095)), iris)
        layer.add(_dot(f, at, (0.042, 0.085)), _DARK)


def _cat(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    layer.add(union(capsule(f, (-0.6, -0.75), (-0.98, -1.1), (0.11, 0.1)),
                    capsule(f, (-0.98, -1.1), (-0.86, -1.55), (0.1, 0.085))), coat)
    _paws(layer, coat, (-0.36, 0.3, -0.52, 0.14), 0.115)
    layer.add(ellipse(f, (-0.16, -0.74), (0.62, 0.34)), coat)
    for side in (-1, 1):
        _pointed_ear(layer, 0.46 + side * 0.26, side, plain)
    layer.add(ellipse(f, (0.46, -1.14), (0.44, 0.38), ambient=0.7), coat)
    _eyes(layer, (0.48, -1.19), 0.17, _flat((150, 205, 70)))
    layer.add(ellipse(f, (0.48, -0.97), (0.17, 0.11), ambient=0.9), Paint(plain.colour * 0.35 + 165))
    layer.add(_dot(f, (0.48, -1.03), (0.06, 0.042)), _flat((225, 110, 120)))


def _pointed_ear(layer: Layer, u: float, side: int, coat: Paint) -> None:
    f = layer.frame
    tip = (u + side * 0.09, -1.78)
    layer.add(polygon(f, ((u - 0.19, -1.34), (u + 0.19, -1.34), tip), 0.95), coat)
    layer.add(polygon(f, ((u - 0.09, -1.36), (u + 0.1, -1.36), (tip[0], -1.66))), _flat((235, 160, 160)))


def _dog(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    layer.add(capsule(f, (-0.66, -0.95), (-0.98, -1.42), (0.12, 0.06)), coat)
    _paws(layer, coat, (-0.4, 0.3, -0.56, 0.16), 0.13)
    layer.add(ellipse(f, (-0.2, -0.80), (0.6, 0.34)), coat)
    layer.add(capsule(f, (0.22, -0.9), (0.4, -1.2), (0.26, 0.24)), coat)
    layer.add(ellipse(f, (0.48, -1.34), (0.37, 0.33), ambient=0.7), coat)
    layer.add(ellipse(f, (0.86, -1.2), (0.32, 0.185), 0.1, ambient=0.7), coat)
    layer.add(_dot(f, (1.12, -1.27), (0.105, 0.095)), _DARK)
    layer.add(capsule(f, (0.8, -1.06), (1.06, -1.09), (0.022, 0.022)), _darker(plain, 0.3))
    layer.add(_dot(f, (0.64, -1.42), (0.09, 0.1)), _WHITE)
    layer.add(_dot(f, (0.665, -1.41), (0.058, 0.07)), _DARK)
    layer.add(ellipse(f, (0.24, -1.22), (0.17, 0.38), 0.15), _darker(plain, 0.62))


def _bird(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    orange = _flat((240, 150, 40))
    for u in (-0.12, 0.16):
        layer.add(capsule(f, (u, -0.5), (u + 0.02, -0.06), (0.05, 0.05)), orange)
        layer.add(capsule(f, (u - 0.1, -0.05), (u + 0.2, -0.05), (0.045, 0.045)), orange)
    layer.add(polygon(f, ((-0.5, -1.08), (-1.18, -0.98), (-1.12, -0.72), (-0.42, -0.66))), _darker(coat, 0.72))
    layer.add(polygon(f, ((0.68, -1.66), (0.66, -1.36), (1.14, -1.46)), 1.0), orange)
    layer.add(ellipse(f, (-0.02, -0.86), (0.68, 0.48), -0.35), coat)
    layer.add(ellipse(f, (0.44, -1.5), (0.36, 0.34), ambient=0.7), coat)
    layer.add(ellipse(f, (-0.22, -0.86), (0.46, 0.26), -0.2), _darker(plain, 0.62))
    layer.add(_dot(f, (0.55, -1.57), (0.1, 0.1)), _WHITE)
    layer.add(_dot(f, (0.57, -1.57), (0.06, 0.065)), _DARK)


def _tiger(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    layer.add(union(capsule(f, (-0.7, -0.8), (-1.1, -0.95), (0.11, 0.1)),
                    capsule(f, (-1.1, -0.95), (-1.16, -1.4), (0.1, 0.1))), coat)
    layer.add(_dot(f, (-1.16, -1.44), (0.11, 0.12)), _DARK)
    _paws(layer, coat, (-0.46, 0.3, -0.64, 0.1), 0.15)
    layer.add(ellipse(f, (-0.2, -0.8), (0.74, 0.38)), coat)
    layer.add(ellipse(f, (0.4, -0.76), (0.22, 0.24), ambient=0.8), _WHITE)
    for side in (-1, 1):
        layer.add(ellipse(f, (0.5 + side * 0.34, -1.56), (0.17, 0.17)), plain)
        layer.add(_dot(f, (0.5 + side * 0.34, -1.55), (0.08, 0.08)), _DARK)
    layer.add(ellipse(f, (0.5, -1.22), (0.5, 0.43), ambient=0.75), coat)
    for side in (-1, 1):
        layer.add(ellipse(f, (0.5 + side * 0.13, -1.02), (0.19, 0.15), ambient=0.85), _WHITE)
    _eyes(layer, (0.5, -1.3), 0.19, _flat((235, 225, 90)))
    layer.add(polygon(f, ((0.4, -1.14), (0.6, -1.14), (0.5, -1.03))), _flat((60, 35, 40)))


_ANIMALS: dict[str, Callable[[Layer, Paint, Paint], None]] = {"cat": _cat, "dog": _dog, "bird": _bird, "tiger": _tiger}


# --- the mirror -----------------------------------------------------------------------------------------

_GILT = np.asarray((170, 120, 56), np.float32)
_GLASS = np.asarray((206, 222, 230), np.float32)
_PALENESS = 0.5


@dataclass(frozen=True)
class Glass:
    """Where a mirror's pane is, so that a reflection can be laid into it."""

    layer: Layer
    pane: Array


def paint_mirror(f: Frame) -> Glass:
    """A gilt frame on two feet around an empty pane."""
    layer = Layer(f)
    for side in (-1, 1):
        layer.add(capsule(f, (side * 0.5, -0.12), (side * 0.66, -0.05), (0.08, 0.07)), Paint(_GILT * 0.8))
    layer.add(box(f, (-0.7, -2.05), (0.7, -0.08), 0.16), Paint(_GILT))
    layer.add(box(f, (-0.62, -1.97), (0.62, -0.16), 0.1), Paint(_GILT * 0.72))
    pane = box(f, (-0.56, -1.91), (0.56, -0.22), 0.07)
    shine = np.clip(1 - np.abs(f.u + 0.6 * f.v + 0.75) * 5, 0, 1)[..., None] * 26
    layer.add(pane, Paint(np.clip(_GLASS + 14 * f.v[..., None] + 14 + shine, 0, 255)))
    return Glass(layer, coverage(pane.distance, f.pixel))


def reflect(glass: Glass, image: Layer) -> Layer:
    """The mirror with the pale `image` (painted over the same window) in its pane."""
    a = (image.alpha * glass.pane * (1 - _PALENESS))[..., None]
    whole = np.maximum(image.alpha, 1e-6)[..., None]
    glass.layer.rgb += a * (image.rgb / whole - glass.layer.rgb)
    return glass.layer


# --- figures held out of training -----------------------------------------------------------------------


def paint_figure(figure: Figure, f: Frame, pose: float, jitter: Array) -> Layer:
    """A figure of four to seven parts that training never shows."""
    layer = Layer(f)
    _FIGURES[figure.kind](layer, pose, jitter)
    return layer


def _robot(layer: Layer, pose: float, jitter: Array) -> None:
    f = layer.frame
    body, metal = tint((60, 185, 175), jitter), tint((245, 200, 60), jitter)
    for side in (-1, 1):
        layer.add(box(f, (side * 0.3 - 0.16, -0.4), (side * 0.3 + 0.16, 0), 0.05, 0.8), metal)
        layer.add(capsule(f, (side * 0.6, -0.95), (side * 0.86, -0.62 - 0.3 * side * pose), (0.11, 0.13)), metal)
    layer.add(box(f, (-0.58, -1.16), (0.58, -0.34), 0.1), _shaded_across(f, body, 0.7))
    layer.add(_dot(f, (0, -0.74), (0.22, 0.22)), _flat((215, 50, 50)))
    layer.add(capsule(f, (0, -1.9), (0.1 * pose, -2.12), (0.035, 0.035)), metal)
    layer.add(box(f, (-0.42, -1.9), (0.42, -1.22), 0.16), _shaded_across(f, metal, 0.5))
    for side in (-1, 1):
        layer.add(_dot(f, (side * 0.18, -1.6), (0.11, 0.13)), _DARK)


def _tiger_doll(layer: Layer, pose: float, jitter: Array) -> None:
    """A sitting striped doll in a blue waistcoat."""
    f = layer.frame
    coat, plain = _tiger_coat(f, "orange", jitter), tint(COLOURS["orange"], jitter)
    for side in (-1, 1):
        layer.add(ellipse(f, (side * 0.52, -0.2), (0.3, 0.19), -side * 0.2), plain)
        layer.add(capsule(f, (side * 0.34, -1.0), (side * 0.66, -0.7 - 0.2 * side * pose), (0.16, 0.15)), coat)
    layer.add(ellipse(f, (0, -0.62), (0.5, 0.56)), tint((50, 90, 190), jitter))
    layer.add(ellipse(f, (0, -0.6), (0.24, 0.42), ambient=0.8), _flat((250, 232, 200)))
    for side in (-1, 1):
        layer.add(ellipse(f, (side * 0.42, -1.84), (0.18, 0.18)), plain)
    layer.add(ellipse(f, (0.05 * pose, -1.5), (0.56, 0.46), ambient=0.7), coat)
    layer.add(ellipse(f, (0.05 * pose, -1.34), (0.3, 0.2), ambient=0.85), _WHITE)
    _eyes(layer, (0.05 * pose, -1.6), 0.2, _WHITE)
    layer.add(_dot(f, (0.05 * pose, -1.42), (0.09, 0.06)), _flat((70, 40, 45)))


def _friend(layer: Layer, pose: float, jitter: Array) -> None:
    """Someone in particular: dark skin, green hat, round glasses, yellow scarf."""
    someone = paint_person(Person("dark", "black", "pink", "green"), layer.frame, pose, jitter)
    layer.rgb, layer.alpha = someone.rgb, someone.alpha
    f = layer.frame
    layer.add(union(capsule(f, (-0.22, -1.38), (0.22, -1.36), (0.1, 0.1)),
                    capsule(f, (0.2, -1.32), (0.24, -0.96), (0.09, 0.08))), _flat((245, 215, 60)))
    for side in (-1, 1):
        rim = Surface(np.abs(np.hypot(f.u - side * 0.115, f.v + 1.67) - 0.1) - 0.028, 1.0)
        layer.add(rim, _WHITE)
    layer.add(capsule(f, (-0.4, -1.86), (0.4, -1.86), (0.06, 0.06)), _flat((34, 110, 60)))
    layer.add(box(f, (-0.25, -2.2), (0.25, -1.86), 0.08), _flat((40, 140, 74)))


def _teapot(layer: Layer, pose: float, jitter: Array) -> None:
    f = layer.frame
    side = -1 if pose < 0 else 1
    glaze, trim = tint((236, 226, 206), jitter), tint((56, 84, 168), jitter)
    handle = np.abs(np.hypot((f.u + 0.76 * side), (f.v + 0.74) / 1.15) - 0.32) - 0.08
    layer.add(Surface(handle, 0.8), trim)
    layer.add(capsule(f, (0.5 * side, -0.55), (1.12 * side, -1.1), (0.2, 0.09)), glaze)
    layer.add(ellipse(f, (0, -0.68), (0.78, 0.66), ambient=0.5), glaze)
    layer.add(clipped(ellipse(f, (0, -0.68), (0.785, 0.665)), np.abs(f.v + 0.62) - 0.12), trim)
    layer.add(ellipse(f, (0, -1.28), (0.4, 0.13)), trim)
    layer.add(ellipse(f, (0, -1.46), (0.12, 0.12)), trim)


def _owl(layer: Layer, pose: float, jitter: Array) -> None:
    f = layer.frame
    down, belly = tint((128, 78, 150), jitter), tint((226, 200, 232), jitter)
    for side in (-1, 1):
        layer.add(ellipse(f, (side * 0.2, -0.06), (0.17, 0.08)), _flat((240, 160, 40)))
        layer.add(polygon(f, ((side * 0.12, -1.72), (side * 0.56, -1.62), (side * 0.52, -2.06))), down)
    layer.add(ellipse(f, (0, -0.9), (0.66, 0.88)), down)
    layer.add(ellipse(f, (0, -0.6), (0.42, 0.5), ambient=0.75), belly)
    for side in (-1, 1):
        layer.add(ellipse(f, (side * 0.6, -0.78), (0.17, 0.5), -side * (0.1 + 0.25 * abs(pose))), _darker(down, 0.7))
        layer.add(_dot(f, (side * 0.26, -1.4), (0.25, 0.25)), _flat((250, 240, 190)))
        layer.add(_dot(f, (side * 0.24 + 0.04 * pose, -1.4), (0.12, 0.13)), _DARK)
    layer.add(polygon(f, ((-0.1, -1.26), (0.1, -1.26), (0.0, -1.04))), _flat((240, 160, 40)))


_FIGURES: dict[str, Callable[[Layer, float, Array], None]] = {
    "robot": _robot,
    "tiger doll": _tiger_doll,
    "friend": _friend,
    "teapot": _teapot,
    "owl": _owl,
}
