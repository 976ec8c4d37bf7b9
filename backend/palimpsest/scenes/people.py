"""People: a handful of shaded parts, back to front, in colours that a caption can name."""

from __future__ import annotations

import numpy as np

from palimpsest.scenes.shapes import (
    DARK,
    Array,
    Frame,
    Layer,
    Paint,
    box,
    capsule,
    clipped,
    dot,
    ellipse,
    flat,
    shaded_across,
    tint,
    union,
)
from palimpsest.scenes.things import COLOURS, HAIRS, SKINS, Person

UNJITTERED = np.zeros(3, np.float32)


def paint_person(person: Person, f: Frame, pose: float, jitter: Array) -> Layer:
    """Someone standing, seen from the front; `pose` swings the arms and sets the feet apart."""
    layer = Layer(f)
    skin, hair = tint(SKINS[person.skin], UNJITTERED), tint(HAIRS[person.hair], UNJITTERED)
    shirt, trousers = tint(COLOURS[person.shirt], jitter), tint(COLOURS[person.trousers], jitter)
    if person.kind == "woman":
        locks = box(f, (-0.36, -1.66), (0.36, -1.22), 0.12, 0.8)
        layer.add(union(ellipse(f, (0, -1.66), (0.37, 0.34)), locks), hair)
    _legs(layer, trousers, 0.04 * pose)
    _arms(layer, shirt, skin, pose)
    _torso(layer, shirt, skin)
    if person.kind == "woman":
        _strands(layer, hair)
    _face(layer, skin, hair, person.kind)
    return layer


def _legs(layer: Layer, trousers: Paint, stride: float) -> None:
    f = layer.frame
    for side in (-1, 1):
        foot = side * 0.24 + stride
        layer.add(ellipse(f, (foot + side * 0.05, -0.06), (0.19, 0.09)), DARK)
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
    layer.add(box(f, (-0.37, -1.40), (0.37, -0.84), 0.13, 0.96), shaded_across(f, shirt, 0.42))
    layer.add(dot(f, (0, -1.41), (0.12, 0.07)), skin)


def _strands(layer: Layer, hair: Paint) -> None:
    """Hair that falls over the shoulders, so that a small woman is still told from a man."""
    f = layer.frame
    for side in (-1, 1):
        layer.add(capsule(f, (side * 0.28, -1.64), (side * 0.36, -1.06), (0.11, 0.10)), hair)


def _face(layer: Layer, skin: Paint, hair: Paint, kind: str) -> None:
    f = layer.frame
    middle = -1.70
    layer.add(ellipse(f, (0, middle), (0.265, 0.285), ambient=0.8), skin)
    fringe = f.v - (middle - 0.10) - (0.9 if kind == "woman" else 0.35) * f.u**2
    layer.add(clipped(ellipse(f, (0, middle - 0.03), (0.295, 0.29)), fringe), hair)
    for side in (-1, 1):
        layer.add(dot(f, (side * 0.105, middle + 0.03), (0.04, 0.05)), DARK)
    layer.add(dot(f, (0, middle + 0.165), (0.085, 0.025)), flat((176, 70, 70)))
