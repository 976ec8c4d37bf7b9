"""Describe: captions in the grammar that are true of the picture, and silence where the judge doubts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch

from palimpsest.builtin.describe import DOUBTFUL, MOST, SURE, describe, mention_of, propose, say
from palimpsest.builtin.grammar import caption, describes, parse
from palimpsest.builtin.judge import Judge, load_judge
from palimpsest.builtin.judge_answers import Answer, Found, Reading, View
from palimpsest.builtin.language import GENERAL, kind_and_noun
from palimpsest.errors import ImageUnsupportedError
from palimpsest.scenes.concepts import CONCEPTS, view_scenes
from palimpsest.scenes.edits import restyle
from palimpsest.scenes.scene import TEST_SEEDS, render, sample_scene
from palimpsest.scenes.things import STYLES, Solid
from palimpsest.training.judge_batches import wear
from palimpsest_client.text.sentences import telling

FRESH = TEST_SEEDS[70_000:80_000]
BALL = Reading(Answer("ball", 1.0), colour=Answer("red", 1.0), texture=Answer("plain", 1.0))
MAN = Reading(
    Answer("man", 1.0),
    hair=Answer("black", 1.0),
    shirt=Answer("orange", 1.0),
    trousers=Answer("green", 1.0),
    skin=Answer("tan", 1.0),
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load_judge()


def found(reading: Reading, left: int = 10, score: float = 1.0) -> Found:
    return Found((left, 40, left + 30, 90), score, reading)


def view(*things: Found, style: str = "photo", sure: float = 1.0) -> View:
    ordered = tuple(sorted(things, key=lambda f: f.box[0]))
    return View(Answer("grass", sure), Answer(style, 1.0), Answer(str(len(things)), 1.0), ordered, (128, 128))


# --- words ----------------------------------------------------------------------------------------------


def test_what_is_said_reads_back_as_the_same_description() -> None:
    """``say`` is ``parse`` backwards, for every wording that the grammar's own captions use."""
    for seed in FRESH[:300]:
        scene = sample_scene(seed)
        for rng in (None, np.random.default_rng(seed)):
            read = parse(caption(scene, rng))
            assert parse(say(read)) == read, caption(scene, rng)


def test_captions_are_said_as_people_would() -> None:
    assert propose(view(found(BALL))).caption == "a photo of a red ball on grass"
    assert propose(view(found(BALL), found(BALL, 60))).caption == "a photo of two red balls on grass"
    assert propose(view(found(MAN, 60), found(BALL))).caption == (
        "a photo of a red ball and a man with black hair in an orange shirt and green trousers on grass"
    )
    assert propose(view()).caption == "a photo of grass"


def test_a_doubtful_word_is_left_unsaid() -> None:
    doubtful = Answer("brown", SURE - 0.01)
    assert mention_of(found(replace(BALL, colour=doubtful)), "photo").colour is None
    assert mention_of(found(replace(MAN, hair=doubtful)), "photo").hair is None
    assert mention_of(found(replace(BALL, kind=Answer("ball", 0.5))), "photo").noun == "thing"
    assert mention_of(found(replace(MAN, kind=Answer("man", 0.5))), "photo").noun == "person"


def test_words_that_the_judge_doubts_are_told() -> None:
    doubtful, half = Answer("brown", DOUBTFUL - 0.01), Answer("cube", 0.5)
    proposal = propose(view(found(replace(BALL, colour=doubtful)), found(replace(BALL, kind=half), 60)))
    assert proposal.caption == "a photo of a brown ball and a red thing on grass"
    told = [(proposal.caption[doubt.start : doubt.stop], doubt.probability) for doubt in proposal.doubts]
    assert told == [("brown", 0.94), ("thing", 0.5)]
    assert propose(view(found(BALL), found(MAN, 60))).doubts == ()


def test_of_several_things_the_least_sure_counts() -> None:
    proposal = propose(view(found(BALL), found(replace(BALL, kind=Answer("ball", 0.8)), 60)))
    assert [proposal.caption[d.start : d.stop] for d in proposal.doubts] == ["balls"]


