"""The shipped judge, on scenes that its training never drew, and the recipe that made it."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from palimpsest.bench.judge import Outcome, examine
from palimpsest.bench.statistics import Rate, rate
from palimpsest.builtin.judge import FOLDER, Judge, find_boxes, load_judge, overlap, with_threshold
from palimpsest.builtin.judge_crops import crop, working_size
from palimpsest.builtin.judge_net import CELL, CROP, SIDE
from palimpsest.errors import (
    ImageUnsupportedError,
    ModelNotFoundError,
    ModelUnreadableError,
    RequestError,
    SelectionEmptyError,
    SelectionSizeError,
)
from palimpsest.scenes import edits
from palimpsest.scenes.concepts import CONCEPTS, view_scenes
from palimpsest.scenes.scene import TEST_SEEDS, render, sample_scene
from palimpsest.scenes.things import STYLES, Person, Scene, Solid
from palimpsest.scenes.truth import box_of
from palimpsest.training.judge_data import REGION_LABELS, SCENE_LABELS, study, study_scene, unpack
from palimpsest.training.judge_train import Course, main, train

FRESH = TEST_SEEDS[90_000:100_000]
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load_judge()


@lru_cache(maxsize=1)
def photo_outcomes() -> tuple[Outcome, ...]:
    torch.set_num_threads(1)
    scenes = [sample_scene(seed, count=1 + seed % 3, style="photo") for seed in FRESH[:110]]
    return tuple(examine(load_judge(), scenes, SIDE))


def measured(question: str) -> Rate:
    return rate(outcome.right for outcome in photo_outcomes() if outcome.question == question)


# --- what it reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "least", "enough"),
    [
        ("kind", 0.95, 150), ("colour", 0.95, 100), ("texture", 0.95, 100), ("shirt", 0.93, 25),
        ("trousers", 0.93, 25), ("hair", 0.9, 25), ("skin", 0.9, 25), ("nothing", 0.95, 60),
        ("ground", 0.97, 100), ("style", 0.97, 100), ("count", 0.93, 100), ("no concept", 0.98, 150),
    ],
)  # fmt: skip
def test_photos_it_never_saw_are_read_right(question: str, least: float, enough: int) -> None:
    result = measured(question)
    assert result.n >= enough
    assert result.hits / result.n >= least, f"{question}: {result}"


@pytest.mark.parametrize("style", [style for style in STYLES if style != "photo"])
def test_every_named_style_is_read_right(judge: Judge, style: str) -> None:
    scenes = [sample_scene(seed, count=1, style=style) for seed in FRESH[200:230]]
    outcomes = list(examine(judge, scenes, SIDE))
    kinds = rate(o.right for o in outcomes if o.question == "kind")
    styles = rate(o.right for o in outcomes if o.question == "style")
    assert kinds.hits >= 0.85 * kinds.n, f"kind: {kinds}"
    assert styles.hits >= 0.93 * styles.n, f"style: {styles}"


def test_learned_subjects_are_recognised_by_name(judge: Judge) -> None:
    right = []
    for name, concept in CONCEPTS.items():
        for scene in view_scenes(concept, 3, FRESH[0]):
            rendering = render(scene, SIDE, masks=False)
            right.append(judge.read_regions(rendering.image, list(rendering.bodies))[0].concept == name)
    assert sum(right) >= 0.9 * len(right), f"{sum(right)} of {len(right)}"


def test_pictures_of_twice_the_size_are_read_alike(judge: Judge) -> None:
    scenes = [sample_scene(seed, count=2, style="photo", kinds=("solid",)) for seed in FRESH[300:325]]
    outcomes = [o for o in examine(judge, scenes, 2 * SIDE) if o.question in ("kind", "colour", "texture")]
    assert sum(o.right for o in outcomes) >= 0.95 * len(outcomes)


def test_a_true_edit_changes_exactly_what_was_edited(judge: Judge) -> None:
    """Recolour, reshape, retexture, remove: the judge's answer follows the edit and nothing else."""
    right, asked = 0, 0
    for seed in FRESH[400:420]:
        scene = sample_scene(seed, count=1, style="photo", kinds=("solid",))
        solid = scene.placed[0].thing
        assert isinstance(solid, Solid)
        targets = [
            edits.recolour(scene, 0, "blue" if solid.colour != "blue" else "red"),
            edits.reshape(scene, 0, "star" if solid.shape != "star" else "cube"),
            edits.retexture(scene, 0, "checked" if solid.texture != "checked" else "plain"),
        ]
        for target in targets:
            rendering = render(target, SIDE, masks=False)
            reading = judge.read_regions(rendering.image, list(rendering.bodies))[0]
            right, asked = right + (reading.thing == target.placed[0].thing), asked + 1
        body = render(scene, SIDE, masks=False).bodies[0]
        gone = render(edits.remove(scene, 0), SIDE, masks=False).image
        right, asked = right + (judge.read_regions(gone, [body])[0].thing is None), asked + 1
    assert right >= 0.93 * asked, f"{right} of {asked}"


