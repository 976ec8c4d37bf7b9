"""Scenes: the same seed is the same scene and the same bytes, anywhere; held-out things are never drawn."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

import palimpsest
from palimpsest.errors import RequestError
from palimpsest.scenes import things
from palimpsest.scenes.scene import (
    GROUNDS,
    HELD_OUT,
    KINDS,
    STYLES,
    TEST_SEEDS,
    TRAINING_SEEDS,
    VALIDATION_SEEDS,
    Animal,
    Figure,
    Mirror,
    Person,
    Placed,
    Scene,
    Solid,
    render,
    sample_scene,
)

HASH_SCENES = """
import hashlib
from palimpsest.scenes.scene import render, sample_scene
digest = hashlib.sha256()
for seed in range(12):
    rendering = render(sample_scene(seed), 64)
    for array in (rendering.image, rendering.masks, rendering.bodies):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


def _digest_here() -> str:
    digest = hashlib.sha256()
    for seed in range(12):
        rendering = render(sample_scene(seed), 64)
        for array in (rendering.image, rendering.masks, rendering.bodies):
            digest.update(array.tobytes())
    return digest.hexdigest()


def test_a_seed_gives_the_same_bytes_in_a_new_process():
    backend = str(Path(palimpsest.__file__).parents[1])
    new = subprocess.run(
        [sys.executable, "-c", HASH_SCENES],
        env={"PYTHONPATH": backend, "PYTHONHASHSEED": "123", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert new.stdout.strip() == _digest_here()


def test_what_was_drawn_before_does_not_matter():
    alone = render(sample_scene(5), 64).image
    for seed in range(5):
        render(sample_scene(seed), 96)
    assert np.array_equal(render(sample_scene(5), 64).image, alone)


def test_seeds_differ():
    pictures = [render(sample_scene(seed), 48, masks=False).image for seed in range(12)]
    assert all(not np.array_equal(a, b) for a, b in combinations(pictures, 2))


def test_the_seed_ranges_share_no_seed():
    ranges = sorted((TRAINING_SEEDS, VALIDATION_SEEDS, TEST_SEEDS), key=lambda seeds: seeds.start)
    assert all(a.stop <= b.start for a, b in pairwise(ranges))


@pytest.mark.parametrize("side", [32, 65, 127, 128, 256])
def test_any_size_is_drawn(side: int):
    rendering = render(sample_scene(21, count=3), side)
    assert rendering.image.shape == (side, side, 3)
    assert rendering.image.dtype == np.uint8
    assert rendering.masks.shape == rendering.bodies.shape == (3, side, side)


@pytest.mark.parametrize("style", ["photo", "ink wash", "pixel mosaic"])
def test_a_larger_picture_is_the_same_picture(style: str):
    """Halving the 256-pixel drawing gives nearly the 128-pixel one: sizes and noise scale with the side."""
    for seed in range(4):
        scene = sample_scene(seed, style=style)
        large = render(scene, 256, masks=False).image.astype(float)
        halved = large.reshape(128, 2, 128, 2, 3).mean((1, 3))
        assert np.abs(halved - render(scene, 128, masks=False).image).mean() < 4


def test_leaving_out_the_masks_changes_nothing_else():
    scene = sample_scene(7, count=3)
    full, quick = render(scene, 64), render(scene, 64, masks=False)
    assert np.array_equal(full.image, quick.image)
    assert np.array_equal(full.bodies, quick.bodies)
    assert quick.masks.shape == (0, 64, 64)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """So many that each held-out solid would be among them about ten times, were it not held out."""
    return [sample_scene(seed) for seed in range(8000)]


def test_held_out_things_are_never_sampled(scenes: list[Scene]):
    sampled = [placed.thing for scene in scenes for placed in scene.placed]
    assert not HELD_OUT & set(sampled)
    assert not any(isinstance(thing, Figure) for thing in sampled)


def test_each_part_of_a_held_out_solid_is_sampled(scenes: list[Scene]):
    """What is new about it is the combination: each pair of its three words occurs."""
    sampled = [placed.thing for scene in scenes for placed in scene.placed]
    solids = [thing for thing in sampled if isinstance(thing, Solid)]
    pairs = {pair for s in solids for pair in combinations((s.shape, s.colour, s.texture), 2)}
    for held in (thing for thing in HELD_OUT if isinstance(thing, Solid)):
        assert set(combinations((held.shape, held.colour, held.texture), 2)) <= pairs


def test_sampling_covers_every_word_of_the_tables(scenes: list[Scene]):
    sampled = [placed.thing for scene in scenes for placed in scene.placed]
    solids = [thing for thing in sampled if isinstance(thing, Solid)]
    people = [thing for thing in sampled if isinstance(thing, Person)]
    animals = [thing for thing in sampled if isinstance(thing, Animal)]
    assert {len(scene.placed) for scene in scenes} == {0, 1, 2, 3, 4}
    assert {scene.ground for scene in scenes} == set(GROUNDS)
    assert {scene.style for scene in scenes} == set(STYLES)
    assert {s.shape for s in solids} == set(things.SHAPES)
    assert {s.colour for s in solids} == {p.shirt for p in people} == set(things.COLOURS)
    assert {s.texture for s in solids} == set(things.TEXTURES)
    assert {(p.kind, p.hair) for p in people} == {(k, h) for k in things.PEOPLE for h in things.HAIRS}
    assert {a.species for a in animals} == set(things.ANIMALS)
    assert Mirror() in sampled


def test_what_is_asked_for_is_not_left_to_the_lot():
    for seed in range(40):
        scene = sample_scene(seed, count=2, style="sketch", ground="sea", kinds=("person",))
        assert (len(scene.placed), scene.style, scene.ground) == (2, "sketch", "sea")
        assert all(isinstance(placed.thing, Person) for placed in scene.placed)


def test_things_stand_in_the_picture_and_can_be_seen():
    """Every thing is at least partly visible, and nothing is cut at the top or the bottom."""
    for seed in range(150):
        rendering = render(sample_scene(seed, style="photo"), 64, masks=False)
        assert (rendering.bodies.sum((1, 2)) > 12).all(), seed
        assert not rendering.bodies[:, 0].any(), seed
        assert not rendering.bodies[:, -1].any(), seed


def test_light_differs_between_seeds_but_not_between_edits():
    """Far from the only thing, two scenes of one seed are equal, whatever stands there."""
    one = sample_scene(30, count=1, style="photo")
    other = replace(one, placed=(replace(one.placed[0], thing=Solid("cube", "black")),))
    assert np.array_equal(render(one, 64).image[:8], render(other, 64).image[:8])
    assert not np.array_equal(render(one, 64).image[:8], render(replace(one, seed=31), 64).image[:8])


def test_colours_look_like_their_names():
    """The colour of a plain cube's front is nearest to the one that the table gives it."""
    palette = {name: np.asarray(rgb, float) for name, rgb in things.COLOURS.items()}
    for name in palette:
        placed = Placed(Solid("cube", name), 0.5, 0.85, 0.45, seed=3)
        rendering = render(Scene((placed,), "sand", "photo", 1), 64, masks=False)
        front = np.median(rendering.image[rendering.bodies[0]], axis=0)
        distances = {other: float(np.abs(rgb - front).sum()) for other, rgb in palette.items()}
        assert min(distances, key=distances.__getitem__) == name


def test_a_mirror_shows_the_thing_beside_it():
    mirror = Placed(Mirror(), 0.7, 0.88, 0.5)
    red = Placed(Solid("ball", "red"), 0.3, 0.85, 0.3)
    rendering = render(Scene((mirror, red), "wood", "photo", 0), 128)
    shown = rendering.masks[1] & rendering.bodies[0]
    assert shown.sum() > 100
    red_in_mirror = rendering.image[shown].astype(float).mean(0)
    assert red_in_mirror[0] > 1.3 * red_in_mirror[1]


def test_a_nearer_thing_hides_a_farther_one():
    far, near = Placed(Solid("cube", "blue"), 0.5, 0.75, 0.4), Placed(Solid("cube", "red"), 0.52, 0.9, 0.4)
    alone = render(Scene((far,), "sand", "photo", 0), 64)
    both = render(Scene((near, far), "sand", "photo", 0), 64)
    assert not (both.bodies[0] & both.bodies[1]).any()
    assert both.bodies[1].sum() < alone.bodies[0].sum()
    assert np.array_equal(both.bodies[1], alone.bodies[0] & ~both.bodies[0])


def test_a_thing_beyond_the_border_is_cut_off():
    outside = Placed(Solid("ball", "red"), 1.6, 0.8, 0.3)
    half = Placed(Solid("ball", "red"), 1.0, 0.8, 0.3)
    rendering = render(Scene((outside, half), "snow", "photo", 2), 48)
    assert not rendering.bodies[0].any()
    assert not rendering.masks[0].any()
    assert rendering.bodies[1].any()


def test_an_empty_scene_is_its_ground():
    rendering = render(Scene((), "snow", "photo", 4), 48)
    assert rendering.image.shape == (48, 48, 3)
    assert rendering.masks.shape == rendering.bodies.shape == (0, 48, 48)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Solid("blob", "red"), "blob"),
        (lambda: Solid("ball", "teal"), "teal"),
        (lambda: Solid("ball", "red", "furry"), "furry"),
        (lambda: Person("light", "green", "red", "blue"), "green"),
        (lambda: Animal("tiger", "orange", "plain"), "plain"),
        (lambda: Animal("cat", "white", "checked"), "checked"),
        (lambda: Figure("dragon"), "dragon"),
        (lambda: Scene((), "lava", "photo", 0), "lava"),
        (lambda: Scene((), "sand", "cubism", 0), "cubism"),
        (lambda: sample_scene(0, count=5), "5"),
    ],
)
def test_unknown_words_are_named_in_the_error(make, word: str):
    with pytest.raises(RequestError, match=word):
        make()


def test_kinds_are_the_kinds_of_things():
    assert KINDS == ("solid", "person", "animal", "mirror")
