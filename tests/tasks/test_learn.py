"""A word is learned, kept with its origin, goes on after an interruption; bad sets are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from palimpsest.contract import LearnRequest
from palimpsest.errors import (
    ConceptExistsError,
    ConceptImagesError,
    ConceptNameError,
    ImageUnreadableError,
    RequestError,
    SelectionSizeError,
)
from palimpsest.jobs.events import Finished, Previewed, Progressed
from palimpsest.storage.pictures import read_picture
from palimpsest.tasks.workplace import Workplace
from workplaces import picture, selection

STEPS = 6


def request(place: Workplace, folder: Path, **changes: Any) -> LearnRequest:
    images = tuple(place.images.put(picture(seed=seed)) for seed in range(3))
    made = LearnRequest("my-toy", images, "toy", steps=STEPS, model=str(folder), accept_outliers=True)
    return replace(made, **changes)


def run(place: Workplace, made: LearnRequest) -> Finished:
    finished = list(place.do(made))[-1]
    assert isinstance(finished, Finished)
    return finished


def test_the_word_is_kept_with_where_it_came_from(place: Workplace, sd1_folder: Path) -> None:
    made = request(place, sd1_folder, vectors=3)
    result = run(place, made).result
    card = place.concepts.card("my-toy")
    assert (result["placeholder"], result["vectors"], result["rows_hash"]) == ("<my-toy>", 3, card.rows_hash)
    assert (card.family, card.noun, card.widths) == ("sd1", "toy", (24,))
    assert card.provenance.sources == made.images
    assert card.provenance.weights_hash == place.models.get(str(sd1_folder)).weights_hash
    assert place.concepts.thumbnail("my-toy") is not None
    assert not list(place.learning.glob("*"))


def test_the_word_is_seen_while_it_is_learned(place: Workplace, sd1_folder: Path) -> None:
    unseen = run(place, request(place, sd1_folder)).result["rows_hash"]
    place.concepts.remove("my-toy")
    events = list(replace(place, previews=True).do(request(place, sd1_folder)))
    seen = [event for event in events if isinstance(event, Previewed)]
    assert seen
    side = place.models.get(str(sd1_folder)).native_size
    assert read_picture(place.images.get(seen[0].image)).size == (side, side)
    assert place.concepts.card("my-toy").rows_hash == unseen


def test_an_interrupted_run_goes_on_and_ends_in_the_same_word(place: Workplace, sd1_folder: Path) -> None:
    made = request(place, sd1_folder, masks=(place.images.put(selection()), None, None))
    whole = run(place, made).result
    place.concepts.remove("my-toy")
    broken = place.do(made)
    for event in broken:
        if isinstance(event, Progressed) and event.phase == "learning" and event.index == 3:
            break
    broken.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert [card.name for card in place.concepts.list()] == []
    rest = [e for e in place.do(made) if isinstance(e, Progressed) and e.phase == "learning"]
    assert [event.index for event in rest] == [4, 5, 6]
    assert place.concepts.card("my-toy").rows_hash == whole["rows_hash"]


def test_a_damaged_state_is_no_state(place: Workplace, sd1_folder: Path) -> None:
    made = request(place, sd1_folder)
    broken = place.do(made)
    for event in broken:
        if isinstance(event, Progressed) and event.phase == "learning":
            break
    broken.close()  # pyright: ignore[reportAttributeAccessIssue]
    (state,) = place.learning.glob("*")
    state.write_bytes(b"nonsense")
    assert run(place, made).result["steps"] == STEPS


def test_bad_sets_are_refused_before_anything_is_learned(place: Workplace, sd1_folder: Path) -> None:
    good = request(place, sd1_folder)
    one, two, _ = good.images
    damaged = place.images.put(picture()[:300])
    small_mask = place.images.put(selection(70, 80))
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
            list(place.do(replace(good, **changes)))
    assert place.concepts.list() == ()


def test_a_name_is_never_overwritten_unasked(place: Workplace, sd1_folder: Path) -> None:
    first = run(place, request(place, sd1_folder)).result
    with pytest.raises(ConceptExistsError, match="my-toy"):
        list(place.do(request(place, sd1_folder, seed=1)))
    assert place.concepts.card("my-toy").rows_hash == first["rows_hash"]
    second = run(place, request(place, sd1_folder, seed=1, replace=True)).result
    assert place.concepts.card("my-toy").rows_hash == second["rows_hash"] != first["rows_hash"]


def test_a_style_is_learned_too(place: Workplace, sd1_folder: Path) -> None:
    result = run(place, request(place, sd1_folder, kind="style", noun="painting")).result
    rows = place.concepts.load("my-toy").rows[0]
    assert (result["kind"], rows.dtype, tuple(rows.shape)) == ("style", torch.float32, (2, 24))


def test_a_pictures_own_caption_changes_what_is_learned(place: Workplace, sd1_folder: Path) -> None:
    plain = run(place, request(place, sd1_folder)).result
    told = request(place, sd1_folder, captions=("a photo of a {} on grass", None, None), replace=True)
    assert run(place, told).result["rows_hash"] != plain["rows_hash"]


@pytest.mark.parametrize("captions", [("a {}",), ("a photo", None, None), ("a {} and a {}", None, None)])
def test_captions_that_cannot_be_are_refused_before_anything_is_loaded(
    place: Workplace, sd1_folder: Path, captions: tuple[str | None, ...]
) -> None:
    with pytest.raises(RequestError):
        list(place.do(request(place, sd1_folder, captions=captions)))
    assert place.models.loaded == ""
