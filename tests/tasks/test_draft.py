"""A draft: what an edit will look like, from a remembered photo alone, with nothing to keep."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from palimpsest.contract import Control, InvertRequest, Windows
from palimpsest.errors import NotRememberedError, RequestError
from palimpsest.jobs.events import Previewed
from palimpsest.storage.png import encode
from palimpsest.tasks.runner import TaskRunner
from tasks.edit_requests import OPERATIONS, request, run
from tiny_task import finish, picture, selection


def stored(runner: TaskRunner) -> int:
    """Pictures and inversions on the disk."""
    folders = runner.images.folder, runner.inversions.folder
    return sum(path.is_file() for folder in folders for path in folder.rglob("*"))


def small(runner: TaskRunner, image: str) -> np.ndarray:
    with Image.open(io.BytesIO(runner.images.get(image))) as found:
        return np.asarray(found.convert("RGB"), float)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_is_the_thumbnail_of_the_whole_edit(operation: str, runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, operation=operation, variations=2, seed=3, **OPERATIONS[operation])
    whole = run(runner, made)
    draft = run(runner, replace(made, draft=True))
    assert set(draft.artifacts) == {"draft", "draft:2"}
    assert draft.artifacts["draft"] == whole.artifacts["thumbnail"]
    assert draft.artifacts["draft:2"] == whole.artifacts["thumbnail:2"]
    assert draft.artifacts["draft"] != draft.artifacts["draft:2"]


@pytest.mark.parametrize("operation", ["replace", "insert"])
def test_a_large_region_is_made_smaller_before_the_edit_is_laid(
    operation: str, runner: TaskRunner, sd1_folder: Path
) -> None:
    """With transparency, 16 bits and a grown selection: as near to the thumbnail as resizing first allows."""
    pixels = np.array(Image.open(io.BytesIO(picture(1400, 1000))))
    clear = np.full((1000, 1400, 1), 255, np.uint8)
    clear[:, 800:] = 0
    image = runner.images.put(encode(np.concatenate([pixels, clear], axis=2).astype(np.uint16) * 257))
    rows, columns = np.mgrid[0:1000, 0:1400]
    mask = np.where((rows - 500) ** 2 + (columns - 700) ** 2 < 350**2, 255, 0).astype(np.uint8)
    made = request(
        runner,
        sd1_folder,
        image=image,
        selection=runner.images.put(encode(mask)),
        operation=operation,
        feather=32,
        **OPERATIONS[operation],
    )
    whole = run(runner, made)
    draft = run(runner, replace(made, draft=True))
    same = replace(made, operation="reweight", weights={"cat": 1.0}, target_prompt="")
    before = small(runner, run(runner, same).artifacts["thumbnail"])
    thumbnail, drafted = small(runner, whole.artifacts["thumbnail"]), small(runner, draft.artifacts["draft"])
    assert drafted.shape == thumbnail.shape
    assert np.abs(drafted - thumbnail).mean() < 1
    assert np.abs(drafted - thumbnail).mean() < np.abs(before - thumbnail).mean() / 4


def test_an_edit_without_selection_is_drafted_too(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, selection=None)
    assert (
        run(runner, made).artifacts["thumbnail"] == run(runner, replace(made, draft=True)).artifacts["draft"]
    )


def test_nothing_but_one_small_picture_is_stored_and_there_is_no_recipe(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    made = request(runner, sd1_folder)
    run(runner, made)
    runner.previews = True
    before = stored(runner)
    events = list(runner.do(replace(made, draft=True, seed=7)))
    assert not any(isinstance(event, Previewed) for event in events)
    assert stored(runner) == before + 1
    assert set(finish(events).result) == {"draft", "seconds"}


@pytest.mark.parametrize(
    "change",
    [
        {"source_prompt": "a photo of a cat in grass"},
        {"operation": "replace", "grow": 40},
        {"selection": None},
    ],
    ids=["another sentence", "another region", "no selection"],
)
def test_a_photo_that_is_not_remembered_is_refused_and_never_inverted(
    change: dict[str, Any], runner: TaskRunner, sd1_folder: Path
) -> None:
    image, mask = runner.images.put(picture(300, 200)), runner.images.put(selection(300, 200))
    made = request(runner, sd1_folder, image=image, selection=mask)
    run(runner, made)
    before = stored(runner)
    with pytest.raises(NotRememberedError) as refused:
        run(runner, replace(made, draft=True, **change))
    assert refused.value.code == "not_remembered"
    assert "Apply" in refused.value.hint
    assert stored(runner) == before


def test_a_photo_remembered_ahead_of_time_has_drafts(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, operation="insert", **OPERATIONS["insert"])
    list(runner.do(InvertRequest(made.image, made.source_prompt, made.selection, made.model, made.inversion)))
    assert "draft" in run(runner, replace(made, draft=True)).artifacts


def test_a_draft_of_a_photo_remembered_in_part_remembers_the_rest(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    """An edit remembered the photo as far as it begins; a slider that goes farther has its draft, too."""
    remove, replaced = (
        request(runner, sd1_folder, operation=name, **OPERATIONS[name]) for name in ("remove", "replace")
    )
    run(runner, remove)
    draft = run(runner, replace(replaced, draft=True))
    whole = run(runner, replaced)
    assert whole.result["remembered"] is True
    assert draft.artifacts["draft"] == whole.artifacts["thumbnail"]


def test_maps_are_refused(runner: TaskRunner, sd1_folder: Path) -> None:
    with pytest.raises(RequestError, match="maps"):
        run(runner, request(runner, sd1_folder, draft=True, maps=True))


STRUCTURES = [Windows((0.0, 0.0), (0.0, 0.0)), Windows(), Windows((0.0, 1.0), (0.0, 1.0))]


@pytest.mark.parametrize("operation", ["replace", "restyle", "reweight"])
def test_several_windows_make_a_picture_each_as_drafts_of_their_own_would(
    operation: str, runner: TaskRunner, sd1_folder: Path
) -> None:
    """In one batch: as near as sums in another order allow."""
    made = request(runner, sd1_folder, operation=operation, draft=True, seed=3, **OPERATIONS[operation])
    run(runner, replace(made, draft=False))
    batch = run(runner, replace(made, windows=tuple(STRUCTURES)))
    assert list(batch.artifacts) == ["draft", "draft:2", "draft:3"]
    for windows, image in zip(STRUCTURES, batch.artifacts.values(), strict=True):
        control = replace(made.control, cross=windows.cross, self_attention=windows.self_attention)
        alone = run(runner, replace(made, control=control)).artifacts["draft"]
        assert np.abs(small(runner, image) - small(runner, alone)).max() <= 1
    assert len(set(batch.artifacts.values())) == 3


def test_windows_that_say_nothing_are_those_of_control(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, control=Control(cross=(0.0, 0.3)), draft=True)
    run(runner, replace(made, draft=False))
    alone, listed = run(runner, made), run(runner, replace(made, windows=(Windows(),)))
    assert listed.artifacts == alone.artifacts
    other = run(runner, replace(made, windows=(Windows(cross=(0.0, 1.0)),)))
    assert other.artifacts != alone.artifacts


@pytest.mark.parametrize(
    "change", [{"draft": False}, {"variations": 2}], ids=["no draft", "several variations"]
)
def test_windows_are_for_a_draft_of_one_variation(
    change: dict[str, Any], runner: TaskRunner, sd1_folder: Path
) -> None:
    made = request(runner, sd1_folder, draft=True, windows=(Windows(), Windows()))
    with pytest.raises(RequestError, match="one variation"):
        run(runner, replace(made, **change))


def test_a_window_that_ends_before_it_begins_is_refused(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, draft=True, windows=(Windows(), Windows(cross=(0.8, 0.2))))
    with pytest.raises(RequestError, match=r"windows\.1\.cross"):
        run(runner, made)
