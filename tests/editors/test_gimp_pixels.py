"""Pixels out of the real GIMP and back: exact, at the document's depth, and nothing outside changes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from editors.gimp_pictures import (
    ADOBE_8,
    GREY_8,
    GREY_16,
    KINDS,
    LINEAR_FLOAT,
    RGB_8,
    RGB_16,
    RGB_FLOAT,
    Darkroom,
    Kind,
)
from editors.pictures import Pixels, disc, layer_over, noise
from icc_profiles import ADOBE, gamma, primaries

HEIGHT, WIDTH = 137, 310  # no multiples of GIMP's tiles
CLOSED = "The picture was closed meanwhile."


def picture(kind: Kind) -> Pixels:
    return noise(HEIGHT, WIDTH, kind.channels, kind.dtype)


def opened(darkroom: Darkroom, kind: Kind) -> int:
    return darkroom.new(picture(kind), kind, primaries(ADOBE, gamma(2.2)) if kind.profile else None)


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
def test_what_is_srgb_already_is_sent_bit_for_bit(darkroom: Darkroom, kind: Kind):
    found = darkroom.capture(opened(darkroom, kind))
    assert found.bounds == [0, 0, WIDTH, HEIGHT]
    assert found.selection is None
    assert found.image.dtype == kind.dtype
    assert np.array_equal(found.image, picture(kind))


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
@pytest.mark.parametrize("source", ["canvas", "layer"])
def test_where_all_is_opaque_no_alpha_is_sent(darkroom: Darkroom, kind: Kind, source: str):
    """A quarter less of a photo to read and to send, bit for bit the same colours."""
    image = opened(darkroom, kind)
    darkroom.gimp.call("flatten", image)
    found = darkroom.capture(image, source).image
    assert np.array_equal(found, picture(kind)[..., :-1])


def test_an_opaque_photo_below_other_layers_is_sent_without_alpha(darkroom: Darkroom):
    image, mask = opened(darkroom, RGB_16), disc(HEIGHT, WIDTH, soft=40)
    darkroom.gimp.call("flatten", image)
    darkroom.insert(image, layer_over(mask, RGB_16.dtype))
    seen = darkroom.seen(image, picture(RGB_16))
    assert (seen[..., 3] == 65535).all()
    assert np.array_equal(darkroom.capture(image).image, seen[..., :3])
    darkroom.gimp.call("change_topmost", image, "hidden")
    assert np.array_equal(darkroom.capture(image).image, picture(RGB_16)[..., :3])


HOLES = ["ERASE", "moved", "half", "masked", "filtered", "group"]


@pytest.mark.parametrize("why", HOLES)
def test_where_something_may_be_transparent_it_is_sent(darkroom: Darkroom, why: str):
    """As it is seen: opaque or not."""
    image, call = opened(darkroom, RGB_8), darkroom.gimp.call
    call("flatten", image)
    if why == "ERASE":
        above = layer_over(disc(HEIGHT, WIDTH), np.uint8)
        call("add_tree", image, [darkroom.layer("above", above, mode=why)], RGB_8.format)
    elif why == "moved":
        call("move_layer", image, 0, 20, 0)
    else:
        call("make_topmost", image, why)
    seen = darkroom.seen(image, picture(RGB_8))
    assert np.array_equal(darkroom.capture(image).image, seen)


def test_float_is_sent_in_16_bits(darkroom: Darkroom):
    found = darkroom.capture(opened(darkroom, RGB_FLOAT)).image
    assert found.dtype == np.uint16
    assert np.abs(found - picture(RGB_FLOAT) * 65535.0).max() <= 0.51


def test_linear_light_is_sent_in_srgb(darkroom: Darkroom):
    linear = picture(LINEAR_FLOAT)[..., :3].astype(np.float64)
    found = darkroom.capture(opened(darkroom, LINEAR_FLOAT)).image
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(found[..., :3] - srgb * 65535).max() <= 2


def test_a_profile_is_respected(darkroom: Darkroom):
    """Neutral grey keeps its lightness; Adobe RGB's green is greener than sRGB can say."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4], pixels[4:] = (128, 128, 128, 255), (0, 255, 0, 255)
    image = darkroom.new(pixels, ADOBE_8, primaries(ADOBE, gamma(2.2)))
    found = darkroom.capture(image).image
    light = (128 / 255) ** 2.2
    grey = (1.055 * light ** (1 / 2.4) - 0.055) * 65535
    assert found.dtype == np.uint16
    assert np.abs(found[0, 0, :3] - grey).max() <= 257  # a level of 8 bits: GIMP's own idea of the curve
    assert np.abs(found[7, 7] - [0.0, 65535, 0, 65535]).max() <= 400


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_nothing_changes_outside(darkroom: Darkroom, kind: Kind):
    """Not by one bit of the picture's own values."""
    before, mask = picture(kind), disc(HEIGHT, WIDTH)
    image = opened(darkroom, kind)
    shown = darkroom.seen(image, before)
    depth = np.uint8 if kind in (RGB_8, GREY_8) else np.uint16
    assert "layer" in darkroom.insert(image, layer_over(mask, depth, kind.channels))
    after = darkroom.seen(image, before)
    assert np.array_equal(shown[mask == 0], after[mask == 0])
    assert (shown[mask == 255] != after[mask == 255]).any()


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
def test_inside_is_what_the_backend_sent(darkroom: Darkroom, kind: Kind):
    mask = disc(HEIGHT, WIDTH)
    sent = layer_over(mask, kind.dtype, kind.channels)
    image = opened(darkroom, kind)
    darkroom.insert(image, sent)
    seen = darkroom.seen(image, sent)
    assert np.array_equal(seen[mask == 255], sent[mask == 255])


