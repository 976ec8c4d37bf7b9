"""An edit that is renewed in the real Krita keeps everything that people did to its layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from editors.krita_pictures import FLOAT, GREY_16, RGB_8, RGB_16, Kind, KritaDocuments
from editors.pictures import Pixels, disc, layer_over, noise

HEIGHT, WIDTH = 150, 330
LARGE = 1030, 1100  # a canvas on which Krita would be held by exchanging a layer


def made(
    documents: KritaDocuments, kind: Kind = RGB_8, height: int = HEIGHT, width: int = WIDTH
) -> tuple[str, Pixels, Pixels]:
    """A picture with an edit: the edit's layer, its mask, and what was seen before."""
    pixels, mask = noise(height, width, kind.channels, kind.dtype), disc(height, width)
    documents.open(pixels, kind)
    return documents.insert(sent(mask, kind, 1))["layer"], mask, documents.pixels()


def sent(mask: Pixels, kind: Kind, seed: int) -> Pixels:
    return layer_over(mask, np.uint8 if kind is RGB_8 else np.uint16, kind.channels, seed)


def told(documents: KritaDocuments, name: str) -> dict[str, Any]:
    return documents.krita.call("state_of_layer", name)


def test_what_people_set_and_added_stays(documents: KritaDocuments):
    """Name, opacity, mode, visibility, label, locks, inherited alpha, a filter mask and another mask."""
    layer, mask, _ = made(documents)
    documents.krita.call("change_layer", "edit", "my dog")
    before = told(documents, "my dog")
    for seed in (2, 3):
        layer = documents.insert(sent(mask, RGB_8, seed), updates=layer)["layer"]
        assert told(documents, "my dog") == before
    assert before["masks"] == ["transparencymask", "filtermask", "transparencymask"]
    assert documents.layers() == ["photo", "my dog"]


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_16, FLOAT], ids=str)
def test_a_mask_that_was_painted_on_stays(documents: KritaDocuments, kind: Kind):
    layer, mask, _ = made(documents, kind)
    documents.krita.call("paint_on_mask", "edit", 150, 60, 30, 40, 0)
    file = documents.file()
    documents.krita.call("mask_of", "edit", file)
    painted = file.read_bytes()
    for seed in (2, 3):
        layer = documents.insert(sent(mask, kind, seed), updates=layer)["layer"]
        documents.krita.call("mask_of", "edit", file)
        assert file.read_bytes() == painted
    assert documents.layers() == ["photo", "edit"]


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), LARGE], ids=["small", "large"])
def test_the_mask_that_is_painted_on_stays_the_active_one(documents: KritaDocuments, size: tuple[int, int]):
    """Or the next stroke would go into the pixels of the layer."""
    layer, mask, _ = made(documents, RGB_8, *size)
    (name,) = told(documents, "edit")["names"]
    for seed in (2, 3):
        documents.krita.call("activate_layer", name)
        layer = documents.insert(sent(mask, RGB_8, seed), updates=layer)["layer"]
        documents.krita.until("active_layer_is", name)
        assert documents.layers() == ["photo", "edit"]


def test_a_moved_layer_stays_where_it_is_and_its_mask_is_renewed(documents: KritaDocuments):
    layer, _, _ = made(documents)
    before = noise(HEIGHT, WIDTH, 4, np.uint8)
    documents.krita.call("move_layer", "edit", 7, 5)
    other = np.zeros((HEIGHT, WIDTH), np.uint8)
    other[30:60, 40:200] = 255
    for seed in (2, 3):
        new = sent(other, RGB_8, seed)
        layer = documents.insert(new, updates=layer)["layer"]
        expected = before.copy()
        expected[35:65, 47:207] = new[30:60, 40:200]
        assert np.array_equal(documents.pixels(), expected)


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), LARGE], ids=["small", "large"])
def test_one_step_takes_an_update_back_and_one_brings_it_again(
    documents: KritaDocuments, size: tuple[int, int]
):
    """Twice, exact in what is shown after each."""
    layer, mask, first = made(documents, RGB_8, *size)
    layers, shown = [layer], [first]
    for seed in (2, 3):
        layers.append(documents.insert(sent(mask, RGB_8, seed), updates=layers[-1])["layer"])
        shown.append(documents.pixels())
        assert np.array_equal(shown[-1][mask == 0], first[mask == 0])
    for direction, steps in (("undo", (1, 0)), ("redo", (1, 2)), ("undo", (1, 0))):
        for step in steps:
            documents.krita.call(direction)
            documents.krita.until("edits_are", [layers[step]])
            assert np.array_equal(documents.pixels(), shown[step]), (direction, step)
    documents.krita.call("undo")
    documents.krita.until("edits_are", [])
    assert np.array_equal(documents.pixels(), noise(*size, 4, np.uint8))
    assert documents.krita.call("history").strip() == "Undo"


def test_an_update_never_waits_for_krita_to_draw_a_large_canvas(documents: KritaDocuments):
    layer, mask, _ = made(documents, RGB_8, *LARGE)
    documents.krita.call("count_refreshes")
    documents.insert(sent(mask, RGB_8, 2), updates=layer)
    assert documents.krita.call("refreshed") == 0
    assert documents.layers() == ["photo", "edit"]


def test_a_layer_that_was_painted_on_stays_and_that_is_said(documents: KritaDocuments):
    layer, mask, _ = made(documents)
    documents.krita.call("paint_on_layer", "edit", 150, 60, 30, 40, 77)
    new = sent(mask, RGB_8, 2)
    documents.insert(new, updates=layer)
    assert documents.krita.call("noted").startswith("“edit” was painted on")
    assert documents.layers() == ["photo", "edit", "edit"]
    assert np.array_equal(documents.pixels()[mask == 255], new[mask == 255])


def test_it_is_known_again_in_a_file(documents: KritaDocuments):
    """What was moved and painted on, in a picture that was saved and opened."""
    _, mask, _ = made(documents)
    documents.krita.call("move_layer", "edit", 7, 5)
    kra = documents.file(name=".kra")
    documents.krita.call("save_as", kra)
    documents.krita.call("close_documents")
    documents.open_file(kra, RGB_8)
    documents.krita.call("activate_layer", "edit")
    layer, new = documents.krita.call("recipe")["layer"], sent(mask, RGB_8, 2)
    documents.insert(new, updates=layer)
    assert documents.krita.call("noted") == ""
    assert documents.layers() == ["photo", "edit"]
    core = mask[: HEIGHT - 5, : WIDTH - 7] == 255
    assert np.array_equal(documents.pixels()[5:, 7:][core], new[: HEIGHT - 5, : WIDTH - 7][core])
