"""An edit that is renewed in the real GIMP keeps everything that people did to its layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from editors.backend import Backend
from editors.display import Display
from editors.gimp_panel import Desk, until
from editors.gimp_pictures import LINEAR_8, LINEAR_FLOAT, RGB_8, RGB_16, Darkroom, Kind
from editors.pictures import Pixels, disc, layer_over, noise, png
from editors.running import Gimps

HEIGHT, WIDTH = 137, 310


def made(darkroom: Darkroom, kind: Kind = RGB_8) -> tuple[int, str, Pixels, Pixels]:
    """A picture with an edit: the picture, the edit's layer, its mask, and what was seen before."""
    before = noise(HEIGHT, WIDTH, kind.channels, kind.dtype)
    image, mask = darkroom.new(before, kind), disc(HEIGHT, WIDTH)
    return image, darkroom.insert(image, sent(mask, kind, 1))["layer"], mask, before


def sent(mask: Pixels, kind: Kind, seed: int) -> Pixels:
    return layer_over(mask, np.uint8 if kind is RGB_8 else np.uint16, kind.channels, seed)


def test_what_people_set_stays(darkroom: Darkroom):
    """Name, opacity, mode, visibility, colour tag, locks, filters and a move."""
    image, layer, mask, _ = made(darkroom)
    darkroom.gimp.call("move_layer", image, 0, 60, 31)
    darkroom.gimp.call("change_topmost", image, "my dog")
    before = darkroom.gimp.call("state_of_topmost", image)
    for seed in (2, 3):
        layer = darkroom.insert(image, sent(mask, RGB_8, seed), updates=layer)["layer"]
        assert darkroom.gimp.call("state_of_topmost", image) == before
    assert before["filters"] == ["gegl:invert-gamma"]
    assert [found["name"] for found in darkroom.layers(image)] == ["my dog", "Photo"]


def test_the_name_that_was_given_goes_with_the_edit(darkroom: Darkroom):
    image, layer, mask, _ = made(darkroom)
    path = darkroom.files / "layer.png"
    path.write_bytes(png(sent(mask, RGB_8, 2)))
    said = darkroom.gimp.call("noted_after", image, str(path), [0, 0, WIDTH, HEIGHT], layer)
    assert said == ""
    assert [found["name"] for found in darkroom.layers(image)] == ["other", "Photo"]


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, LINEAR_8, LINEAR_FLOAT], ids=str)
def test_a_mask_that_was_painted_on_stays(darkroom: Darkroom, kind: Kind):
    image, layer, mask, before = made(darkroom, kind)
    darkroom.gimp.call("paint_topmost", image, True, 20, 10, 30, 40, 0)
    file = darkroom.files / "mask"
    darkroom.gimp.call("mask_of_topmost", image, str(file))
    painted = file.read_bytes()
    for seed in (2, 3):
        layer = darkroom.insert(image, sent(mask, kind, seed), updates=layer)["layer"]
        darkroom.gimp.call("mask_of_topmost", image, str(file))
        assert file.read_bytes() == painted
    x, y = darkroom.layers(image)[0]["bounds"][:2]
    seen = darkroom.seen(image, before)
    taken_back = slice(y + 10, y + 50), slice(x + 20, x + 50)
    assert np.array_equal(seen[taken_back], before[taken_back])
    assert (seen[mask == 255] != before[mask == 255]).any()


def test_a_mask_that_nobody_touched_is_renewed(darkroom: Darkroom):
    """Also where the layer is of another size then, and moved."""
    image, layer, _, before = made(darkroom)
    x, y = darkroom.layers(image)[0]["bounds"][:2]
    darkroom.gimp.call("move_layer", image, 0, x + 7, y + 5)
    other = np.zeros((HEIGHT, WIDTH), np.uint8)
    other[30:60, 40:200] = 255
    new = sent(other, RGB_8, 2)
    darkroom.insert(image, new, updates=layer)
    assert darkroom.layers(image)[0]["bounds"] == [47, 35, 160, 30]
    expected = before.copy()
    expected[35:65, 47:207] = new[30:60, 40:200]
    assert np.array_equal(darkroom.seen(image, before), expected)


def test_a_layer_that_was_painted_on_stays_and_that_is_said(darkroom: Darkroom):
    image, layer, mask, before = made(darkroom)
    darkroom.gimp.call("paint_topmost", image, False, 20, 10, 30, 40, 77)
    path, new = darkroom.files / "layer.png", sent(mask, RGB_8, 2)
    path.write_bytes(png(new))
    said = darkroom.gimp.call("noted_after", image, str(path), [0, 0, WIDTH, HEIGHT], layer)
    assert said.startswith("“cat → dog” was painted on")
    assert [found["name"] for found in darkroom.layers(image)] == ["other", "cat → dog", "Photo"]
    assert np.array_equal(darkroom.seen(image, before)[mask == 255], new[mask == 255])


def test_it_is_known_again_in_a_file(darkroom: Darkroom):
    """What was painted on and what wasn't, in a picture that was saved and opened."""
    image, _, mask, _ = made(darkroom)
    darkroom.gimp.call("move_layer", image, 0, 60, 31)
    path = darkroom.files / "kept.xcf"
    assert darkroom.gimp.call("save", image, str(path))
    again = darkroom.gimp.call("load", str(path))
    layer = str(darkroom.layers(again)[0]["id"])
    darkroom.insert(again, sent(mask, RGB_8, 2), updates=layer)
    layers = darkroom.layers(again)
    assert [found["name"] for found in layers] == ["cat → dog", "Photo"]
    assert layers[0]["bounds"][:2] == [60, 31]


@pytest.fixture
def desk(gimps: Gimps, display: Display, backend: Backend) -> Iterator[Desk]:
    gimp = gimps.get()
    yield Desk(gimp, display, backend)
    gimp.call("close_documents")


@pytest.mark.parametrize("narrow", [False, True], ids=["same size", "other size"])
def test_one_step_takes_an_update_back_and_one_brings_it_again(desk: Desk, narrow: bool):
    image, darkroom = desk.open(), desk.darkroom
    before = np.zeros((256, 256, 4), np.uint8)
    mask = disc(256, 256)
    first = darkroom.insert(image, sent(mask, RGB_8, 1))["layer"]
    one = darkroom.seen(image, before)
    if narrow:
        mask[:100] = 0
    second = darkroom.insert(image, sent(mask, RGB_8, 2), updates=first)["layer"]
    two = darkroom.seen(image, before)
    assert not np.array_equal(one, two)

    def until_seen(layer: str, picture: Pixels) -> None:
        until(lambda: str(darkroom.layers(image)[0]["id"]) == layer, "the other layer")
        assert np.array_equal(darkroom.seen(image, before), picture)

    desk.press("ctrl+z")
    until_seen(first, one)
    desk.press("ctrl+y")
    until_seen(second, two)
    desk.press("ctrl+z")
    until_seen(first, one)
    desk.press("ctrl+z")
    desk.until_layers(image, 1)
    assert "Can't undo" not in desk.gimp.log.read_text()  # which GIMP would tell people at every step back