def test_soft_edges_are_mixed_as_the_backend_mixes(darkroom: Darkroom):
    before, mask = picture(RGB_8), disc(HEIGHT, WIDTH, soft=40)
    sent = layer_over(mask, np.uint8)
    image = opened(darkroom, RGB_8)
    darkroom.insert(image, sent)
    alpha = mask[..., None] / 255
    expected = alpha * sent[..., :3] + (1 - alpha) * before[..., :3]
    assert np.abs(darkroom.seen(image, before)[..., :3] - expected).max() <= 1


def test_the_layer_is_as_large_as_the_edit_has_a_mask_and_its_recipe(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:50, 100:180] = 255
    assert "layer" in darkroom.insert(image, layer_over(mask, np.uint8))
    layer = darkroom.layers(image)[0]
    assert layer["name"] == "cat → dog"
    assert layer["bounds"] == [100, 20, 80, 30]
    assert layer["mask"]
    assert json.loads(layer["recipe"]) == {"a": "ä"}


def test_a_recipe_survives_an_xcf_file(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    darkroom.insert(image, layer_over(disc(HEIGHT, WIDTH), np.uint8))
    path = str(darkroom.files / "kept.xcf")
    assert darkroom.gimp.call("save", image, path)
    again = darkroom.gimp.call("load", path)
    found = darkroom.gimp.call("recipe", again)
    assert (found["name"], json.loads(found["text"])) == ("cat → dog", {"a": "ä"})


def test_an_update_takes_the_old_layers_place(darkroom: Darkroom):
    before, mask = picture(RGB_8), disc(HEIGHT, WIDTH)
    image = opened(darkroom, RGB_8)
    first = darkroom.insert(image, layer_over(mask, np.uint8, seed=1))["layer"]
    sent = layer_over(mask, np.uint8, seed=2)
    second = darkroom.insert(image, sent, updates=first)["layer"]
    layers = darkroom.layers(image)
    assert [layer["name"] for layer in layers] == ["cat → dog", "Photo"]
    assert str(layers[0]["id"]) == second
    assert np.array_equal(darkroom.seen(image, before)[mask == 255], sent[mask == 255])


def test_a_result_is_not_laid_over_a_canvas_of_another_size(darkroom: Darkroom):
    """Also a part that would fit, and a layer that is updated: it would lie in the wrong place."""
    image = opened(darkroom, RGB_8)
    assert darkroom.capture(image).canvas == [WIDTH, HEIGHT]
    sent = layer_over(disc(HEIGHT, WIDTH), np.uint8)
    for part in (sent, sent[:90, :200]):
        said = darkroom.insert(image, part, canvas=(WIDTH + 20, HEIGHT))
        assert f"had {WIDTH + 20} × {HEIGHT} pixels and has {WIDTH} × {HEIGHT} now" in said
    assert len(darkroom.layers(image)) == 1
    made = darkroom.insert(image, sent, canvas=(WIDTH, HEIGHT))["layer"]
    assert "now" in darkroom.insert(image, sent, updates=made, canvas=(WIDTH + 20, HEIGHT))
    assert len(darkroom.layers(image)) == 2


def test_an_update_of_a_layer_that_is_gone_makes_a_new_one(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    assert "layer" in darkroom.insert(image, layer_over(disc(HEIGHT, WIDTH), np.uint8), updates="999999")
    assert len(darkroom.layers(image)) == 2


def test_the_layer_comes_above_what_was_captured(darkroom: Darkroom):
    """Whatever is active by then."""
    image = opened(darkroom, RGB_8)
    sent = layer_over(disc(HEIGHT, WIDTH), np.uint8)
    darkroom.gimp.call("add_tree", image, [darkroom.layer("above", picture(RGB_8))], RGB_8.format)
    darkroom.gimp.call("choose_layer", image, "Photo")
    seen, alone = darkroom.capture(image).source, darkroom.capture(image, "layer").source

    def put(active: str, source: str) -> list[str]:
        darkroom.gimp.call("choose_layer", image, active)
        darkroom.insert(image, sent, source=source)
        return [layer["name"].partition(" ")[0] for layer in darkroom.layers(image)]

    assert put("above", alone) == ["above", "cat", "Photo"]
    assert put("Photo", seen) == ["cat", "above", "cat", "Photo"]
    assert put("Photo", "layer") == ["cat", "above", "cat", "cat", "Photo"]
    assert put("above", "999999") == ["cat", "cat", "above", "cat", "cat", "Photo"], "that layer is gone"


def test_a_layer_with_an_offset_is_read_and_the_result_placed_where_it_lies(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    small = noise(60, 90, 4, np.uint8, seed=5)
    path = darkroom.files / "small"
    path.write_bytes(small.tobytes())
    darkroom.gimp.call("add_layer", image, str(path), [-20, 100, 90, 60], RGB_8.format)
    found = darkroom.capture(image, "layer")
    assert found.bounds == [0, 100, 70, 37]  # cut at the canvas
    assert np.array_equal(found.image, small[:37, 20:])
    sent = layer_over(np.full((37, 70), 255, np.uint8), np.uint8)
    darkroom.insert(image, sent, at=(0, 100))
    assert np.array_equal(darkroom.seen(image, picture(RGB_8))[100:, :70], sent)


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, LINEAR_FLOAT], ids=str)
def test_a_soft_selection_goes_in_and_out_exactly(darkroom: Darkroom, kind: Kind):
    mask = disc(HEIGHT, WIDTH, soft=60)
    image = opened(darkroom, kind)
    darkroom.select(image, mask)
    assert np.array_equal(darkroom.selected(image, HEIGHT, WIDTH), mask)
    found = darkroom.capture(image).selection
    assert found is not None
    assert np.array_equal(found, mask)
    assert [layer["name"] for layer in darkroom.layers(image)] == ["Photo"]


def test_another_shape_of_the_same_bounds_has_another_mark(darkroom: Darkroom):
    """An edit that is in hand is let go by it."""
    image, told = opened(darkroom, RGB_8), []
    assert darkroom.gimp.call("facts", image)["mark"] == ""
    for shape in ("ellipse", "rectangle", "ellipse"):
        darkroom.gimp.call("select_" + shape, image, 40, 30, 120, 80)
        told.append(darkroom.gimp.call("facts", image))
    assert told[0]["selection"] == told[1]["selection"] == [40, 30, 120, 80]
    assert told[0]["mark"] == told[2]["mark"] != told[1]["mark"]


def test_a_selection_beyond_the_canvas_and_the_layer_is_cut(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    darkroom.gimp.call("move_layer", image, 0, 200, 0)
    darkroom.gimp.call("select_rectangle", image, 150, -30, 1000, 80)
    assert darkroom.gimp.call("facts", image)["selection"] == [150, 0, 160, 50]
    found = darkroom.capture(image, "layer")
    assert found.bounds == [200, 0, 110, 137]
    assert found.selection is not None
    assert (found.selection[:50] == 255).all()
    assert not found.selection[50:].any()


def test_a_selection_beside_the_layer_is_refused(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    darkroom.gimp.call("move_layer", image, 0, 200, 0)
    darkroom.gimp.call("select_rectangle", image, 0, 0, 50, 50)
    assert (
        darkroom.refusal(image, "layer")
        == "The selection doesn't touch the layer. Select a part of it, or edit what is visible."
    )


def test_only_the_part_that_is_asked_for_is_read(darkroom: Darkroom):
    found = darkroom.capture(opened(darkroom, RGB_8), within=[30, 40, 100, 50])
    assert found.bounds == [30, 40, 100, 50]
    assert np.array_equal(found.image, picture(RGB_8)[40:90, 30:130])


def test_indexed_pictures_are_refused_with_a_remedy(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    darkroom.gimp.call("make_indexed", image)
    facts = darkroom.gimp.call("facts", image)
    assert "indexed" in facts["refusal"]
    assert facts["remedy"] == "Make an RGB copy"
    assert "indexed" in darkroom.refusal(image)


def test_a_picture_without_layers_is_refused(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    darkroom.gimp.call("remove_layers", image)
    assert "no layer" in darkroom.gimp.call("facts", image)["refusal"]
    assert "no layer" in darkroom.refusal(image)


def test_a_picture_that_is_closed_meanwhile_is_told(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    layer = layer_over(disc(HEIGHT, WIDTH), np.uint8)
    darkroom.gimp.call("close_documents")
    assert darkroom.refusal(image) == CLOSED
    assert darkroom.insert(image, layer) == CLOSED
    assert darkroom.gimp.call("recipe", image) is None


def test_a_result_that_shows_nothing_is_told(darkroom: Darkroom):
    image = opened(darkroom, RGB_8)
    told = darkroom.insert(image, np.zeros((HEIGHT, WIDTH, 4), np.uint8))
    assert told == "The result changes nothing that is selected."
    assert len(darkroom.layers(image)) == 1


@pytest.mark.parametrize("source", ["canvas", "layer"])
def test_what_was_captured_is_known_again_until_it_is_painted_on(darkroom: Darkroom, source: str):
    """By it a photo is said to be remembered."""
    image, call = opened(darkroom, RGB_8), darkroom.gimp.call
    known = call("content_captured", image, source)
    assert call("content_mark", image, source) == known
    call("fill", image, 20, 20, 6, 6)
    assert call("content_mark", image, source) != known