def test_a_new_shirt_is_a_new_shirt_and_the_same_trousers(judge: Judge) -> None:
    right = []
    for seed in FRESH[500:520]:
        scene = sample_scene(seed, count=1, style="photo", kinds=("person",))
        person = scene.placed[0].thing
        assert isinstance(person, Person)
        other = "green" if person.shirt != "green" else "purple"
        rendering = render(edits.reclothe(scene, 0, shirt=other), SIDE, masks=False)
        reading = judge.read_regions(rendering.image, list(rendering.bodies))[0]
        right.append((str(reading.shirt), str(reading.trousers)) == (other, person.trousers))
    assert sum(right) >= 0.9 * len(right), f"{sum(right)} of {len(right)}"


# --- how it is asked ------------------------------------------------------------------------------------


def test_a_picture_is_seen_alike_alone_and_among_others(judge: Judge) -> None:
    pictures = [render(sample_scene(seed), SIDE, masks=False).image for seed in FRESH[600:605]]
    together = judge.look(pictures)
    for picture, view in zip(pictures, together, strict=True):
        alone = judge.look([picture])[0]
        assert [f.box for f in alone.found] == [f.box for f in view.found]
        assert [f.reading.thing for f in alone.found] == [f.reading.thing for f in view.found]
        assert alone.ground.confidence == pytest.approx(view.ground.confidence, abs=1e-4)


def test_pictures_of_several_sizes_and_wide_ones_can_be_looked_at_together(judge: Judge) -> None:
    square = render(sample_scene(FRESH[610], count=1, style="photo"), SIDE, masks=False).image
    wide = np.concatenate([square, square[:, ::-1]], axis=1)
    views = judge.look([square, wide])
    assert [view.size for view in views] == [(SIDE, SIDE), (SIDE, 2 * SIDE)]
    assert len(views[1].found) == 2
    assert views[1].found[1].box[0] >= SIDE, "boxes are in the picture's own pixels"


def test_boxes_of_a_large_picture_are_in_its_own_pixels(judge: Judge) -> None:
    scene = sample_scene(FRESH[620], count=1, style="photo", kinds=("solid",))
    rendering = render(scene, 3 * SIDE, masks=False)
    found = judge.look([rendering.image])[0].found
    assert overlap(found[0].box, box_of(rendering.bodies[0])) > 0.7


def test_nothing_is_asked_when_no_region_is_marked(judge: Judge) -> None:
    assert judge.read_regions(np.zeros((SIDE, SIDE, 3), np.uint8), []) == []


def test_an_empty_region_and_one_of_another_size_are_refused(judge: Judge) -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    with pytest.raises(SelectionEmptyError):
        judge.read_regions(picture, [np.zeros((64, 96), np.bool_)])
    with pytest.raises(SelectionSizeError, match=r"64x96.*96x64"):
        judge.read_regions(picture, [np.ones((96, 64), np.bool_)])


@pytest.mark.parametrize(
    "picture",
    [np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.float32)],
)
def test_pictures_that_are_not_8_bit_rgb_are_refused(judge: Judge, picture: np.ndarray) -> None:
    with pytest.raises(ImageUnsupportedError):
        judge.look([picture])


# --- its parts ------------------------------------------------------------------------------------------