def test_each_doubt_is_of_its_own_word() -> None:
    """The same word twice: the shirt's colour is doubtful, the hair's isn't."""
    white = replace(MAN, hair=Answer("white", 1.0), shirt=Answer("white", 0.8))
    proposal = propose(view(found(white)))
    assert [(d.start, proposal.caption[d.start : d.stop]) for d in proposal.doubts] == [
        (proposal.caption.rindex("white"), "white")
    ]


def test_doubtful_words_are_wrong_more_often(judge: Judge) -> None:
    wrong, many = {True: 0, False: 0}, {True: 0, False: 0}
    for seed in FRESH[2000:2100]:
        scene = sample_scene(seed, count=1, style="ink wash")  # in which the judge is unsure most often
        proposal = describe(judge, worn(render(scene, 128, masks=False).image, seed))
        doubted = {proposal.caption[doubt.start : doubt.stop] for doubt in proposal.doubts}
        kind, noun = kind_and_noun(scene.placed[0].thing)
        true = {*caption(scene).split(), noun, GENERAL.get(kind, noun)}
        for word in telling(proposal.caption):
            many[word in doubted] += 1
            wrong[word in doubted] += word not in true
    assert many[True] >= 10, many
    assert wrong[True] / many[True] > 3 * wrong[False] / many[False], (wrong, many)


def worn(picture: np.ndarray, seed: int) -> np.ndarray:
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1
    seen = wear(pixels, torch.Generator().manual_seed(int(seed) % 2**31), 1.0)
    return ((seen[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()


def test_ink_has_no_colours_and_an_unnamed_style_goes_unsaid() -> None:
    assert propose(view(found(BALL), found(MAN, 60), style="ink wash")).caption == (
        "an ink wash of a ball and a man on grass"
    )
    assert propose(view(found(BALL), style="blueprint")).caption.split()[-3:] == ["ball", "on", "grass"]
    assert "blueprint" not in propose(view(found(BALL), style="blueprint")).caption


def test_a_picture_of_another_world_is_not_described() -> None:
    with pytest.raises(ImageUnsupportedError, match="grass, 30 %"):
        propose(view(found(BALL), sure=0.3))


def test_of_many_things_the_surest_are_named() -> None:
    many = [found(BALL, 15 * k, score=1 - 0.1 * k) for k in range(6)]
    assert propose(view(*many)).description.count == MOST


# --- pictures -------------------------------------------------------------------------------------------


def test_captions_of_fresh_photos_are_true(judge: Judge) -> None:
    scenes = [sample_scene(seed, count=1 + seed % 2, style="photo") for seed in FRESH[300:360]]
    true = []
    for scene in scenes:
        proposal = describe(judge, render(scene, 128, masks=False).image)
        true.append(describes(proposal.description, scene))
        assert parse(proposal.caption).count == proposal.description.count
    assert sum(true) >= 0.85 * len(true), f"{sum(true)} of {len(true)}"


@pytest.mark.parametrize("style", [style for style in STYLES if style != "photo"])
def test_captions_of_other_styles_are_true(judge: Judge, style: str) -> None:
    scenes = [sample_scene(seed, count=1, style=style) for seed in FRESH[400:425]]
    true = 0
    for scene in scenes:
        with suppress(ImageUnsupportedError):  # "write it yourself" is no true caption
            true += describes(describe(judge, render(scene, 128, masks=False).image).description, scene)
    assert true >= 0.75 * len(scenes), f"{true} of {len(scenes)}"


def test_a_figure_is_called_by_the_noun_that_learning_starts_from(judge: Judge) -> None:
    said = []
    for concept in ("owl", "teapot", "tiger-doll"):
        for scene in view_scenes(CONCEPTS[concept], 3, FRESH[500]):
            proposal = describe(judge, render(scene, 128, masks=False).image)
            said.append(CONCEPTS[concept].noun in proposal.caption.split())
    assert sum(said) >= 8, f"{sum(said)} of 9"


def test_a_held_out_style_leaves_its_things_described(judge: Judge) -> None:
    scenes = [sample_scene(s, count=1, style="photo", kinds=("solid",)) for s in FRESH[510:520]]
    right = 0
    for scene in scenes:
        solid = scene.placed[0].thing
        assert isinstance(solid, Solid)
        description = describe(
            judge, render(restyle(scene, "embroidery"), 128, masks=False).image
        ).description
        assert description.style is None
        right += description.count == 1 and description.mentions[0].noun in (solid.shape, "thing")
    assert right >= 7
