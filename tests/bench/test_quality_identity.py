"""The distance knows a thing in another pose from another thing, and from a broken copy of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from palimpsest.bench.quality_identity import LARGEST, distance, place_at
from palimpsest.scenes.concepts import CONCEPTS
from palimpsest.scenes.rendering import render
from palimpsest.scenes.scene import VALIDATION_SEEDS
from palimpsest.scenes.things import Animal, Figure, Person, Placed, Scene, Solid, Thing
from palimpsest.scenes.truth import box_of

SIZE = 128
SEED = VALIDATION_SEEDS[30_000]


def scene(thing: Thing, **place: float) -> Scene:
    usual = Placed(thing, x=0.5, y=0.86, size=0.45, pose=0.1, seed=1)
    return Scene((replace(usual, **place),), "grass", "photo", SEED)


@pytest.mark.parametrize("name", ["violet-star", "friend", "toy", "owl"])
def test_a_thing_is_itself_in_another_pose_size_and_place(name: str) -> None:
    thing = CONCEPTS[name].thing
    shown = scene(thing, pose=-0.7, size=0.41, x=0.53, y=0.85)
    turned = replace(shown, placed=(replace(shown.placed[0], seed=9),))
    assert distance(render(turned, SIZE).image, scene(thing), 0) < LARGEST


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("violet-star", Solid("star", "purple")),
        ("violet-star", Solid("star", "green", "striped")),
        ("blue-dog", Animal("dog", "blue")),
        ("friend", Person("dark", "black", "pink", "green")),
        ("toy", Figure("tiger doll")),
        ("teapot", Solid("mug", "white")),
        ("owl", Animal("bird", "purple")),
    ],
)
def test_another_thing_is_not_it(name: str, other: Thing) -> None:
    assert distance(render(scene(other), SIZE).image, scene(CONCEPTS[name].thing), 0) > LARGEST


@pytest.mark.parametrize("name", ["toy", "tiger-doll", "friend", "teapot", "owl"])
def test_a_broken_copy_is_not_it(name: str) -> None:
    """Its upper part gone; its parts in another order; upside down."""
    whole = scene(CONCEPTS[name].thing)
    picture, body = render(whole, SIZE).image, render(whole, SIZE).bodies[0]
    bare = render(replace(whole, placed=()), SIZE).image
    left, top, right, bottom = box_of(body)
    part = picture[top:bottom, left:right]
    quarters = np.array_split(part, 4)
    gone = part.copy()
    gone[: len(part) * 4 // 10] = bare[top:bottom, left:right][: len(part) * 4 // 10]
    for broken in (gone, np.concatenate([quarters[i] for i in (2, 0, 3, 1)]), part[::-1]):
        copy = picture.copy()
        copy[top:bottom, left:right] = broken
        assert distance(copy, whole, 0) > LARGEST


def test_a_place_is_where_the_box_is() -> None:
    thing = CONCEPTS["owl"].thing
    there, here = scene(thing, x=0.3, size=0.3), scene(thing, x=0.6, y=0.9)
    box, body = box_of(render(there, SIZE).bodies[0]), render(here, SIZE).bodies[0]
    found = place_at(box, here.placed[0], body)
    assert (found.x, found.y, found.size) == pytest.approx((0.3, 0.86, 0.3), abs=0.02)
