"""An edit that is renewed in the real GIMP keeps everything that people did to its layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from editors.backend import Backend
from editors.display import Display
from editors.gimp_panel import GimpUser, until
from editors.gimp_pictures import LINEAR_8, LINEAR_FLOAT, RGB_8, RGB_16, GimpImages, Kind
from editors.pictures import Pixels, disc, layer_over, noise, png
from editors.running import Gimps

HEIGHT, WIDTH = 137, 310


def made(images: GimpImages, kind: Kind = RGB_8) -> tuple[int, str, Pixels, Pixels]:
    """A picture with an edit: the picture, the edit's layer, its mask, and what was seen before."""
    before = noise(HEIGHT, WIDTH, kind.channels, kind.dtype)
    image, mask = images.new(before, kind), disc(HEIGHT, WIDTH)
    return image, images.insert(image, sent(mask, kind, 1))["layer"], mask, before


def sent(mask: Pixels, kind: Kind, seed: int) -> Pixels:
    return layer_over(mask, np.uint8 if kind is RGB_8 else np.uint16, kind.channels, seed)


def test_what_people_set_stays(images: GimpImages):
    """Name, opacity, mode, visibility, colour tag, locks, filters and a move."""
    image, layer, mask, _ = made(images)
    images.gimp.call("move_layer", image, 0, 60, 31)
    images.gimp.call("change_topmost", image, "my dog")
    before = images.gimp.call("state_of_topmost", image)
    for seed in (2, 3):
        layer = images.insert(image, sent(mask, RGB_8, seed), updates=layer)["layer"]
        assert images.gimp.call("state_of_topmost", image) == before
    assert before["filters"] == ["gegl:invert-gamma"]
    assert [found["name"] for found in images.layers(image)] == ["my dog", "Photo"]


def test_the_name_that_was_given_goes_with_the_edit(images: GimpImages):
    image, layer, mask, _ = made(images)
    path = images.files / "layer.png"
    path.write_bytes(png(sent(mask, RGB_8, 2)))
    said = images.gimp.call("noted_after", image, str(path), [0, 0, WIDTH, HEIGHT], layer)
    assert said == ""
    assert [found["name"] for found in images.layers(image)] == ["other", "Photo"]


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, LINEAR_8, LINEAR_FLOAT], ids=str)
def test_a_mask_that_was_painted_on_stays(images: GimpImages, kind: Kind):
    image, layer, mask, before = made(images, kind)
    images.gimp.call("paint_topmost", image, True, 20, 10, 30, 40, 0)
    file = images.files / "mask"
    images.gimp.call("mask_of_topmost", image, str(file))
    painted = file.read_bytes()
    for seed in (2, 3):
        layer = images.insert(image, sent(mask, kind, seed), updates=layer)["layer"]
        images.gimp.call("mask_of_topmost", image, str(file))
        assert file.read_bytes() == painted
    x, y = images.layers(image)[0]["bounds"][:2]
    seen = images.seen(image, before)
    taken_back = slice(y + 10, y + 50), slice(x + 20, x + 50)
    assert np.array_equal(seen[taken_back], before[taken_back])
    assert (seen[mask == 255] != before[mask == 255]).any()


def test_a_mask_that_nobody_touched_is_renewed(images: GimpImages):
    """Also where the layer is of another size then, and moved."""
    image, layer, _, before = made(images)
    x, y = images.layers(image)[0]["bounds"][:2]
    images.gimp.call("move_layer", image, 0, x + 7, y + 5)
    other = np.zeros((HEIGHT, WIDTH), np.uint8)
    other[30:60, 40:200] = 255
    new = sent(other, RGB_8, 2)
    images.insert(image, new, updates=layer)
    assert images.layers(image)[0]["bounds"] == [47, 35, 160, 30]
    expected = before.copy()
    expected[35:65, 47:207] = new[30:60, 40:200]
    assert np.array_equal(images.seen(image, before), expected)


def test_a_layer_that_was_painted_on_stays_and_that_is_said(images: GimpImages):
    image, layer, mask, before = made(images)
    images.gimp.call("paint_topmost", image, False, 20, 10, 30, 40, 77)
    path, new = images.files / "layer.png", sent(mask, RGB_8, 2)
    path.write_bytes(png(new))
    said = images.gimp.call("noted_after", image, str(path), [0, 0, WIDTH, HEIGHT], layer)
    assert said.startswith("“cat → dog” was painted on")
    assert [found["name"] for found in images.layers(image)] == ["other", "cat → dog", "Photo"]
    assert np.array_equal(images.seen(image, before)[mask == 255], new[mask == 255])


def test_it_is_known_again_in_a_file(images: GimpImages):
    """What was painted on and what wasn't, in a picture that was saved and opened."""
    image, _, mask, _ = made(images)
    images.gimp.call("move_layer", image, 0, 60, 31)
    path = images.files / "kept.xcf"
    assert images.gimp.call("save", image, str(path))
    again = images.gimp.call("load", str(path))
    layer = str(images.layers(again)[0]["id"])
    images.insert(again, sent(mask, RGB_8, 2), updates=layer)
    layers = images.layers(again)
    assert [found["name"] for found in layers] == ["cat → dog", "Photo"]
    assert layers[0]["bounds"][:2] == [60, 31]


@pytest.fixture
def user(gimps: Gimps, display: Display, backend: Backend) -> Iterator[GimpUser]:
    gimp = gimps.get()
    yield GimpUser(gimp, display, backend)
    gimp.call("close_documents")


@pytest.mark.parametrize("narrow", [False, True], ids=["same size", "other size"])
def test_one_step_takes_an_update_back_and_one_brings_it_again(user: GimpUser, narrow: bool):
    image, images = user.open(), user.images
    before = np.zeros((256, 256, 4), np.uint8)
    mask = disc(256, 256)
    first = images.insert(image, sent(mask, RGB_8, 1))["layer"]
    one = images.seen(image, before)
    if narrow:
        mask[:100] = 0
    second = images.insert(image, sent(mask, RGB_8, 2), updates=first)["layer"]
    two = images.seen(image, before)
    assert not np.array_equal(one, two)

    def until_seen(layer: str, picture: Pixels) -> None:
        until(lambda: str(images.layers(image)[0]["id"]) == layer, "the other layer")
        assert np.array_equal(images.seen(image, before), picture)

    user.press("ctrl+z")
    until_seen(first, one)
    user.press("ctrl+y")
    until_seen(second, two)
    user.press("ctrl+z")
    until_seen(first, one)
    user.press("ctrl+z")
    user.until_layers(image, 1)
    assert "Can't undo" not in user.gimp.log.read_text()  # which GIMP would tell people at every step back
