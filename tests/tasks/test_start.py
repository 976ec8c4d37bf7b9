"""What an edit begins from: chosen by name, or the subject's own picture where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from palimpsest.contract import EditRequest, InversionSettings, LearnRequest, request_of
from palimpsest.core.attention.probe import NOISE_LEVELS
from palimpsest.core.concept import Concept
from palimpsest.core.learning import subject
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture import drawing
from palimpsest.core.picture.region import Mask
from palimpsest.core.steps import Step, Steps
from palimpsest.errors import RequestError, SelectionEmptyError, SelectionError
from palimpsest.jobs.events import Event, Finished, Progressed
from palimpsest.storage.concept_card import Provenance
from palimpsest.storage.pictures import read_picture, read_selection
from palimpsest.storage.png import encode
from palimpsest.tasks.context import MOST_DRAWINGS
from palimpsest.tasks.recipe import differences
from palimpsest.tasks.runner import TaskRunner
from tiny_task import SHOWS, finish, picture, selection

STEPS = 4
INSERTED = "a photo of a cat and a <my-toy> on grass"
DOG = "a photo of a cat and a dog on grass"
DRAWN = 2 * drawing.MOST_STEPS + len(NOISE_LEVELS)  # evaluations of one drawing
REPLACED = "a photo of a <my-toy> on grass"


def red(height: int = 30, width: int = 30) -> np.ndarray:
    """A cut-out that is all red."""
    return np.full((height, width, 4), np.array([255, 0, 0, 255], np.uint8))


@pytest.fixture
def taught(runner: TaskRunner) -> TaskRunner:
    """It knows <my-toy>, which is kept with two pictures, and <bare>, which has none."""
    rows = torch.randn(2, 24, generator=torch.Generator().manual_seed(5)) * 0.1
    green = red()[..., [1, 0, 2, 3]]
    toy = Concept("<my-toy>", (rows,), "sd1", "subject", "toy")
    runner.concepts.save(toy, Provenance(), pictures=[red(), green])
    runner.concepts.save(replace(toy, placeholder="<bare>"), Provenance())
    return runner


def request(runner: TaskRunner, folder: Path, **changes: Any) -> EditRequest:
    made = EditRequest(
        image=runner.images.put(picture()),
        selection=runner.images.put(selection()),
        operation="insert",
        source_prompt=SHOWS,
        target_prompt=INSERTED,
        model=str(folder),
        inversion=InversionSettings(steps=STEPS, guidance=3.0),
    )
    return replace(made, **changes)


def run(runner: TaskRunner, made: EditRequest | LearnRequest) -> Finished:
    return finish(runner.do(made))


def begun(finished: Finished) -> tuple[str, list[str]]:
    recipe = finished.result["recipe"]
    return recipe["request"]["begin_from"], list(recipe.get("views", {}))


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({}, ("view", ["<my-toy>"])),
        ({"begin_from": "noise"}, ("noise", [])),
        ({"begin_from": "photo"}, ("photo", [])),
        ({"begin_from": "drawing"}, ("drawing", [])),
        ({"target_prompt": "a photo of a cat and a <bare> on grass"}, ("drawing", [])),
        ({"target_prompt": DOG}, ("drawing", [])),
        ({"target_prompt": SHOWS}, ("noise", [])),
        ({"selection": None}, ("photo", [])),
        ({"operation": "replace", "target_prompt": REPLACED}, ("view", ["<my-toy>"])),
        ({"operation": "replace", "target_prompt": REPLACED, "begin_from": "photo"}, ("photo", [])),
        ({"operation": "replace", "target_prompt": "a photo of a <bare> on grass"}, ("photo", [])),
        ({"operation": "replace", "target_prompt": REPLACED, "selection": None}, ("photo", [])),
        (
            {"operation": "replace", "target_prompt": "a photo of a dog on grass", "begin_from": "drawing"},
            ("drawing", []),
        ),
        ({"operation": "restyle", "target_prompt": "an oil painting of a cat on grass"}, ("automatic", [])),
    ],
)
def test_it_is_chosen_and_told(
    taught: TaskRunner, sd1_folder: Path, changes: dict[str, Any], start: tuple[str, list[str]]
) -> None:
    finished = run(taught, request(taught, sd1_folder, **changes))
    assert begun(finished) == start
    assert finished.result["pixels_changed_outside"] == 0


@pytest.mark.parametrize("operation", ["insert", "replace"])
def test_without_freedom_the_pasted_view_itself_comes_out(
    taught: TaskRunner, sd1_folder: Path, operation: str
) -> None:
    """The tiny autoencoder draws no red, but what it makes of the pasted view is known."""
    target = INSERTED if operation == "insert" else REPLACED
    begun_from = {"begin_from": "view", "freedom": 0.0, "feather": 0}
    made = request(taught, sd1_folder, operation=operation, target_prompt=target, **begun_from)
    finished = run(taught, made)
    looking = 0 if operation == "insert" else len(NOISE_LEVELS)  # for the cat
    assert finished.result["unet_evaluations"] == looking, "none to sample, and so none to remember the photo"
    other = run(taught, replace(made, seed=1))
    assert other.artifacts["composite"] != finished.artifacts["composite"], "another seed takes another view"
    assert run(taught, replace(made, seed=2)).artifacts["composite"] == finished.artifacts["composite"]
    before = read_picture(taught.images.get(made.image)).pixels
    after = read_picture(taught.images.get(finished.artifacts["composite"])).pixels
    outside = read_selection(selection(), (72, 88)) == 0
    assert np.array_equal(before[outside], after[outside])
    assert (before != after).any()


def test_freedom_is_how_much_of_the_steps_is_sampled(taught: TaskRunner, sd1_folder: Path) -> None:
    made = request(taught, sd1_folder)
    counts = [
        run(taught, replace(made, freedom=freedom)).result["unet_evaluations"]
        for freedom in (0.0, 0.25, 0.5, 1.0)
    ]
    assert counts == [0, 3, 5, 10], (
        "each step evaluates a target with words and without, and the photo where it isn't remembered so far"
    )
    again = run(taught, replace(made, freedom=0.5)).result
    assert (again["unet_evaluations"], again["remembered"]) == (4, True)


def test_each_seed_takes_a_drawing_of_its_own_and_the_same_one_again(
    taught: TaskRunner, sd1_folder: Path
) -> None:
    """Without freedom the drawing itself comes out, and nothing is sampled beside it."""
    made = request(taught, sd1_folder, target_prompt=DOG, freedom=0.0, seed=2, variations=2)
    finished = run(taught, made)
    assert finished.result["unet_evaluations"] == 2 * DRAWN
    first, second = (finished.artifacts[name] for name in ("composite", "composite:2"))
    assert first != second
    for seed, composite in ((2, first), (3, second)):
        alone = run(taught, replace(made, seed=seed, variations=1))
        assert alone.artifacts["composite"] == composite
        assert alone.result["unet_evaluations"] == 0, "the drawing is kept"
    taught.drawings.clear()
    anew = run(taught, made)
    assert anew.artifacts["composite"] == first
    assert anew.result["unet_evaluations"] == 2 * DRAWN
    recipe = finished.result["recipe"]
    assert differences(recipe, taught) == []
    assert run(taught, request_of(recipe)).artifacts == finished.artifacts


def test_the_last_drawings_are_kept_and_those_of_other_words_are_others(
    taught: TaskRunner, sd1_folder: Path
) -> None:
    made = request(taught, sd1_folder, target_prompt=DOG, freedom=0.0)
    run(taught, made)
    other = replace(made, inversion=replace(made.inversion, guidance=2.0))
    assert run(taught, other).result["unet_evaluations"] == DRAWN
    for number in range(MOST_DRAWINGS - 2):
        taught.keep_drawing(str(number), np.zeros((1, 1, 4), np.uint8))
    assert run(taught, made).result["unet_evaluations"] == 0
    taught.keep_drawing("one more", np.zeros((1, 1, 4), np.uint8))
    assert run(taught, other).result["unet_evaluations"] == DRAWN, "the one longest unused is gone"
    assert len(taught.drawings) == MOST_DRAWINGS


def test_a_drawing_is_told_of_and_can_be_stopped_at_each_step(taught: TaskRunner, sd1_folder: Path) -> None:
    made = request(taught, sd1_folder, target_prompt=DOG, variations=2)
    run(taught, made)  # remembers the photo
    taught.drawings.clear()
    taught.trajectory = None
    events = [event for event in taught.do(made) if isinstance(event, Progressed)]
    told = [(event.index, event.total) for event in events if event.phase == "sampling"]
    assert told == [(number, 2 * drawing.MOST_STEPS) for number in range(1, 2 * drawing.MOST_STEPS + 1)]
    assert [event.index for event in events if event.phase == "looking"] == [*range(1, 2 * drawing.LOOKS + 1)]
    left = [event.seconds_left for event in events if event.phase in ("sampling", "editing")]
    assert None not in left
    assert left[-1] == 0
    undisturbed = run(taught, made).artifacts
    for steps in (5, drawing.MOST_STEPS + 1, drawing.MOST_STEPS + drawing.LOOKS + 1):
        taught.drawings.clear()
        broken = taught.do(made)
        for _ in range(steps):
            next(broken)
        broken.close()
        assert run(taught, made).artifacts == undisturbed, "the model is as it was"


def test_the_recipe_makes_the_same_again_and_says_when_the_pictures_are_others(
    taught: TaskRunner, sd1_folder: Path
) -> None:
    finished = run(taught, request(taught, sd1_folder, variations=2))
    recipe = finished.result["recipe"]
    assert differences(recipe, taught) == []
    assert run(taught, request_of(recipe)).artifacts == finished.artifacts
    toy = taught.concepts.load("my-toy")
    taught.concepts.save(toy, Provenance(), replace=True, pictures=[red(20, 30)])
    assert differences(recipe, taught) == ["the pictures of <my-toy> are others since"]
    taught.concepts.save(toy, Provenance(), replace=True)
    with pytest.raises(RequestError, match="No picture of <my-toy> is kept"):
        run(taught, request_of(recipe))


def test_somebody_elses_word_is_inserted_without_its_pictures(taught: TaskRunner, sd1_folder: Path) -> None:
    toy = taught.concepts.load("my-toy")
    taught.concepts.remove("my-toy")
    taught.concepts.save(toy, Provenance(), owner="anna", pictures=[red()])
    made = request(taught, sd1_folder)
    assert begun(run(replace(taught, owner="anna"), made)) == ("view", ["<my-toy>"])
    assert begun(run(replace(taught, owner="bert"), made)) == ("drawing", [])
    with pytest.raises(RequestError, match="for you"):
        run(replace(taught, owner="bert"), replace(made, begin_from="view", freedom=0.0))


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each picture that any model encodes from now on."""
    made, encode = [], DiffusionModel.encode

    def counting(model: DiffusionModel, pixels: torch.Tensor) -> torch.Tensor:
        made.append(len(pixels))
        return encode(model, pixels)

    monkeypatch.setattr(DiffusionModel, "encode", counting)
    return made


