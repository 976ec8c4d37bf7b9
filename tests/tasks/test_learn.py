"""A word is learned, kept with its origin, goes on after an interruption; bad sets are refused."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from palimpsest.errors import (
    ConceptExistsError,
    ConceptImagesError,
    ConceptNameError,
    ConceptNotFoundError,
    ConceptOwnedError,
    ImageUnreadableError,
    RequestError,
    SelectionEmptyError,
    SelectionSizeError,
    StorageError,
)
from palimpsest.jobs.events import Previewed, Progressed
from palimpsest.storage.pictures import read_example, read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks.learn import read_examples
from palimpsest.tasks.runner import TaskRunner
from tasks.learn_requests import STEPS, broken_off, request, run
from tiny_task import finish, picture, selection


def test_the_word_is_kept_with_where_it_came_from(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, vectors=3)
    result = run(runner, made).result
    card = runner.concepts.card("my-toy")
    assert (result["placeholder"], result["vectors"], result["rows_hash"]) == ("<my-toy>", 3, card.rows_hash)
    assert (card.family, card.noun, card.widths) == ("sd1", "toy", (24,))
    assert card.provenance.sources == made.images
    assert card.provenance.weights_hash == runner.models.get(str(sd1_folder)).weights_hash
    assert runner.concepts.thumbnail("my-toy") is not None
    assert not list(runner.learning.glob("*"))


def test_the_word_is_seen_while_it_is_learned(runner: TaskRunner, sd1_folder: Path) -> None:
    unseen = run(runner, request(runner, sd1_folder)).result["rows_hash"]
    runner.concepts.remove("my-toy")
    events = list(replace(runner, previews=True).do(request(runner, sd1_folder)))
    seen = [event for event in events if isinstance(event, Previewed)]
    assert seen
    side = runner.models.get(str(sd1_folder)).native_size
    assert read_picture(runner.images.get(seen[0].image)).size == (side, side)
    assert runner.concepts.card("my-toy").rows_hash == unseen


def test_an_interrupted_run_goes_on_and_ends_in_the_same_word(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, masks=(runner.images.put(selection()), None, None))
    whole = run(runner, made).result
    runner.concepts.remove("my-toy")
    broken = runner.do(made)
    for event in broken:
        if isinstance(event, Progressed) and event.phase == "learning" and event.index == 3:
            break
    broken.close()
    assert [card.name for card in runner.concepts.list()] == []
    rest = [e for e in runner.do(made) if isinstance(e, Progressed) and e.phase == "learning"]
    assert [event.index for event in rest] == [4, 5, 6]
    assert runner.concepts.card("my-toy").rows_hash == whole["rows_hash"]


def test_an_interrupted_run_is_finished_as_it_is_and_can_go_on_all_the_same(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    made = request(runner, sd1_folder)
    whole = run(runner, made).result
    runner.concepts.remove("my-toy")
    with pytest.raises(RequestError, match="nothing to finish"):
        run(runner, replace(made, finish=True))
    broken_off(runner, made, 5)
    finishing = list(runner.do(replace(made, finish=True)))
    assert not [e for e in finishing if isinstance(e, Progressed) and e.phase in ("learning", "preparing")]
    result = finish(finishing).result
    card = runner.concepts.card("my-toy")
    assert (result["steps"], card.provenance.steps, result["rows_hash"]) == (5, 5, card.rows_hash)
    assert result["seconds_per_step"] is None
    rest = list(runner.do(replace(made, replace=True)))
    assert [e.index for e in rest if isinstance(e, Progressed) and e.phase == "learning"] == [6]
    assert runner.concepts.card("my-toy").rows_hash == whole["rows_hash"]
    assert not list(runner.learning.glob("*"))


def test_a_concept_is_learned_on_the_same_way_every_time(runner: TaskRunner, sd1_folder: Path) -> None:
    """Also after an interruption, with further pictures, and by a name of its own."""
    run(runner, request(runner, sd1_folder, vectors=3))
    fourth = runner.images.put(picture(seed=9))
    images = (*request(runner, sd1_folder).images, fourth)
    made = request(runner, sd1_folder, name="our-toy", images=images, start="my-toy", steps=4)
    result = run(runner, made).result
    card = runner.concepts.card("our-toy")
    assert (card.vectors, card.provenance.steps, result["steps"]) == (3, STEPS + 4, 4)
    assert card.provenance.settings["start"] == result["start"]
    assert (result["start"]["name"], result["start"]["steps"]) == ("<my-toy>", STEPS)
    broken_off(runner, replace(made, replace=True), 2)
    assert run(runner, replace(made, replace=True)).result["rows_hash"] == result["rows_hash"]
    itself = replace(made, name="my-toy", replace=True)
    assert run(runner, itself).result["rows_hash"] == result["rows_hash"]
    assert runner.concepts.card("my-toy").provenance.steps == STEPS + 4
    with pytest.raises(ConceptNotFoundError, match="nobody"):
        run(runner, replace(itself, start="nobody"))


def test_how_long_a_step_takes_is_told(runner: TaskRunner, sd1_folder: Path) -> None:
    result = run(runner, request(runner, sd1_folder)).result
    assert 0 < result["seconds_per_step"] * STEPS <= result["seconds"] + 0.01


def test_a_damaged_state_is_no_state(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder)
    broken = runner.do(made)
    for event in broken:
        if isinstance(event, Progressed) and event.phase == "learning":
            break
    broken.close()
    (state,) = runner.learning.glob("*")
    state.write_bytes(b"nonsense")
    assert run(runner, made).result["steps"] == STEPS


def test_bad_sets_are_refused_before_anything_is_learned(runner: TaskRunner, sd1_folder: Path) -> None:
    good = request(runner, sd1_folder)
    one, two, _ = good.images
    damaged = runner.images.put(picture()[:300])
    small_mask = runner.images.put(selection(70, 80))
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"images": (one, two)}, ConceptImagesError, "2 pictures"),
        ({"images": (one, two, one)}, ConceptImagesError, "Picture 3 is the same file as picture 1"),
        ({"images": (one, two, damaged)}, ImageUnreadableError, "PNG"),
        ({"masks": (small_mask, None, None)}, SelectionSizeError, "70 x 80"),
        ({"masks": (None,)}, RequestError, "1 masks.*3 pictures"),
        ({"name": "My Toy"}, ConceptNameError, "my-toy"),
        ({"noun": " "}, RequestError, "common noun"),
        ({"vectors": 0}, RequestError, "vectors is 0; it can be 1 to 16"),
        ({"steps": 0}, RequestError, "steps is 0; it can be 1 to 100000"),
    ]
    for changes, error, says in cases:
        with pytest.raises(error, match=says):
            list(runner.do(replace(good, **changes)))
    assert runner.concepts.list() == ()


def test_a_name_is_never_overwritten_unasked(runner: TaskRunner, sd1_folder: Path) -> None:
    first = run(runner, request(runner, sd1_folder)).result
    with pytest.raises(ConceptExistsError, match="my-toy"):
        list(runner.do(request(runner, sd1_folder, seed=1)))
    assert runner.concepts.card("my-toy").rows_hash == first["rows_hash"]
    second = run(runner, request(runner, sd1_folder, seed=1, replace=True)).result
    assert runner.concepts.card("my-toy").rows_hash == second["rows_hash"] != first["rows_hash"]


def test_a_style_is_learned_too(runner: TaskRunner, sd1_folder: Path) -> None:
    result = run(runner, request(runner, sd1_folder, kind="style", noun="painting")).result
    concept = runner.concepts.load("my-toy")
    rows = concept.rows[0]
    assert (result["kind"], rows.dtype, tuple(rows.shape)) == ("style", torch.float32, (2, 24))
    assert concept.colours is not None
    assert tuple(concept.colours.stacked.shape) == (2, 4)
    subject = run(runner, request(runner, sd1_folder, name="a-toy")).result["name"]
    assert runner.concepts.load(subject).colours is None


def test_a_pictures_own_caption_changes_what_is_learned(runner: TaskRunner, sd1_folder: Path) -> None:
    plain = run(runner, request(runner, sd1_folder)).result
    told = request(runner, sd1_folder, captions=("a photo of a {} on grass", None, None), replace=True)
    assert run(runner, told).result["rows_hash"] != plain["rows_hash"]


@pytest.mark.parametrize("captions", [("a {}",), ("a photo", None, None), ("a {} and a {}", None, None)])
def test_captions_that_cannot_be_are_refused_before_anything_is_loaded(
    runner: TaskRunner, sd1_folder: Path, captions: tuple[str | None, ...]
) -> None:
    with pytest.raises(RequestError):
        list(runner.do(request(runner, sd1_folder, captions=captions)))
    assert runner.models.loaded == ""


def cut_out(seed: int, under: int, opacity: np.ndarray) -> bytes:
    """A picture with an alpha channel (88, 72) uint8, and one grey under what is wholly transparent."""
    pixels = read_picture(picture(seed=seed)).pixels.copy()
    pixels[opacity == 0] = under
    return encode(np.concatenate([pixels, opacity[..., None]], axis=-1))


DISC = read_picture(selection()).pixels[..., 0].copy()


def test_a_cut_outs_alpha_is_its_subjects_mask(runner: TaskRunner, sd1_folder: Path) -> None:
    whole, plain = runner.images.put(picture(seed=7)), request(runner, sd1_folder)
    images = (*(runner.images.put(cut_out(seed, 0, DISC)) for seed in range(2)), whole)
    found = read_examples(runner, replace(plain, images=images))
    first, second, third = found.masks
    assert first is not None
    assert second is not None
    assert third is None
    assert np.array_equal(first, np.where(DISC > 127, 255, 0))
    run(runner, replace(plain, images=images))
    assert runner.concepts.card("my-toy").provenance.settings["masks"] == [True, True, False]


def test_what_lies_under_transparency_is_never_learned(runner: TaskRunner, sd1_folder: Path) -> None:
    """Black, white or grey under it: the same word, with a mask of its own as well."""
    masks = tuple(runner.images.put(selection()) for _ in range(3))
    for given in ((), masks):
        hashes = set()
        for under in (0, 255, 77):
            images = tuple(runner.images.put(cut_out(seed, under, DISC)) for seed in range(3))
            made = request(runner, sd1_folder, images=images, masks=given, replace=True)
            hashes.add(run(runner, made).result["rows_hash"])
        assert len(hashes) == 1


def test_a_soft_edge_belongs_to_the_subject_where_it_is_more_there_than_not(runner: TaskRunner) -> None:
    soft = np.tile(np.linspace(0, 255, 72).astype(np.uint8), (88, 1))
    for opacity in (soft, soft.astype(np.uint16) * 257):
        data = np.concatenate([np.zeros((88, 72, 3), opacity.dtype), opacity[..., None]], axis=-1)
        example = read_example(encode(data), None)
        assert example.mask is not None
        assert example.opacity is not None
        assert np.array_equal(example.mask > 0, soft > 127)
        assert np.abs(example.pixels[0, :, 0] - (1 - soft[0] / 255)).max() < 1e-6, "black over white"
        assert np.abs(example.opacity - soft / 255).max() < 1e-6


def test_an_alpha_channel_that_is_opaque_is_no_mask_and_one_that_is_empty_no_picture() -> None:
    assert read_example(cut_out(0, 0, np.full((88, 72), 255, np.uint8)), None).mask is None
    with pytest.raises(SelectionEmptyError, match="transparent all over"):
        read_example(cut_out(0, 0, np.full((88, 72), 9, np.uint8)), None)


def test_what_is_to_be_said_of_a_picture_names_it(runner: TaskRunner, sd1_folder: Path) -> None:
    plain = request(runner, sd1_folder).images
    profiled = BytesIO()
    Image.open(BytesIO(picture(seed=6))).save(profiled, "PNG", icc_profile=b"no profile")
    odd = [runner.images.put(content) for content in (picture(seed=5) + b"junk", profiled.getvalue())]
    result = run(runner, request(runner, sd1_folder, images=(*plain[:2], *odd))).result
    assert result["notices"][0] == "Picture 3: 4 bytes after the end of the picture were left out."
    assert result["notices"][1].startswith("Picture 4: The picture's colour profile can't be used")
    names = [text and text["name"] for text in result["texts"]["notices"][:2]]
    assert names == [None, "notice-of-picture"]


def test_a_mask_of_nothing_is_refused_with_its_pictures_number(runner: TaskRunner, sd1_folder: Path) -> None:
    """Nothing at all; and what is marked, but wholly transparent."""
    whole, clear = runner.images.put(selection()), 255 - DISC
    nothing = runner.images.put(encode(np.zeros_like(DISC)))
    plain = request(runner, sd1_folder)
    images = (*plain.images[:2], runner.images.put(cut_out(0, 0, np.where(clear > 127, clear, 0))))
    for made in (
        replace(plain, masks=(whole, whole, nothing)),
        replace(plain, images=images, masks=(whole, whole, runner.images.put(encode(strict_disc())))),
    ):
        with pytest.raises(SelectionEmptyError) as refusal:
            run(runner, made)
        assert refusal.value.details["picture"] == 3
    assert "picture 3 selects nothing" in str(refusal.value)


def strict_disc() -> np.ndarray:
    return np.where(DISC == 255, np.uint8(255), np.uint8(0))


def test_a_library_that_cannot_be_written_is_known_before_anything_is_learned(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    runner.concepts.folder.write_bytes(b"a file in the way")
    with pytest.raises(StorageError, match="concepts"):
        next(iter(runner.do(request(runner, sd1_folder))))
    assert runner.models.loaded == ""


def test_what_was_learned_outlives_a_library_that_takes_it_no_more(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("The library is read-only.")

    monkeypatch.setattr("palimpsest.tasks.learn.SECONDS_BETWEEN_SAVES", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(type(runner.concepts), "save", full)
        with pytest.raises(StorageError):
            list(runner.do(request(runner, sd1_folder)))
    assert len(list(runner.learning.glob("*"))) == 1
    run(runner, request(runner, sd1_folder))
    assert not list(runner.learning.glob("*"))


def test_a_cache_that_cannot_be_written_does_not_end_the_learning(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palimpsest.tasks.learn.SECONDS_BETWEEN_SAVES", -1.0)
    whole = run(runner, request(runner, sd1_folder)).result["rows_hash"]
    runner.concepts.remove("my-toy")
    runner.learning.rmdir()
    runner.learning.write_bytes(b"a file in the way")
    assert run(runner, request(runner, sd1_folder)).result["rows_hash"] == whole


def test_a_word_is_kept_for_whose_job_taught_it(runner: TaskRunner, sd1_folder: Path) -> None:
    run(replace(runner, owner="anna"), request(runner, sd1_folder))
    assert runner.concepts.card("my-toy").owner == "anna"
    with pytest.raises(ConceptOwnedError):
        run(replace(runner, owner="bert"), request(runner, sd1_folder, replace=True))
