"""Captions: every wording is true of its scene, reads back as what it says, and uses only known words."""

from __future__ import annotations

import numpy as np
import pytest

from palimpsest.builtin.grammar import GrammarError, caption, describes, parse, vocabulary
from palimpsest.scenes import edits
from palimpsest.scenes.scene import STYLES, Animal, Mirror, Person, Placed, Scene, Solid, sample_scene
from palimpsest.scenes.things import TEXTURES, Figure, Thing

SEEDS = range(2_000_000, 2_001_500)


def scene_of(
    *things: Thing, ground: str = "grass", style: str = "photo", feet: tuple[float, ...] = ()
) -> Scene:
    """`things` from left to right."""
    n = len(things)
    ys = feet if feet else (0.85,) * n
    feet_of = enumerate(zip(things, ys, strict=True))
    placed = (Placed(thing, (k + 0.5) / n, y, 0.3, seed=k) for k, (thing, y) in feet_of)
    return Scene(tuple(placed), ground, style, 0)


MAN = Person("light", "black", "red", "blue")


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (
            scene_of(Solid("ball", "red", "striped"), Solid("cube", "blue")),
            "a photo of a red striped ball and a blue cube on grass",
        ),
        (
            scene_of(Solid("cube", "yellow"), Solid("cube", "yellow"), ground="wood"),
            "a photo of two yellow cubes on wood",
        ),
        (
            scene_of(Animal("tiger", "orange", "striped"), style="ink wash"),
            "an ink wash of an orange tiger on grass",
        ),
        (
            scene_of(Animal("cat", "white"), Mirror(), ground="wood"),
            "a photo of a white cat and a mirror on wood",
        ),
        (
            scene_of(MAN, Solid("mug", "green"), ground="sand"),
            "a photo of a man with black hair in a red shirt and blue trousers and a green mug on sand",
        ),
        (
            scene_of(MAN, Solid("mug", "green"), Animal("bird", "blue"), style="oil painting"),
            "an oil painting of a man in a red shirt and a green mug and a blue bird on grass",
        ),
        (scene_of(ground="snow"), "a photo of snow"),
    ],
)
def test_the_canonical_wording(scene: Scene, words: str):
    assert caption(scene) == words


def test_every_wording_is_true_of_its_scene():
    for seed in SEEDS:
        scene = sample_scene(seed)
        for text in (caption(scene), caption(scene, np.random.default_rng(seed))):
            assert describes(parse(text), scene), text


def test_the_canonical_wording_says_all_that_tells_scenes_apart():
    """A canonical caption is true only of scenes captioned alike, save that plainness goes without saying."""

    def without_textures(scene: Scene) -> list[str]:
        return [word for word in caption(scene).split() if word not in TEXTURES]

    scenes = [sample_scene(seed, count=1 + seed % 2) for seed in SEEDS[:120]]
    for a in scenes:
        for b in scenes:
            if describes(parse(caption(a)), b):
                assert without_textures(a) == without_textures(b)
            else:
                assert caption(a) != caption(b)


def test_one_word_changed_by_an_edit_makes_the_old_caption_false():
    for seed in SEEDS[:400]:
        scene = sample_scene(seed, kinds=("solid",))
        for i, placed in enumerate(scene.placed):
            assert isinstance(placed.thing, Solid)
            other = "red" if placed.thing.colour != "red" else "blue"
            edited = edits.recolour(scene, i, other)
            assert sorted(caption(edited).split()) != sorted(caption(scene).split())
            assert not describes(parse(caption(scene)), edited)


def test_wordings_use_only_the_vocabulary_and_stay_short():
    known = set(vocabulary())
    for seed in SEEDS:
        words = caption(sample_scene(seed), np.random.default_rng(seed)).split()
        assert set(words) <= known
        assert len(words) <= 44


def test_the_vocabulary_is_lower_case_words_each_once():
    words = vocabulary()
    assert len(set(words)) == len(words)
    assert all(word.isalpha() and word == word.lower() for word in words)