def five_views(runner: TaskRunner) -> None:
    shades = [np.full((30, 30, 4), np.array([shade, 90, 0, 255], np.uint8)) for shade in range(5, 255, 50)]
    runner.concepts.save(runner.concepts.load("my-toy"), Provenance(), replace=True, pictures=shades)


def test_only_the_views_that_the_variations_take_are_encoded(
    taught: TaskRunner, sd1_folder: Path, encoded: list[int]
) -> None:
    five_views(taught)
    made = request(taught, sd1_folder, begin_from="view", freedom=0.0, variations=7)
    every = run(taught, made).artifacts
    of_photo = len(encoded) - 5
    for seed, variations in ((0, 1), (3, 1), (1, 3), (4, 2)):
        encoded.clear()
        some = run(taught, replace(made, seed=seed, variations=variations)).artifacts
        assert len(encoded) == of_photo + variations
        for number in range(variations):
            name, same = ("composite" if at == 0 else f"composite:{at + 1}" for at in (number, seed + number))
            assert some[name] == every[same], "the same view as among all"
    encoded.clear()
    run(taught, replace(made, variations=1, draft=True))
    assert len(encoded) <= of_photo + 1


def test_an_edit_can_be_stopped_between_two_views(
    taught: TaskRunner, sd1_folder: Path, encoded: list[int]
) -> None:
    five_views(taught)
    counts = []
    for event in taught.do(request(taught, sd1_folder, begin_from="view", variations=4)):
        if isinstance(event, Progressed) and event.phase == "preparing":
            counts.append((event.index, event.total, len(encoded)))
    first = counts[0][2]
    assert counts == [(done, 4, first + done) for done in range(4)]


