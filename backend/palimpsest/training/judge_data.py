"""What the judge learns from: scenes of its own choosing, with their truth.

Beyond what the generator's own training draws, the judge also sees held-out combinations, figures and styles
(it has to recognise what others learn), empty scenes, and every style often.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.builtin.judge_answers import NOTHING
from palimpsest.builtin.judge_crops import resize, to_pixels
from palimpsest.builtin.judge_net import SIDE
from palimpsest.scenes.concepts import CONCEPTS, with_concept
from palimpsest.scenes.scene import KINDS, render, sample_scene
from palimpsest.scenes.things import (
    ANIMALS,
    COLOURS,
    FIGURES,
    GROUNDS,
    HAIRS,
    HELD_OUT_STYLES,
    PEOPLE,
    SHAPES,
    SKINS,
    STYLES,
    TEXTURES,
    Scene,
)
from palimpsest.scenes.truth import LEAST_VISIBLE, box_of, fractions_visible, readable

REGION_LABELS: dict[str, tuple[str, ...]] = {
    "kind": (NOTHING, *SHAPES, *ANIMALS, *PEOPLE, "mirror", *FIGURES),
    "colour": tuple(COLOURS),
    "texture": TEXTURES,
    "hair": tuple(HAIRS),
    "shirt": tuple(COLOURS),
    "trousers": tuple(COLOURS),
    "skin": tuple(SKINS),
}
SCENE_LABELS: dict[str, tuple[str, ...]] = {
    "ground": GROUNDS,
    "style": STYLES + HELD_OUT_STYLES,
    "count": ("0", "1", "2", "3", "4"),
}
UNKNOWN = -1  # an answer that the picture doesn't hold
THINGS = 4  # most things in a scene

_STREAM = 31


def study_scene(seed: int) -> Scene:
    """A scene for the judge: as for the generator, with more styles, crowds, people, and held-out things."""
    rng = np.random.default_rng([seed, _STREAM])
    styles = STYLES + HELD_OUT_STYLES
    scene = sample_scene(
        seed,
        count=int(rng.choice(THINGS, p=(0.34, 0.3, 0.2, 0.16))) + 1,
        style=styles[rng.integers(len(styles))] if rng.random() < 0.5 else "photo",
        kinds=KINDS if rng.random() < 0.7 else ("person", "animal", "mirror"),
    )
    if rng.random() < 0.04:
        return Scene((), scene.ground, scene.style, seed)
    if rng.random() < 0.3:
        names = sorted(CONCEPTS)
        which = int(rng.integers(len(scene.placed)))
        return with_concept(scene, which, CONCEPTS[names[rng.integers(len(names))]])
    return scene


def draw(scene: Scene, fine: bool) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Picture and visible bodies at the judge's size; ``fine`` draws at twice the size and scales down."""
    size = 2 * SIDE if fine else SIDE
    rendering = render(scene, size, masks=False)
    if not fine:
        return rendering.image, rendering.bodies
    small = resize(to_pixels([rendering.image]), (SIDE, SIDE))
    picture = ((small[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    return picture, rendering.bodies[:, ::2, ::2]


def study(seed: int) -> dict[str, NDArray[np.generic]]:
    """One example: ``picture`` (SIDE, SIDE, 3), packed ``bodies``, ``boxes``, answers as label numbers."""
    scene = study_scene(seed)
    picture, bodies = draw(scene, fine=seed % 8 == 0)
    packed = np.zeros((THINGS, SIDE, SIDE // 8), np.uint8)
    boxes = np.zeros((THINGS, 4), np.int16)
    answers = np.full((THINGS, len(REGION_LABELS)), UNKNOWN, np.int8)
    visible = fractions_visible(scene, bodies)
    for i, placed in enumerate(scene.placed):
        if bodies[i].any():
            packed[i], boxes[i] = np.packbits(bodies[i], axis=-1), box_of(bodies[i])
        if bodies[i].any() and visible[i] >= LEAST_VISIBLE:
            answers[i] = numbers(REGION_LABELS, readable(placed.thing, scene.style))
    whole = {"ground": scene.ground, "style": scene.style, "count": str(len(scene.placed))}
    return {
        "picture": picture, "bodies": packed, "boxes": boxes, "answers": answers,
        "whole": numbers(SCENE_LABELS, whole),
    }  # fmt: skip


def numbers(labels: Mapping[str, tuple[str, ...]], answers: Mapping[str, str]) -> NDArray[np.int8]:
    """Answers as positions in their heads' labels, ``UNKNOWN`` where there is none."""
    return np.asarray(
        [words.index(answers[head]) if head in answers else UNKNOWN for head, words in labels.items()],
        np.int8,
    )


def unpack(bodies: Tensor) -> Tensor:
    """Packed bits (..., w / 8) to masks (..., w) float32 of 0 and 1, the first pixel in the highest bit."""
    bits = torch.arange(7, -1, -1)
    return ((bodies[..., None].int() >> bits) & 1).flatten(-2).float()