def test_wordings_vary_and_repeat_by_their_generator():
    scene = scene_of(MAN, Solid("ball", "red", "dotted"))
    wordings = {caption(scene, np.random.default_rng(seed)) for seed in range(200)}
    assert len(wordings) > 20
    assert any(" left of " in w for w in wordings)
    assert any(" next to " in w for w in wordings)
    assert caption(scene, np.random.default_rng(3)) == caption(scene, np.random.default_rng(3))


def test_left_and_right_name_the_things_in_their_order():
    scene = scene_of(Solid("ball", "red"), Solid("cube", "blue"))
    assert describes(parse("a ball left of a cube"), scene)
    assert describes(parse("a cube right of a ball"), scene)
    assert not describes(parse("a cube left of a ball"), scene)
    assert not describes(parse("a ball right of a cube"), scene)


def test_behind_means_farther():
    scene = scene_of(Solid("ball", "red"), Solid("cube", "blue"), feet=(0.7, 0.9))
    assert describes(parse("a ball behind a cube"), scene)
    assert not describes(parse("a cube behind a ball"), scene)


def test_a_pair_in_depth_is_worded_with_behind():
    texts = [
        (caption(scene, np.random.default_rng(seed)), scene)
        for seed in SEEDS
        if len((scene := sample_scene(seed)).placed) == 2
    ]
    behind = [(text, scene) for text, scene in texts if " behind " in text]
    assert behind
    assert all(describes(parse(text), scene) for text, scene in behind)


def test_what_is_left_unsaid_is_not_held_against_the_scene():
    scene = scene_of(Solid("ball", "red", "dotted"), MAN, ground="sea")
    assert describes(parse("a ball and a person"), scene)
    assert describes(parse("a thing and a man in blue trousers on the sea"), scene)
    assert not describes(parse("a ball"), scene)
    assert not describes(parse("a plain ball and a person"), scene)
    assert not describes(parse("a ball and a woman"), scene)
    assert not describes(parse("a sketch of a ball and a person"), scene)


def test_a_caption_without_things_reads_back():
    description = parse("a pixel mosaic of the sea")
    assert (description.count, description.style, description.ground) == (0, "pixel mosaic", "sea")
    assert describes(parse("sand"), scene_of(ground="sand"))


def test_counts_are_counted():
    two = scene_of(Solid("ring", "pink"), Solid("ring", "pink"), Animal("cat", "black"))
    assert describes(parse("two pink rings and a black cat on grass"), two)
    assert not describes(parse("three pink rings on grass"), two)
    assert parse("four people").mentions[0].count == 4


def test_a_learned_thing_takes_its_own_word():
    toy = Figure("robot")
    scene = scene_of(toy, Solid("cube", "blue"))
    assert caption(scene, names={toy: "<toy>"}) == "a photo of a <toy> and a blue cube on grass"
    assert caption(scene_of(toy, toy), names={toy: "<toy>"}) == "a photo of two <toy> on grass"


def test_a_style_without_words_cannot_be_captioned():
    with pytest.raises(GrammarError, match="blueprint"):
        caption(scene_of(Mirror(), style="blueprint"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the end"),
        ("a photo of", "the end"),
        ("a photo of a red zebra on grass", "'zebra' .word 6"),
        ("a red ball on lava", "'lava'"),
        ("a red ball beside a cube", "'beside'"),
        ("two red ball on grass", "number"),
        ("a red balls on grass", "number"),
        ("a man with green hair", "'green'"),
        ("red ball", "'red'"),
    ],
)
def test_what_is_outside_the_language_is_named(text: str, complaint: str):
    with pytest.raises(GrammarError, match=complaint):
        parse(text)


def test_every_style_has_words_that_read_back():
    for style in STYLES:
        assert parse(caption(scene_of(Mirror(), style=style))).style == style
