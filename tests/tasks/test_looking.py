"""Remembering a photo, finding a word, describing: what is said about a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from palimpsest.contract import (
    AttentionRequest,
    DescribeRequest,
    EditRequest,
    InversionSettings,
    InvertRequest,
)
from palimpsest.core.attention.maps import otsu
from palimpsest.errors import ModelIncapableError, RequestError, WordNotFoundError
from palimpsest.storage.pictures import read_picture
from palimpsest.tasks import attention
from palimpsest.tasks.runner import TaskRunner
from tiny_task import SHOWS, finish, picture, selection

QUICK = InversionSettings(steps=4, guidance=3.0)


def test_a_remembered_photo_is_not_inverted_again(runner: TaskRunner, sd1_folder: Path) -> None:
    image, where = runner.images.put(picture()), runner.images.put(selection())
    first = finish(runner.do(InvertRequest(image, SHOWS, where, str(sd1_folder), QUICK)))
    again = finish(runner.do(InvertRequest(image, SHOWS, where, str(sd1_folder), QUICK)))
    assert (first.result["remembered"], again.result["remembered"]) == (False, True)
    assert first.artifacts == again.artifacts
    edited = EditRequest(
        image, "replace", SHOWS, "a photo of a dog on grass", where, model=str(sd1_folder), inversion=QUICK
    )
    assert finish(runner.do(edited)).result["remembered"]


def test_anything_that_matters_is_inverted_anew(runner: TaskRunner, sd1_folder: Path) -> None:
    image = runner.images.put(picture())
    request = InvertRequest(image, SHOWS, None, str(sd1_folder), QUICK)
    finish(runner.do(request))
    others = (
        InvertRequest(runner.images.put(picture(seed=9)), SHOWS, None, str(sd1_folder), QUICK),
        InvertRequest(image, "a cat", None, str(sd1_folder), QUICK),
        InvertRequest(image, SHOWS, None, str(sd1_folder), InversionSettings(steps=5, guidance=3.0)),
        InvertRequest(image, SHOWS, runner.images.put(selection()), str(sd1_folder), QUICK),
    )
    assert [finish(runner.do(other)).result["remembered"] for other in others] == [False] * 4
    louder = InvertRequest(image, SHOWS, None, str(sd1_folder), InversionSettings(steps=4, guidance=5.0))
    assert finish(runner.do(louder)).result["remembered"]  # its pivots are those of guidance 1


def test_a_word_is_found_as_a_map_and_a_selection(runner: TaskRunner, sd1_folder: Path) -> None:
    request = AttentionRequest(runner.images.put(picture()), SHOWS, "cat", model=str(sd1_folder))
    finished = finish(runner.do(request))
    grey, chosen = (read_picture(runner.images.get(finished.artifacts[n])) for n in ("map", "selection"))
    assert grey.size == chosen.size == (72, 88)
    assert set(np.unique(chosen.pixels)) == {0, 255}
    bright = grey.pixels > finished.result["threshold"]
    assert np.array_equal(chosen.pixels > 0, bright)
    assert finished.artifacts == finish(runner.do(request)).artifacts


def test_only_the_region_of_a_large_photo_is_looked_at(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found is as if the map were as large as the photo, and black around the region."""
    looked: list[tuple[int, ...]] = []

    def watched(grey: np.ndarray, black: int) -> int:
        looked.append(grey.shape)
        return otsu(grey, black)

    monkeypatch.setattr(attention, "otsu", watched)
    image, where = runner.images.put(picture(500, 400)), runner.images.put(selection(500, 400))
    request = AttentionRequest(image, SHOWS, "cat", where, model=str(sd1_folder))
    finished = finish(runner.do(request))
    grey, chosen = (
        read_picture(runner.images.get(finished.artifacts[n])).pixels[..., 0] for n in ("map", "selection")
    )
    ((height, width),) = looked
    assert grey.shape == (400, 500)
    assert height * width < grey.size / 10
    assert grey.any()
    assert not grey[:, width:].any()  # what is selected lies at the left
    assert finished.result["threshold"] == otsu(grey)
    assert np.array_equal(chosen > 0, grey > otsu(grey))
    assert finished.result["selected"] == round(float((chosen > 0).mean()), 4)


def test_a_word_that_is_not_there_lists_those_that_are(runner: TaskRunner, sd1_folder: Path) -> None:
    request = AttentionRequest(runner.images.put(picture()), SHOWS, "mirror", model=str(sd1_folder))
    with pytest.raises(WordNotFoundError, match="cat, on, grass"):
        list(runner.do(request))


def test_other_models_pictures_are_not_described(runner: TaskRunner, sd1_folder: Path) -> None:
    with pytest.raises(ModelIncapableError, match="own words"):
        list(runner.do(DescribeRequest(runner.images.put(picture()), model=str(sd1_folder))))


def test_an_unknown_kind_of_job_is_refused(runner: TaskRunner) -> None:
    with pytest.raises(RequestError, match="'dance'"):
        runner.run("dance", {})
    with pytest.raises(RequestError, match="'colour'"):
        runner.run("edit", {"colour": 1})
