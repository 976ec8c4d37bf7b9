"""Concepts: views that share the subject and nothing else, contaminated sets, and no word for any of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from palimpsest.builtin.grammar import caption, vocabulary
from palimpsest.errors import RequestError
from palimpsest.scenes import concepts
from palimpsest.scenes.concepts import CONCEPTS, STYLES_HELD_OUT, view_scenes, views, with_concept
from palimpsest.scenes.scene import HELD_OUT, STYLES, Figure, render, sample_scene
from palimpsest.scenes.things import FIGURES, HELD_OUT_STYLES

SIDE = 64


@pytest.mark.parametrize("name", CONCEPTS)
def test_a_concept_is_held_out_and_has_a_trained_noun(name: str):
    concept = CONCEPTS[name]
    assert concept.thing in HELD_OUT or isinstance(concept.thing, Figure)
    assert concept.noun in vocabulary()
    assert name not in vocabulary()


def test_every_held_out_thing_is_a_concept():
    subjects = {concept.thing for concept in CONCEPTS.values()}
    assert subjects >= HELD_OUT
    assert {Figure(kind) for kind in FIGURES} <= subjects


@pytest.mark.parametrize("name", CONCEPTS)
def test_views_differ_but_share_the_subject(name: str):
    concept = CONCEPTS[name]
    scenes = view_scenes(concept, 5, seed=1)
    assert {scene.placed[0].thing for scene in scenes} == {concept.thing}
    assert len({scene.ground for scene in scenes}) == 5
    assert len({(p.x, p.y, p.size, p.pose) for scene in scenes for p in scene.placed}) == 5
    pictures = views(concept, 5, seed=1, size=SIDE)
    assert all(picture.bodies[0].mean() > 0.04 for picture in pictures)
    assert all(not np.array_equal(a.image, b.image) for a, b in combinations(pictures, 2))


@pytest.mark.parametrize("name", CONCEPTS)
def test_the_subject_keeps_its_colours_from_view_to_view(name: str):
    """Two views of a subject have closer colour histograms than a view of any other subject, on average."""

    def histogram(concept: concepts.Concept, seed: int) -> np.ndarray:
        pictures = views(concept, 4, seed, SIDE)
        pixels = np.concatenate([picture.image[picture.bodies[0]] for picture in pictures]) // 64
        counts = np.bincount(pixels @ np.asarray([16, 4, 1]), minlength=64)
        return counts / counts.sum()

    mine = histogram(CONCEPTS[name], 1)
    again = np.abs(histogram(CONCEPTS[name], 2) - mine).sum()
    others = [np.abs(histogram(c, 2) - mine).sum() for other, c in CONCEPTS.items() if other != name]
    assert again < np.mean(others)


def test_views_repeat_by_seed():
    owl = CONCEPTS["owl"]
    assert view_scenes(owl, 4, seed=7) == view_scenes(owl, 4, seed=7)
    assert view_scenes(owl, 4, seed=7) != view_scenes(owl, 4, seed=8)
    assert view_scenes(owl, 3, seed=7) == view_scenes(owl, 5, seed=7)[:3]


def test_more_views_than_grounds_start_over():
    assert len(view_scenes(CONCEPTS["toy"], 9, seed=0)) == 9


def test_pose_moves_every_figure():
    for kind in FIGURES:
        scene = view_scenes(next(c for c in CONCEPTS.values() if c.thing == Figure(kind)), 1, seed=0)[0]
        posed = [replace(scene, placed=(replace(scene.placed[0], pose=pose),)) for pose in (-1.0, 1.0)]
        left, right = (render(scene, SIDE, masks=False).image for scene in posed)
        assert not np.array_equal(left, right), kind


def test_a_contaminated_set_has_one_view_of_the_other_subject():
    toy, owl = CONCEPTS["toy"], CONCEPTS["owl"]
    odd_ones = set()
    for seed in range(12):
        scenes, odd = concepts.contaminated_scenes(toy, owl, 4, seed)
        assert [scene.placed[0].thing == owl.thing for scene in scenes] == [k == odd for k in range(4)]
        odd_ones.add(odd)
    assert len(odd_ones) > 1


def test_a_set_cannot_be_contaminated_by_its_own_subject():
    with pytest.raises(RequestError, match="toy"):
        concepts.contaminated_scenes(CONCEPTS["toy"], CONCEPTS["toy"], 3, seed=0)


def test_putting_a_concept_in_place_leaves_the_rest():
    before = sample_scene(12, count=3, style="photo")
    after = with_concept(before, 1, CONCEPTS["friend"])
    a, b = render(before, SIDE), render(after, SIDE)
    assert not ((a.image != b.image).any(-1) & ~(a.masks[1] | b.masks[1])).any()
    assert "<friend>" in caption(after, names={CONCEPTS["friend"].thing: "<friend>"})


def test_held_out_styles_are_never_sampled_and_have_no_words():
    assert set(STYLES_HELD_OUT) == set(HELD_OUT_STYLES)
    assert not set(HELD_OUT_STYLES) & set(STYLES)
    assert not set(HELD_OUT_STYLES) & set(vocabulary())
    assert {sample_scene(seed).style for seed in range(1000)} == set(STYLES)
    assert all(style.noun in vocabulary() for style in STYLES_HELD_OUT.values())


@pytest.mark.parametrize("name", STYLES_HELD_OUT)
def test_style_views_share_the_style(name: str):
    scenes = view_scenes(STYLES_HELD_OUT[name], 4, seed=3)
    assert {scene.style for scene in scenes} == {name}
    assert len({scene.ground for scene in scenes}) == 4
