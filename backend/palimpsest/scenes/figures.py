"""The figures held out of training: subjects of four to seven parts that only their own views show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from palimpsest.scenes.animals import draw_eyes, tiger_coat
from palimpsest.scenes.people import paint_person
from palimpsest.scenes.shapes import (
    DARK,
    WHITE,
    Array,
    Frame,
    Layer,
    Surface,
    box,
    capsule,
    clipped,
    darker,
    dot,
    ellipse,
    flat,
    polygon,
    shaded_across,
    tint,
    union,
)
from palimpsest.scenes.things import COLOURS, Figure, Person


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
        hand = (side * 0.86, -0.62 - 0.3 * side * pose)
        layer.add(capsule(f, (side * 0.6, -0.95), hand, (0.11, 0.13)), metal)
    layer.add(box(f, (-0.58, -1.16), (0.58, -0.34), 0.1), shaded_across(f, body, 0.7))
    layer.add(dot(f, (0, -0.74), (0.22, 0.22)), flat((215, 50, 50)))
    layer.add(capsule(f, (0, -1.9), (0.1 * pose, -2.12), (0.035, 0.035)), metal)
    layer.add(box(f, (-0.42, -1.9), (0.42, -1.22), 0.16), shaded_across(f, metal, 0.5))
    for side in (-1, 1):
        layer.add(dot(f, (side * 0.18, -1.6), (0.11, 0.13)), DARK)


def _tiger_doll(layer: Layer, pose: float, jitter: Array) -> None:
    """A sitting striped doll in a blue waistcoat."""
    f = layer.frame
    coat, plain = tiger_coat(f, "orange", jitter), tint(COLOURS["orange"], jitter)
    for side in (-1, 1):
        layer.add(ellipse(f, (side * 0.52, -0.2), (0.3, 0.19), -side * 0.2), plain)
        hand = (side * 0.66, -0.7 - 0.2 * side * pose)
        layer.add(capsule(f, (side * 0.34, -1.0), hand, (0.16, 0.15)), coat)
    layer.add(ellipse(f, (0, -0.62), (0.5, 0.56)), tint((50, 90, 190), jitter))
    layer.add(ellipse(f, (0, -0.6), (0.24, 0.42), ambient=0.8), flat((250, 232, 200)))
    for side in (-1, 1):
        layer.add(ellipse(f, (side * 0.42, -1.84), (0.18, 0.18)), plain)
    layer.add(ellipse(f, (0.05 * pose, -1.5), (0.56, 0.46), ambient=0.7), coat)
    layer.add(ellipse(f, (0.05 * pose, -1.34), (0.3, 0.2), ambient=0.85), WHITE)
    draw_eyes(layer, (0.05 * pose, -1.6), 0.2, WHITE)
    layer.add(dot(f, (0.05 * pose, -1.42), (0.09, 0.06)), flat((70, 40, 45)))


def _friend(layer: Layer, pose: float, jitter: Array) -> None:
    """Someone in particular: dark skin, green hat, round glasses, yellow scarf."""
    someone = paint_person(Person("dark", "black", "pink", "green"), layer.frame, pose, jitter)
    layer.rgb, layer.alpha = someone.rgb, someone.alpha
    f = layer.frame
    layer.add(
        union(
            capsule(f, (-0.22, -1.38), (0.22, -1.36), (0.1, 0.1)),
            capsule(f, (0.2, -1.32), (0.24, -0.96), (0.09, 0.08)),
        ),
        flat((245, 215, 60)),
    )
    for side in (-1, 1):
        rim = Surface(np.abs(np.hypot(f.u - side * 0.115, f.v + 1.67) - 0.1) - 0.028, 1.0)
        layer.add(rim, WHITE)
    layer.add(capsule(f, (-0.4, -1.86), (0.4, -1.86), (0.06, 0.06)), flat((34, 110, 60)))
    layer.add(box(f, (-0.25, -2.2), (0.25, -1.86), 0.08), flat((40, 140, 74)))


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
        layer.add(ellipse(f, (side * 0.2, -0.06), (0.17, 0.08)), flat((240, 160, 40)))
        layer.add(polygon(f, ((side * 0.12, -1.72), (side * 0.56, -1.62), (side * 0.52, -2.06))), down)
    layer.add(ellipse(f, (0, -0.9), (0.66, 0.88)), down)
    layer.add(ellipse(f, (0, -0.6), (0.42, 0.5), ambient=0.75), belly)
    for side in (-1, 1):
        spread = -side * (0.1 + 0.25 * abs(pose))
        layer.add(ellipse(f, (side * 0.6, -0.78), (0.17, 0.5), spread), darker(down, 0.7))
        layer.add(dot(f, (side * 0.26, -1.4), (0.25, 0.25)), flat((250, 240, 190)))
        layer.add(dot(f, (side * 0.24 + 0.04 * pose, -1.4), (0.12, 0.13)), DARK)
    layer.add(polygon(f, ((-0.1, -1.26), (0.1, -1.26), (0.0, -1.04))), flat((240, 160, 40)))


_FIGURES: dict[str, Callable[[Layer, float, Array], None]] = {
    "robot": _robot,
    "tiger doll": _tiger_doll,
    "friend": _friend,
    "teapot": _teapot,
    "owl": _owl,
}
