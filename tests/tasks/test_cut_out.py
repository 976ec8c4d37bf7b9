"""What editors send of a canvas is enough: it gives the very layer that the whole canvas gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from palimpsest.contract import EditRequest, InversionSettings
from palimpsest.jobs.events import Finished
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks.runner import TaskRunner
from palimpsest_client.editor.editor import DocumentFacts
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.fields.settings import Settings
from palimpsest_client.panel.requests import crop_needed
from tiny_task import SHOWS, finish, picture

WIDTH, HEIGHT = 400, 300
PLACES = {
    "middle": Bounds(190, 140, 21, 17),
    "edge": Bounds(0, 120, 30, 25),
    "corner": Bounds(370, 280, 30, 20),
    "tall": Bounds(200, 20, 9, 200),
    "whole": Bounds(0, 0, WIDTH, HEIGHT),
}


def edited(runner: TaskRunner, folder: Path, pixels: NDArray[Any], mask: NDArray[np.uint8]) -> Finished:
    made = EditRequest(
        image=runner.images.put(encode(pixels)),
        selection=runner.images.put(encode(mask)),
        operation="replace",
        source_prompt=SHOWS,
        target_prompt="a photo of a dog on grass",
        model=str(folder),
        inversion=InversionSettings(steps=2),
    )
    return finish(runner.do(made))


def layer(runner: TaskRunner, finished: Finished) -> NDArray[Any]:
    found = read_picture(runner.images.get(finished.artifacts["layer"]))
    assert found.alpha is not None
    return np.concatenate([found.pixels, found.alpha[..., None]], axis=-1)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("where", PLACES)
def test_what_is_sent_of_a_canvas_gives_the_layer_that_the_whole_gives(
    where: str, depth: type, runner: TaskRunner, sd1_folder: Path
) -> None:
    """A soft edge, grown as the operation has it."""
    pixels = read_picture(picture(WIDTH, HEIGHT, depth=depth)).pixels
    selected, mask = PLACES[where], np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[selected.y : selected.bottom, selected.x : selected.right] = 5
    mask[selected.y + 1 : selected.bottom - 1, selected.x + 1 : selected.right - 1] = 255
    whole = edited(runner, sd1_folder, pixels, mask)
    model = runner.models.get(str(sd1_folder))
    facts = DocumentFacts("d", "p", WIDTH, HEIGHT, selected, "l")
    part = crop_needed(facts, Settings(), model.native_size, model.granularity)
    assert part is not None
    assert (part.extent.pixels < WIDTH * HEIGHT / 2) == (where not in ("whole", "tall"))
    rows, columns = slice(part.y, part.bottom), slice(part.x, part.right)
    runner.inversions.clear()
    cut = edited(runner, sd1_folder, pixels[rows, columns], mask[rows, columns])
    expected = layer(runner, whole)
    assert np.array_equal(layer(runner, cut), expected[rows, columns])
    assert expected[rows, columns][..., 3].any()
    expected[rows, columns] = 0
    assert not expected[..., 3].any()
    assert cut.result["pixels_changed_by_growing"] == whole.result["pixels_changed_by_growing"]