def test_a_region_at_the_border_is_cropped_around_its_centre() -> None:
    """The crop repeats the picture's edge beyond the border, and the mask stays where the region is."""
    picture = torch.zeros(1, 3, SIDE, SIDE)
    picture[..., 0] = 1.0  # the leftmost column is white
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, 40:60, 0:10] = 1
    seen = crop(picture, mask, torch.tensor([[0.0, 50.0, 48.0]]))
    assert seen.shape == (1, 4, CROP, CROP)
    assert (seen[0, 0, :, : CROP // 2] == 1).all(), "left of the border its white edge goes on"
    assert seen[0, 3, CROP // 2, CROP // 2 + 4] == 1
    assert (seen[0, 3, :, : CROP // 2 - 1] == -1).all(), "beyond the border there is no region"


def test_peaks_become_boxes_and_the_same_thing_is_found_once() -> None:
    heat = torch.full((16, 16), -6.0)
    heat[4, 5], heat[4, 6], heat[10, 12] = 3.0, 2.0, 1.0
    box = torch.full((4, 16, 16), 2.0)
    found = find_boxes(heat, box, 0.5)
    x, y, reach = 5.5 * CELL, 4.5 * CELL, 2 * CELL
    assert found[0][0] == (x - reach, y - reach, x + reach, y + reach)
    assert [round(score, 3) for _, score in found] == [0.953, 0.731]
    assert find_boxes(heat, box, 0.9)[0] == found[0]
    assert len(find_boxes(heat, box, 0.9)) == 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [((128, 128), (128, 128)), ((256, 256), (128, 128)), ((96, 128), (128, 176)), ((60, 600), (128, 256))],
)
def test_pictures_are_read_with_a_short_side_of_128(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert working_size(*size) == expected


def test_a_higher_threshold_finds_no_more(judge: Judge) -> None:
    picture = render(sample_scene(FRESH[630], count=4), SIDE, masks=False).image
    counts = [len(with_threshold(judge, t).look([picture])[0].found) for t in (0.05, 0.3, 0.6, 0.99)]
    assert counts == sorted(counts, reverse=True)


# --- its files ------------------------------------------------------------------------------------------


def test_the_shipped_judge_is_small_half_precision_and_knows_the_generators_words(judge: Judge) -> None:
    files = list(FOLDER.iterdir())
    assert sum(file.stat().st_size for file in files) <= 10 * MEGABYTE
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    weights = load_file(FOLDER / "region.safetensors")
    assert {t.dtype for t in weights.values() if t.is_floating_point()} == {torch.float16}
    assert {head: tuple(words) for head, words in judge.region_labels.items()} == REGION_LABELS
    assert {head: tuple(words) for head, words in judge.scene_labels.items()} == SCENE_LABELS


def test_a_missing_or_damaged_judge_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no judge"):
        load_judge(tmp_path)
    shutil.copytree(FOLDER, tmp_path / "judge")
    weights = tmp_path / "judge" / "scene.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelUnreadableError, match="judge"):
        load_judge(tmp_path / "judge")


# --- its training ---------------------------------------------------------------------------------------

TINY = Course(
    scenes=8,
    validation=4,
    round_trips=0,
    region_steps=3,
    region_batch=4,
    scene_steps=3,
    scene_batch=2,
    shard=4,
)


def test_training_examples_hold_the_truth_of_their_scene() -> None:
    for seed in range(20):
        scene, example = study_scene(seed), study(seed)
        assert SCENE_LABELS["count"][example["whole"][2]] == str(len(scene.placed))
        bodies = unpack(torch.from_numpy(example["bodies"])).numpy() > 0.5
        _, true = example["picture"], render(scene, SIDE, masks=False).bodies
        if seed % 8:  # every eighth is drawn larger and scaled down
            assert np.array_equal(bodies[: len(true)], true)
        for i, placed in enumerate(scene.placed):
            if example["answers"][i, 0] >= 0 and isinstance(placed.thing, Solid):
                assert REGION_LABELS["kind"][example["answers"][i, 0]] == placed.thing.shape


def test_training_seeds_and_test_seeds_never_meet() -> None:
    course = Course()
    assert course.scenes <= TEST_SEEDS.start
    assert not set(range(course.scenes)) & set(TEST_SEEDS)


def test_an_interrupted_training_ends_in_the_same_weights(tmp_path: Path) -> None:
    list(train(tmp_path / "whole", TINY))
    events = train(tmp_path / "broken", TINY)
    assert isinstance(events, Generator)
    for event in events:
        if (event.stage, event.step) == ("region", 2):
            events.close()
            break
    again = list(train(tmp_path / "broken", TINY))
    assert [e.step for e in again if e.stage == "region"] == [1, 2, 3], "nothing was saved before step 200"
    once_more = list(train(tmp_path / "broken", TINY))
    assert [e.stage for e in once_more if e.stage != "draw"] == [], "what is finished isn't done again"
    for name in ("region", "scene"):
        whole = load_file(tmp_path / "whole" / "judge" / f"{name}.safetensors")
        broken = load_file(tmp_path / "broken" / "judge" / f"{name}.safetensors")
        assert all(torch.equal(whole[key], broken[key]) for key in whole)
    assert load_judge(tmp_path / "whole" / "judge").threshold > 0


def test_training_refuses_nonsense(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RequestError, match="whole shards"):
        replace(TINY, scenes=9)
    assert main([str(tmp_path), "--region-batch", "0"]) == 2
    assert "region_batch is 0" in capsys.readouterr().err


def test_an_empty_scene_shows_nothing(judge: Judge) -> None:
    found = [
        len(judge.look([render(Scene((), ground, "photo", seed), SIDE, masks=False).image])[0].found)
        for seed, ground in zip(FRESH[700:707], SCENE_LABELS["ground"], strict=True)
    ]
    assert sum(found) <= 1