def test_a_recipe_tells_of_the_pictures_that_were_laid_in_and_not_of_later_ones(
    taught: TaskRunner, sd1_folder: Path
) -> None:
    made = request(taught, sd1_folder, begin_from="view")
    before = run(taught, made).result["recipe"]["views"]
    taught.trajectory = None  # or there would be no step to relearn it in
    assert finish(relearned_meanwhile(taught, made)).result["recipe"]["views"] == before
    assert run(taught, made).result["recipe"]["views"] != before


def relearned_meanwhile(runner: TaskRunner, made: EditRequest) -> Iterator[Event]:
    """The edit, while whose first step the subject's pictures become others."""
    waiting = True
    for event in runner.do(made):
        if waiting and isinstance(event, Progressed) and event.phase == "editing":
            waiting = False
            five_views(runner)
        yield event


@pytest.mark.parametrize(
    ("operation", "selected", "start"),
    [("insert", True, "noise"), ("insert", False, "photo"), ("replace", True, "photo")],
)
def test_a_recipe_of_before_begins_as_it_did(operation: str, selected: bool, start: str) -> None:
    told = {"image": "1" * 64, "operation": operation, "source_prompt": SHOWS, "target_prompt": INSERTED}
    if selected:
        told["selection"] = "2" * 64
    assert request_of({"kind": "edit", "request": told}).begin_from == start
    restyled = {**told, "operation": "restyle"}
    assert request_of({"kind": "edit", "request": restyled}).begin_from == "automatic"


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"begin_from": "view", "selection": None}, SelectionError, "Nothing is selected for"),
        ({"begin_from": "view", "target_prompt": "a photo of a dog on grass"}, RequestError, "No learned"),
        (
            {"begin_from": "view", "target_prompt": "a photo of a cat and a <bare> on grass"},
            RequestError,
            "No picture of <bare>",
        ),
        ({"begin_from": "drawing", "selection": None}, SelectionError, "Nothing is selected for"),
        ({"begin_from": "drawing", "target_prompt": SHOWS}, RequestError, "No word comes in"),
        ({"begin_from": "noise", "operation": "remove"}, RequestError, "remove begins"),
        ({"freedom": 0.5, "operation": "restyle"}, RequestError, "restyle begins from the photo"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    taught: TaskRunner, sd1_folder: Path, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as refusal:
        run(taught, request(taught, sd1_folder, **changes))
    assert refusal.value.hint  # pyright: ignore[reportAttributeAccessIssue]


def learned(runner: TaskRunner, folder: Path, **changes: Any) -> LearnRequest:
    images = tuple(runner.images.put(picture(seed=seed)) for seed in range(3))
    made = LearnRequest("other", images, "toy", steps=2, model=str(folder), accept_outliers=True)
    return replace(made, **changes)


def test_a_learned_subject_keeps_the_pictures_that_say_where_it_is(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    mask = runner.images.put(selection())
    run(runner, learned(runner, sd1_folder, masks=(mask, None, mask)))
    kept = runner.concepts.pictures("other")
    where = read_selection(selection(), (72, 88))
    rows, columns = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shown = [read_picture(picture(seed=seed)).pixels for seed in (0, 2)]
    assert len(kept) == 2
    assert all(np.array_equal(cut[..., :3], whole[box]) for cut, whole in zip(kept, shown, strict=True))
    assert all(np.array_equal(cut[..., 3], where[box]) for cut in kept)
    run(runner, learned(runner, sd1_folder, kind="style", masks=(mask, None, mask), replace=True))
    assert runner.concepts.pictures("other") == (), "a style has no subject"


def test_a_word_that_is_learned_on_keeps_its_pictures_until_there_are_new_ones(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    mask, once = runner.images.put(selection()), learned(runner, sd1_folder)
    run(runner, replace(once, masks=(mask, None, mask)))
    kept, rows = runner.concepts.pictures("other"), runner.concepts.card("other").rows_hash
    on = replace(once, start="other", replace=True)
    run(runner, on)
    assert runner.concepts.card("other").rows_hash != rows
    assert all(map(np.array_equal, runner.concepts.pictures("other"), kept))
    assert len(runner.concepts.pictures("other")) == len(kept) == 2
    run(runner, replace(on, seed=1, masks=(None, mask, None)))
    assert len(runner.concepts.pictures("other")) == 1
    next(runner.concepts.folder.glob("*.cutouts")).write_bytes(b"broken")
    result = run(runner, replace(on, seed=2)).result
    assert "other.cutouts can't be read" in result["notices"][0]
    assert len(runner.concepts.pictures("other")) == sum(result["found"]) > 0, "looked for anew"


def test_learning_on_from_anothers_word_takes_none_of_its_pictures(
    taught: TaskRunner, sd1_folder: Path
) -> None:
    made, theirs = learned(taught, sd1_folder, start="my-toy"), taught.concepts.pictures("my-toy")
    assert theirs
    result = run(replace(taught, owner="somebody"), made).result
    own = taught.concepts.pictures("other")
    assert len(own) == sum(result["found"]) > 0, "cut out of the pictures that are given"
    assert not any(np.array_equal(one, other) for one in own for other in theirs)


def test_a_subject_without_masks_is_looked_for_and_an_insertion_begins_from_it(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    """The masks that people give come first; what was found is told, and counts for no mask of theirs."""
    finished = run(runner, learned(runner, sd1_folder))
    result = finished.result
    assert (result["masks"], len(result["found"])) == ([False] * 3, 3)
    assert len(runner.concepts.pictures("other")) == sum(result["found"]) > 0
    masks = [finished.artifacts.get(f"found:{number}") for number in (1, 2, 3)]
    assert [mask is not None for mask in masks] == result["found"], "what was found is there to be looked at"
    shown = next(mask for mask in masks if mask is not None)
    assert set(np.unique(read_selection(runner.images.get(shown), (72, 88)))) == {0, 255}
    assert "let edits begin from noise or the photo" in result["notices"][-1]
    assert runner.concepts.card("other").provenance.settings["cutouts"] == "found"
    again = run(runner, learned(runner, sd1_folder, replace=True)).result
    assert again["rows_hash"] == result["rows_hash"]
    mask = runner.images.put(selection())
    given = run(runner, learned(runner, sd1_folder, masks=(mask, None, None), replace=True)).result
    assert len(runner.concepts.pictures("other")) == 1
    assert (given["found"], given["notices"], given["cutouts"]) == ([False] * 3, [], "marked")
    assert runner.concepts.card("other").provenance.settings["cutouts"] == "marked"


def test_what_was_only_found_or_of_another_noun_is_not_kept_when_learning_on(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    mask, once = runner.images.put(selection()), learned(runner, sd1_folder)
    run(runner, once)
    other_pictures = tuple(runner.images.put(picture(seed=seed)) for seed in (5, 9, 3))
    on = replace(once, name="third", start="other", images=other_pictures)
    assert "so the model looked for it" in run(runner, on).result["notices"][-1], "it was found, not marked"
    run(runner, replace(once, masks=(mask, mask, mask), replace=True))
    marked = runner.concepts.pictures("other")
    run(runner, replace(on, replace=True))
    assert all(map(np.array_equal, runner.concepts.pictures("third"), marked)), "marked ones stay"
    run(runner, replace(on, replace=True, noun="dog"))
    assert not any(map(np.array_equal, runner.concepts.pictures("third"), marked)), "another noun"


def test_where_nothing_is_found_that_is_said(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: Any) -> Steps[list[Mask]]:
        yield Step("probe", 1, 1)
        return [np.zeros((88, 72), np.uint8)] * 3

    monkeypatch.setattr(subject, "outlined", nothing)
    result = run(runner, learned(runner, sd1_folder)).result
    assert (result["found"], result["cutouts"]) == ([False] * 3, None)
    assert "The model didn't find <other>" in result["notices"][-1]
    assert runner.concepts.pictures("other") == ()


def test_a_mask_of_what_is_transparent_is_refused_before_anything_is_loaded(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    opaque = np.zeros((88, 72), np.uint8)
    opaque[:, 40:] = 255
    pixels = np.dstack([read_picture(picture()).pixels, opaque])
    images = (runner.images.put(encode(pixels)), *learned(runner, sd1_folder).images[1:])
    mask = np.zeros((88, 72), np.uint8)
    mask[:, :30] = 255
    masks = (runner.images.put(encode(mask)), None, None)
    with pytest.raises(SelectionEmptyError, match="selects nothing that can be seen"):
        run(runner, learned(runner, sd1_folder, images=images, masks=masks))
    assert not runner.models.loaded
