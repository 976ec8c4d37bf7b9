"""An edit that is renewed in the real Krita keeps everything that people did to its layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from editors.krita_pictures import FLOAT, GREY_16, RGB_8, RGB_16, Kind, Studio
from editors.pictures import Pixels, disc, layer_over, noise

HEIGHT, WIDTH = 150, 330
LARGE = 1030, 1100  # a canvas on which Krita would be held by exchanging a layer


def made(
    studio: Studio, kind: Kind = RGB_8, height: int = HEIGHT, width: int = WIDTH
) -> tuple[str, Pixels, Pixels]:
    """A picture with an edit: the edit's layer, its mask, and what was seen before."""
    pixels, mask = noise(height, width, kind.channels, kind.dtype), disc(height, width)
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


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), LARGE], ids=["small", "large"])
def test_the_mask_that_is_painted_on_stays_the_active_one(studio: Studio, size: tuple[int, int]):
    """Or the next stroke would go into the pixels of the layer."""
    layer, mask, _ = made(studio, RGB_8, *size)
    (name,) = told(studio, "edit")["names"]
    for seed in (2, 3):
        studio.krita.call("activate_layer", name)
        layer = studio.insert(sent(mask, RGB_8, seed), updates=layer)["layer"]
        studio.krita.until("active_layer_is", name)
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


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), LARGE], ids=["small", "large"])
def test_one_step_takes_an_update_back_and_one_brings_it_again(studio: Studio, size: tuple[int, int]):
    """Twice, exact in what is shown after each."""
    layer, mask, first = made(studio, RGB_8, *size)
    layers, shown = [layer], [first]
    for seed in (2, 3):
        layers.append(studio.insert(sent(mask, RGB_8, seed), updates=layers[-1])["layer"])
        shown.append(studio.pixels())
        assert np.array_equal(shown[-1][mask == 0], first[mask == 0])
    for direction, steps in (("undo", (1, 0)), ("redo", (1, 2)), ("undo", (1, 0))):
        for step in steps:
            studio.krita.call(direction)
            studio.krita.until("edits_are", [layers[step]])
            assert np.array_equal(studio.pixels(), shown[step]), (direction, step)
    studio.krita.call("undo")
    studio.krita.until("edits_are", [])
    assert np.array_equal(studio.pixels(), noise(*size, 4, np.uint8))
    assert studio.krita.call("history").strip() == "Undo"


def test_an_update_never_waits_for_krita_to_draw_a_large_canvas(studio: Studio):
    layer, mask, _ = made(studio, RGB_8, *LARGE)
    studio.krita.call("count_refreshes")
    studio.insert(sent(mask, RGB_8, 2), updates=layer)
    assert studio.krita.call("refreshed") == 0
    assert studio.layers() == ["photo", "edit"]


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
