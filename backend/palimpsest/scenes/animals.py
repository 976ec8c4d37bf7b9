"""Animals: from the side, the head towards us."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from palimpsest.scenes.shapes import (
    DARK,
    WHITE,
    Array,
    Frame,
    Layer,
    Paint,
    Point,
    capsule,
    darker,
    dot,
    ellipse,
    flat,
    pattern,
    polygon,
    second_colour,
    tint,
    union,
)
from palimpsest.scenes.things import COLOURS, Animal


def paint_animal(animal: Animal, f: Frame, pose: float, jitter: Array) -> Layer:
    """An animal from the side, its head towards us; a negative `pose` faces left."""
    mirrored = Frame(f.u * (-1 if pose < 0 else 1), f.v, f.pixel, f.rows, f.columns)
    layer = Layer(mirrored)
    if animal.species == "tiger":
        coat = tiger_coat(mirrored, animal.colour, jitter)
    else:
        rgb = COLOURS[animal.colour]
        coat = pattern(mirrored, rgb, second_colour(animal.colour), animal.texture, jitter)
    _ANIMALS[animal.species](layer, coat, tint(COLOURS[animal.colour], jitter))
    return layer


def tiger_coat(f: Frame, colour: str, jitter: Array) -> Paint:
    """Black stripes that run down the flanks and around the head."""
    stripe = np.clip(np.sin(2 * np.pi * (f.u + 0.12 * np.sin(4 * f.v)) / 0.31) * 3 - 0.6, 0, 1)[..., None]
    base = tint(COLOURS[colour], jitter)
    dark = 236.0 if colour == "black" else 28.0
    return Paint(base.colour * (1 - stripe) + dark * stripe, base.lift)


def _paws(layer: Layer, coat: Paint, at: tuple[float, ...], radius: float, top: float = -0.55) -> None:
    """Four legs; the farther pair first and darker."""
    f = layer.frame
    for k, u in enumerate(at):
        paint = darker(coat) if k < 2 else coat
        layer.add(capsule(f, (u, top), (u + 0.02, -0.1 - 0.05 * (k < 2)), (radius * 1.15, radius)), paint)


def draw_eyes(layer: Layer, centre: Point, apart: float, iris: Paint) -> None:
    f = layer.frame
    for side in (-1, 1):
        at = (centre[0] + side * apart, centre[1])
        layer.add(dot(f, at, (0.085, 0.095)), iris)
        layer.add(dot(f, at, (0.042, 0.085)), DARK)


def _cat(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    layer.add(
        union(
            capsule(f, (-0.6, -0.75), (-0.98, -1.1), (0.11, 0.1)),
            capsule(f, (-0.98, -1.1), (-0.86, -1.55), (0.1, 0.085)),
        ),
        coat,
    )
    _paws(layer, coat, (-0.36, 0.3, -0.52, 0.14), 0.115)
    layer.add(ellipse(f, (-0.16, -0.74), (0.62, 0.34)), coat)
    for side in (-1, 1):
        _pointed_ear(layer, 0.46 + side * 0.26, side, plain)
    layer.add(ellipse(f, (0.46, -1.14), (0.44, 0.38), ambient=0.7), coat)
    draw_eyes(layer, (0.48, -1.19), 0.17, flat((150, 205, 70)))
    layer.add(ellipse(f, (0.48, -0.97), (0.17, 0.11), ambient=0.9), Paint(plain.colour * 0.35 + 165))
    layer.add(dot(f, (0.48, -1.03), (0.06, 0.042)), flat((225, 110, 120)))


def _pointed_ear(layer: Layer, u: float, side: int, coat: Paint) -> None:
    f = layer.frame
    tip = (u + side * 0.09, -1.78)
    layer.add(polygon(f, ((u - 0.19, -1.34), (u + 0.19, -1.34), tip), 0.95), coat)
    layer.add(polygon(f, ((u - 0.09, -1.36), (u + 0.1, -1.36), (tip[0], -1.66))), flat((235, 160, 160)))


def _dog(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    layer.add(capsule(f, (-0.66, -0.95), (-0.98, -1.42), (0.12, 0.06)), coat)
    _paws(layer, coat, (-0.4, 0.3, -0.56, 0.16), 0.13)
    layer.add(ellipse(f, (-0.2, -0.80), (0.6, 0.34)), coat)
    layer.add(capsule(f, (0.22, -0.9), (0.4, -1.2), (0.26, 0.24)), coat)
    layer.add(ellipse(f, (0.48, -1.34), (0.37, 0.33), ambient=0.7), coat)
    layer.add(ellipse(f, (0.86, -1.2), (0.32, 0.185), 0.1, ambient=0.7), coat)
    layer.add(dot(f, (1.12, -1.27), (0.105, 0.095)), DARK)
    layer.add(capsule(f, (0.8, -1.06), (1.06, -1.09), (0.022, 0.022)), darker(plain, 0.3))
    layer.add(dot(f, (0.64, -1.42), (0.09, 0.1)), WHITE)
    layer.add(dot(f, (0.665, -1.41), (0.058, 0.07)), DARK)
    layer.add(ellipse(f, (0.24, -1.22), (0.17, 0.38), 0.15), darker(plain, 0.62))


def _bird(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    orange = flat((240, 150, 40))
    for u in (-0.12, 0.16):
        layer.add(capsule(f, (u, -0.5), (u + 0.02, -0.06), (0.05, 0.05)), orange)
        layer.add(capsule(f, (u - 0.1, -0.05), (u + 0.2, -0.05), (0.045, 0.045)), orange)
    layer.add(polygon(f, ((-0.5, -1.08), (-1.18, -0.98), (-1.12, -0.72), (-0.42, -0.66))), darker(coat, 0.72))
    layer.add(polygon(f, ((0.68, -1.66), (0.66, -1.36), (1.14, -1.46)), 1.0), orange)
    layer.add(ellipse(f, (-0.02, -0.86), (0.68, 0.48), -0.35), coat)
    layer.add(ellipse(f, (0.44, -1.5), (0.36, 0.34), ambient=0.7), coat)
    layer.add(ellipse(f, (-0.22, -0.86), (0.46, 0.26), -0.2), darker(plain, 0.62))
    layer.add(dot(f, (0.55, -1.57), (0.1, 0.1)), WHITE)
    layer.add(dot(f, (0.57, -1.57), (0.06, 0.065)), DARK)


def _tiger(layer: Layer, coat: Paint, plain: Paint) -> None:
    f = layer.frame
    layer.add(
        union(
            capsule(f, (-0.7, -0.8), (-1.1, -0.95), (0.11, 0.1)),
            capsule(f, (-1.1, -0.95), (-1.16, -1.4), (0.1, 0.1)),
        ),
        coat,
    )
    layer.add(dot(f, (-1.16, -1.44), (0.11, 0.12)), DARK)
    _paws(layer, coat, (-0.46, 0.3, -0.64, 0.1), 0.15)
    layer.add(ellipse(f, (-0.2, -0.8), (0.74, 0.38)), coat)
    layer.add(ellipse(f, (0.4, -0.76), (0.22, 0.24), ambient=0.8), WHITE)
    for side in (-1, 1):
        layer.add(ellipse(f, (0.5 + side * 0.34, -1.56), (0.17, 0.17)), plain)
        layer.add(dot(f, (0.5 + side * 0.34, -1.55), (0.08, 0.08)), DARK)
    layer.add(ellipse(f, (0.5, -1.22), (0.5, 0.43), ambient=0.75), coat)
    for side in (-1, 1):
        layer.add(ellipse(f, (0.5 + side * 0.13, -1.02), (0.19, 0.15), ambient=0.85), WHITE)
    draw_eyes(layer, (0.5, -1.3), 0.19, flat((235, 225, 90)))
    layer.add(polygon(f, ((0.4, -1.14), (0.6, -1.14), (0.5, -1.03))), flat((60, 35, 40)))


_ANIMALS: dict[str, Callable[[Layer, Paint, Paint], None]] = {
    "cat": _cat,
    "dog": _dog,
    "bird": _bird,
    "tiger": _tiger,
}
