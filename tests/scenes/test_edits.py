"""Masks and true edits: a mask is exactly where removal changes the picture, an edit changes nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from palimpsest.errors import RequestError
from palimpsest.scenes import edits
from palimpsest.scenes.scene import STYLES, Animal, Mirror, Person, Placed, Scene, Solid, render, sample_scene
from palimpsest.scenes.things import HELD_OUT_STYLES, Thing

SIDE = 48
ALL_STYLES = STYLES + HELD_OUT_STYLES

EDITS: dict[str, Callable[[Scene, int], Scene]] = {
    "recolour": lambda scene, i: edits.recolour(scene, i, "green"),
    "reshape": lambda scene, i: edits.reshape(scene, i, "star"),
    "retexture": lambda scene, i: edits.retexture(scene, i, "striped"),
    "replace": lambda scene, i: edits.with_thing(scene, i, Person("dark", "black", "yellow", "red", "woman")),
}


def crowded(seed: int, style: str) -> Scene:
    """Four things that overlap and cast shadows on each other, a mirror among them."""
    return Scene(
        (
            Placed(Solid("ball", "red", "dotted"), 0.3, 0.72, 0.4, 0.2, seed),
            Placed(Mirror(), 0.5, 0.82, 0.5, 0.0, seed + 1),
            Placed(Person("tan", "brown", "blue", "white"), 0.38, 0.92, 0.5, -0.5, seed + 2),
            Placed(Animal("dog", "brown"), 0.68, 0.9, 0.3, 0.6, seed + 3),
        ),
        "grass",
        style,
        seed,
    )


def changed(before: Scene, after: Scene) -> np.ndarray:
    return (render(before, SIDE, masks=False).image != render(after, SIDE, masks=False).image).any(-1)


@pytest.mark.parametrize("style", ALL_STYLES)
def test_a_mask_is_exactly_where_removing_the_thing_changes_the_picture(style: str):
    scenes = [crowded(9, style), *(sample_scene(seed, style=STYLES[0]) for seed in range(6))]
    for scene in (edits.restyle(scene, style) for scene in scenes):
        masks = render(scene, SIDE).masks
        assert len(masks) == len(scene.placed)
        for i, mask in enumerate(masks):
            assert np.array_equal(mask, changed(scene, edits.remove(scene, i)))


def test_a_mask_holds_body_shadow_and_reflection():
    rendering = render(crowded(9, "photo"), SIDE)
    person, mirror = 2, 1
    assert (rendering.masks[person] & rendering.bodies[person]).sum() > 0.95 * rendering.bodies[person].sum()
    assert (rendering.masks[person] & rendering.bodies[mirror]).any()
    assert rendering.masks[person].sum() > 1.1 * rendering.bodies[person].sum()


def test_bodies_are_disjoint():
    for scene in (crowded(9, "photo"), *(sample_scene(seed) for seed in range(20))):
        assert (render(scene, SIDE, masks=False).bodies.sum(0) <= 1).all()


@pytest.mark.parametrize("style", ALL_STYLES)
@pytest.mark.parametrize("edit", EDITS)
def test_a_true_edit_changes_only_what_the_thing_touched_before_or_touches_after(edit: str, style: str):
    before = crowded(4, style)
    after = EDITS[edit](before, 0)
    allowed = render(before, SIDE).masks[0] | render(after, SIDE).masks[0]
    difference = changed(before, after)
    assert difference.any()
    assert not (difference & ~allowed).any()


@pytest.mark.parametrize("style", ALL_STYLES)
def test_new_clothes_change_only_the_person(style: str):
    before = crowded(4, style)
    after = edits.reclothe(before, 2, shirt="orange")
    allowed = render(before, SIDE).masks[2] | render(after, SIDE).masks[2]
    assert changed(before, after).any()
    assert not (changed(before, after) & ~allowed).any()


def test_clothes_are_changed_one_by_one():
    scene = crowded(4, "photo")
    assert edits.reclothe(scene, 2, trousers="red").placed[2].thing == Person("tan", "brown", "blue", "red")
    assert edits.reclothe(scene, 2).placed[2].thing == scene.placed[2].thing


def test_inserting_undoes_removing():
    scene = crowded(4, "photo")
    last = len(scene.placed) - 1
    assert edits.insert(edits.remove(scene, last), scene.placed[last]) == scene


def test_the_order_of_things_does_not_matter_to_the_picture():
    scene = crowded(4, "photo")
    turned = Scene(scene.placed[::-1], scene.ground, scene.style, scene.seed)
    assert not changed(scene, turned).any()


def test_restyling_changes_the_style_alone():
    before = crowded(4, "photo")
    assert edits.restyle(edits.restyle(before, "sketch"), "photo") == before
    assert changed(before, edits.restyle(before, "sketch")).mean() > 0.9


@pytest.mark.parametrize(
    ("edit", "thing"),
    [
        (lambda scene: edits.recolour(scene, 0, "red"), Person("tan", "brown", "blue", "white")),
        (lambda scene: edits.reshape(scene, 0, "cube"), Animal("cat", "white")),
        (lambda scene: edits.retexture(scene, 0, "striped"), Mirror()),
        (lambda scene: edits.retexture(scene, 0, "plain"), Animal("tiger", "orange", "striped")),
        (lambda scene: edits.reclothe(scene, 0, "red"), Solid("ball", "red")),
        (lambda scene: edits.recolour(scene, 0, "teal"), Solid("ball", "red")),
        (lambda scene: edits.remove(scene, 1), Solid("ball", "red")),
        (lambda scene: edits.remove(scene, -1), Solid("ball", "red")),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(edit: Callable[[Scene], Scene], thing: Thing):
    with pytest.raises(RequestError):
        edit(Scene((Placed(thing, 0.5, 0.8, 0.4),), "sand", "photo", 0))


def test_a_fifth_thing_is_refused():
    scene = crowded(4, "photo")
    with pytest.raises(RequestError, match="already holds 4"):
        edits.insert(scene, scene.placed[0])
