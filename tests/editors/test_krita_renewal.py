"""An edit that is renewed in the real Krita keeps everything that people did to its layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from editors.pictures import Pixels, disc, layer_over, noise
from editors.studio import FLOAT, GREY_16, RGB_8, RGB_16, Kind, Studio

HEIGHT, WIDTH = 150, 330


def made(studio: Studio, kind: Kind = RGB_8) -> tuple[str, Pixels, Pixels]:
    """A picture with an edit: the edit's layer, its mask, and what was seen before."""
    pixels, mask = noise(HEIGHT, WIDTH, kind.channels, kind.dtype), disc(HEIGHT, WIDTH)
    studio.open(pixels, kind)
    return studio.insert(sent(mask, kind, 1))["layer"], mask, studio.pixels()


def sent(mask: Pixels, kind: Kind, seed: int) -> Pixels:
    return layer_over(mask, np.uint8 if kind is RGB_8 else np.uint16, kind.channels, seed)


def told(studio: Studio, name: str) -> dict[str, Any]:
    return studio.krita.call("state_of_layer", name)


def test_what_people_set_and_added_stays(studio: Studio):
    """Name, opacity, mode, visibility, label, locks, inherited alpha, a filter mask and another mask."""
    layer, mask, _ = made(studio)
    studio.krita.call("change_layer", "edit", "my dog")
    before = told(studio, "my dog")
    for seed in (2, 3):
        layer = studio.insert(sent(mask, RGB_8, seed), updates=layer)["layer"]
        assert told(studio, "my dog") == before
    assert before["masks"] == ["transparencymask", "filtermask", "transparencymask"]
    assert studio.layers() == ["photo", "my dog"]


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_16, FLOAT], ids=str)
def test_a_mask_that_was_painted_on_stays(studio: Studio, kind: Kind):
    layer, mask, _ = made(studio, kind)
    studio.krita.call("paint_on_mask", "edit", 150, 60, 30, 40, 0)
    file = studio.file()
    studio.krita.call("mask_of", "edit", file)
    painted = file.read_bytes()
    for seed in (2, 3):
        layer = studio.insert(sent(mask, kind, seed), updates=layer)["layer"]
        studio.krita.call("mask_of", "edit", file)
        assert file.read_bytes() == painted
    assert studio.layers() == ["photo", "edit"]


def test_a_moved_layer_stays_where_it_is_and_its_mask_is_renewed(studio: Studio):
    layer, _, _ = made(studio)
    before = noise(HEIGHT, WIDTH, 4, np.uint8)
    studio.krita.call("move_layer", "edit", 7, 5)
    other = np.zeros((HEIGHT, WIDTH), np.uint8)
    other[30:60, 40:200] = 255
    for seed in (2, 3):
        new = sent(other, RGB_8, seed)
        layer = studio.insert(new, updates=layer)["layer"]
        expected = before.copy()
        expected[35:65, 47:207] = new[30:60, 40:200]
        assert np.array_equal(studio.pixels(), expected)


def test_one_step_takes_an_update_back_and_one_brings_it_again(studio: Studio):
    layer, mask, first = made(studio)
    second = sent(mask, RGB_8, 2)
    new = studio.insert(second, updates=layer)["layer"]
    after = studio.pixels()
    studio.krita.call("undo")
    studio.krita.until("edits_are", [layer])
    assert np.array_equal(studio.pixels(), first)
    studio.krita.call("redo")
    studio.krita.until("edits_are", [new])
    assert np.array_equal(studio.pixels(), after)
    studio.krita.call("undo")
    studio.krita.until("edits_are", [layer])
    studio.krita.call("undo")
    studio.krita.until("edits_are", [])
    assert studio.krita.call("history").strip() == "Undo"


def test_a_layer_that_was_painted_on_stays_and_that_is_said(studio: Studio):
    layer, mask, _ = made(studio)
    studio.krita.call("paint_on_layer", "edit", 150, 60, 30, 40, 77)
    new = sent(mask, RGB_8, 2)
    studio.insert(new, updates=layer)
    assert studio.krita.call("noted").startswith("“edit” was painted on")
    assert studio.layers() == ["photo", "edit", "edit"]
    assert np.array_equal(studio.pixels()[mask == 255], new[mask == 255])


def test_it_is_known_again_in_a_file(studio: Studio):
    """What was moved and painted on, in a picture that was saved and opened."""
    _, mask, _ = made(studio)
    studio.krita.call("move_layer", "edit", 7, 5)
    kra = studio.file(name=".kra")
    studio.krita.call("save_as", kra)
    studio.krita.call("close_documents")
    studio.open_file(kra, RGB_8)
    studio.krita.call("activate_layer", "edit")
    layer, new = studio.krita.call("recipe")["layer"], sent(mask, RGB_8, 2)
    studio.insert(new, updates=layer)
    assert studio.krita.call("noted") == ""
    assert studio.layers() == ["photo", "edit"]
    core = mask[: HEIGHT - 5, : WIDTH - 7] == 255
    assert np.array_equal(studio.pixels()[5:, 7:][core], new[: HEIGHT - 5, : WIDTH - 7][core])
