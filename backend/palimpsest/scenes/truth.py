"""What is true of a drawn scene: what can be read off each thing, and how much of it is left visible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from palimpsest.scenes.rendering import render
from palimpsest.scenes.things import Animal, Figure, Mirror, Person, Scene, Solid, Thing

Mask = NDArray[np.bool_]  # (height, width)
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are outside

COLOURLESS = frozenset({"ink wash", "blueprint", "poster"})
"""Styles that keep no colour, where no colour can be read or asked for."""
TEXTURELESS = frozenset({"poster"})
COLOUR_HEADS = ("colour", "hair", "shirt", "trousers", "skin")
LEAST_VISIBLE = 0.5  # of a thing's body; what is hidden more can't be asked about


def name_of(thing: Thing) -> str:
    """The one word for what a thing is: its shape, its species, or its kind."""
    match thing:
        case Solid():
            return thing.shape
        case Animal():
            return thing.species
        case Person() | Figure():
            return thing.kind
        case Mirror():
            return "mirror"


def readable(thing: Thing, style: str) -> dict[str, str]:
    """What can be read off a thing shown in ``style``: question → answer."""
    answers = {"kind": name_of(thing)}
    if isinstance(thing, Solid | Animal):
        answers |= {"colour": thing.colour, "texture": thing.texture}
    if isinstance(thing, Person):
        answers |= {name: getattr(thing, name) for name in ("hair", "shirt", "trousers", "skin")}
    lost = (COLOUR_HEADS if style in COLOURLESS else ()) + (("texture",) if style in TEXTURELESS else ())
    return {head: answer for head, answer in answers.items() if head not in lost}


def fractions_visible(scene: Scene, bodies: NDArray[np.bool_]) -> list[float]:
    """How much of each thing is left visible by the others; only things that touch another can be hidden.

    ``bodies``: (things, side, side), as ``scene`` was rendered.
    """
    size = bodies.shape[-1]
    boxes = [box_of(body) if body.any() else None for body in bodies]
    fractions = []
    for i, placed in enumerate(scene.placed):
        box = boxes[i]
        if box is None:
            fractions.append(0.0)
        elif any(near is not None and j != i and touch(box, near) for j, near in enumerate(boxes)):
            alone = render(Scene((placed,), scene.ground, "photo", scene.seed), size, masks=False).bodies[0]
            fractions.append(float(bodies[i].sum()) / float(alone.sum()))
        else:
            fractions.append(1.0)
    return fractions


def box_of(mask: Mask) -> Box:
    """The smallest box around a mask that isn't empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def touch(a: Box, b: Box) -> bool:
    """Whether two boxes overlap or share an edge."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]
