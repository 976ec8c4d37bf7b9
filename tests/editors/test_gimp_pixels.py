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
    GimpImages,
    Kind,
)
from editors.pictures import Pixels, disc, layer_over, noise
from icc_profiles import ADOBE, gamma, primaries

HEIGHT, WIDTH = 137, 310  # no multiples of GIMP's tiles
CLOSED = "The picture was closed meanwhile."


def picture(kind: Kind) -> Pixels:
    return noise(HEIGHT, WIDTH, kind.channels, kind.dtype)


def opened(images: GimpImages, kind: Kind) -> int:
    return images.new(picture(kind), kind, primaries(ADOBE, gamma(2.2)) if kind.profile else None)


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
def test_what_is_srgb_already_is_sent_bit_for_bit(images: GimpImages, kind: Kind):
    found = images.capture(opened(images, kind))
    assert found.bounds == [0, 0, WIDTH, HEIGHT]
    assert found.selection is None
    assert found.image.dtype == kind.dtype
    assert np.array_equal(found.image, picture(kind))


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
@pytest.mark.parametrize("source", ["canvas", "layer"])
def test_where_all_is_opaque_no_alpha_is_sent(images: GimpImages, kind: Kind, source: str):
    """A quarter less of a photo to read and to send, bit for bit the same colours."""
    image = opened(images, kind)
    images.gimp.call("flatten", image)
    found = images.capture(image, source).image
    assert np.array_equal(found, picture(kind)[..., :-1])


@pytest.mark.parametrize("how", ["component", "channel"])
def test_one_layer_is_read_as_several_are_where_more_is_seen_than_layers(images: GimpImages, how: str):
    """Colours that are switched off, and channels that lie over the layers."""
    image, call = opened(images, RGB_8), images.gimp.call
    call("flatten", image)
    call("show_otherwise", image, how)
    one = images.capture(image).image
    call("add_tree", image, [images.layer("above", np.zeros_like(picture(RGB_8)))], RGB_8.format)
    assert np.array_equal(one, images.capture(image).image)
    assert not np.array_equal(one, picture(RGB_8)[..., :-1])


def test_an_opaque_photo_below_other_layers_is_sent_without_alpha(images: GimpImages):
    image, mask = opened(images, RGB_16), disc(HEIGHT, WIDTH, soft=40)
    images.gimp.call("flatten", image)
    images.insert(image, layer_over(mask, RGB_16.dtype))
    seen = images.seen(image, picture(RGB_16))
    assert (seen[..., 3] == 65535).all()
    assert np.array_equal(images.capture(image).image, seen[..., :3])
    images.gimp.call("change_topmost", image, "hidden")
    assert np.array_equal(images.capture(image).image, picture(RGB_16)[..., :3])


HOLES = ["ERASE", "moved", "half", "masked", "filtered", "group"]


@pytest.mark.parametrize("why", HOLES)
def test_where_something_may_be_transparent_it_is_sent(images: GimpImages, why: str):
    """As it is seen: opaque or not."""
    image, call = opened(images, RGB_8), images.gimp.call
    call("flatten", image)
    if why == "ERASE":
        above = layer_over(disc(HEIGHT, WIDTH), np.uint8)
        call("add_tree", image, [images.layer("above", above, mode=why)], RGB_8.format)
    elif why == "moved":
        call("move_layer", image, 0, 20, 0)
    else:
        call("make_topmost", image, why)
    seen = images.seen(image, picture(RGB_8))
    assert np.array_equal(images.capture(image).image, seen)


def test_float_is_sent_in_16_bits(images: GimpImages):
    found = images.capture(opened(images, RGB_FLOAT)).image
    assert found.dtype == np.uint16
    assert np.abs(found - picture(RGB_FLOAT) * 65535.0).max() <= 0.51


def test_linear_light_is_sent_in_srgb(images: GimpImages):
    linear = picture(LINEAR_FLOAT)[..., :3].astype(np.float64)
    found = images.capture(opened(images, LINEAR_FLOAT)).image
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(found[..., :3] - srgb * 65535).max() <= 2


def test_a_profile_is_respected(images: GimpImages):
    """Neutral grey keeps its lightness; Adobe RGB's green is greener than sRGB can say."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4], pixels[4:] = (128, 128, 128, 255), (0, 255, 0, 255)
    image = images.new(pixels, ADOBE_8, primaries(ADOBE, gamma(2.2)))
    found = images.capture(image).image
    light = (128 / 255) ** 2.2
    grey = (1.055 * light ** (1 / 2.4) - 0.055) * 65535
    assert found.dtype == np.uint16
    assert np.abs(found[0, 0, :3] - grey).max() <= 257  # a level of 8 bits: GIMP's own idea of the curve
    assert np.abs(found[7, 7] - [0.0, 65535, 0, 65535]).max() <= 400


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_nothing_changes_outside(images: GimpImages, kind: Kind):
    """Not by one bit of the picture's own values."""
    before, mask = picture(kind), disc(HEIGHT, WIDTH)
    image = opened(images, kind)
    shown = images.seen(image, before)
    depth = np.uint8 if kind in (RGB_8, GREY_8) else np.uint16
    assert "layer" in images.insert(image, layer_over(mask, depth, kind.channels))
    after = images.seen(image, before)
    assert np.array_equal(shown[mask == 0], after[mask == 0])
    assert (shown[mask == 255] != after[mask == 255]).any()


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
def test_inside_is_what_the_backend_sent(images: GimpImages, kind: Kind):
    mask = disc(HEIGHT, WIDTH)
    sent = layer_over(mask, kind.dtype, kind.channels)
    image = opened(images, kind)
    images.insert(image, sent)
    seen = images.seen(image, sent)
    assert np.array_equal(seen[mask == 255], sent[mask == 255])


def test_soft_edges_are_mixed_as_the_backend_mixes(images: GimpImages):
    before, mask = picture(RGB_8), disc(HEIGHT, WIDTH, soft=40)
    sent = layer_over(mask, np.uint8)
    image = opened(images, RGB_8)
    images.insert(image, sent)
    alpha = mask[..., None] / 255
    expected = alpha * sent[..., :3] + (1 - alpha) * before[..., :3]
    assert np.abs(images.seen(image, before)[..., :3] - expected).max() <= 1


def test_the_layer_is_as_large_as_the_edit_has_a_mask_and_its_recipe(images: GimpImages):
    image = opened(images, RGB_8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:50, 100:180] = 255
    assert "layer" in images.insert(image, layer_over(mask, np.uint8))
    layer = images.layers(image)[0]
    assert layer["name"] == "cat → dog"
    assert layer["bounds"] == [100, 20, 80, 30]
    assert layer["mask"]
    assert json.loads(layer["recipe"]) == {"a": "ä"}


def test_a_recipe_survives_an_xcf_file(images: GimpImages):
    image = opened(images, RGB_8)
    images.insert(image, layer_over(disc(HEIGHT, WIDTH), np.uint8))
    path = str(images.files / "kept.xcf")
    assert images.gimp.call("save", image, path)
    again = images.gimp.call("load", path)
    found = images.gimp.call("recipe", again)
    assert (found["name"], json.loads(found["text"])) == ("cat → dog", {"a": "ä"})


def test_an_update_takes_the_old_layers_place(images: GimpImages):
    before, mask = picture(RGB_8), disc(HEIGHT, WIDTH)
    image = opened(images, RGB_8)
    first = images.insert(image, layer_over(mask, np.uint8, seed=1))["layer"]
    sent = layer_over(mask, np.uint8, seed=2)
    second = images.insert(image, sent, updates=first)["layer"]
    layers = images.layers(image)
    assert [layer["name"] for layer in layers] == ["cat → dog", "Photo"]
    assert str(layers[0]["id"]) == second
    assert np.array_equal(images.seen(image, before)[mask == 255], sent[mask == 255])


def test_a_result_is_not_laid_over_a_canvas_of_another_size(images: GimpImages):
    """Also a part that would fit, and a layer that is updated: it would lie in the wrong place."""
    image = opened(images, RGB_8)
    assert images.capture(image).canvas == [WIDTH, HEIGHT]
    sent = layer_over(disc(HEIGHT, WIDTH), np.uint8)
    for part in (sent, sent[:90, :200]):
        said = images.insert(image, part, canvas=(WIDTH + 20, HEIGHT))
        assert f"had {WIDTH + 20} × {HEIGHT} pixels and has {WIDTH} × {HEIGHT} now" in said
    assert len(images.layers(image)) == 1
    made = images.insert(image, sent, canvas=(WIDTH, HEIGHT))["layer"]
    assert "now" in images.insert(image, sent, updates=made, canvas=(WIDTH + 20, HEIGHT))
    assert len(images.layers(image)) == 2


def test_an_update_of_a_layer_that_is_gone_makes_a_new_one(images: GimpImages):
    image = opened(images, RGB_8)
    assert "layer" in images.insert(image, layer_over(disc(HEIGHT, WIDTH), np.uint8), updates="999999")
    assert len(images.layers(image)) == 2


def test_the_layer_comes_above_what_was_captured(images: GimpImages):
    """Whatever is active by then."""
    image = opened(images, RGB_8)
    sent = layer_over(disc(HEIGHT, WIDTH), np.uint8)
    images.gimp.call("add_tree", image, [images.layer("above", picture(RGB_8))], RGB_8.format)
    images.gimp.call("choose_layer", image, "Photo")
    seen, alone = images.capture(image).source, images.capture(image, "layer").source

    def put(active: str, source: str) -> list[str]:
        images.gimp.call("choose_layer", image, active)
        images.insert(image, sent, source=source)
        return [layer["name"].partition(" ")[0] for layer in images.layers(image)]

    assert put("above", alone) == ["above", "cat", "Photo"]
    assert put("Photo", seen) == ["cat", "above", "cat", "Photo"]
    assert put("Photo", "layer") == ["cat", "above", "cat", "cat", "Photo"]
    assert put("above", "999999") == ["cat", "cat", "above", "cat", "cat", "Photo"], "that layer is gone"


def test_a_layer_with_an_offset_is_read_and_the_result_placed_where_it_lies(images: GimpImages):
    image = opened(images, RGB_8)
    small = noise(60, 90, 4, np.uint8, seed=5)
    path = images.files / "small"
    path.write_bytes(small.tobytes())
    images.gimp.call("add_layer", image, str(path), [-20, 100, 90, 60], RGB_8.format)
    found = images.capture(image, "layer")
    assert found.bounds == [0, 100, 70, 37]  # cut at the canvas
    assert np.array_equal(found.image, small[:37, 20:])
    sent = layer_over(np.full((37, 70), 255, np.uint8), np.uint8)
    images.insert(image, sent, at=(0, 100))
    assert np.array_equal(images.seen(image, picture(RGB_8))[100:, :70], sent)


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, LINEAR_FLOAT], ids=str)
def test_a_soft_selection_goes_in_and_out_exactly(images: GimpImages, kind: Kind):
    mask = disc(HEIGHT, WIDTH, soft=60)
    image = opened(images, kind)
    images.select(image, mask)
    assert np.array_equal(images.selected(image, HEIGHT, WIDTH), mask)
    found = images.capture(image).selection
    assert found is not None
    assert np.array_equal(found, mask)
    assert [layer["name"] for layer in images.layers(image)] == ["Photo"]


def test_another_shape_of_the_same_bounds_has_another_mark(images: GimpImages):
    """An edit that is in hand is let go by it."""
    image, told = opened(images, RGB_8), []
    assert images.gimp.call("facts", image)["mark"] == ""
    for shape in ("ellipse", "rectangle", "ellipse"):
        images.gimp.call("select_" + shape, image, 40, 30, 120, 80)
        told.append(images.gimp.call("facts", image))
    assert told[0]["selection"] == told[1]["selection"] == [40, 30, 120, 80]
    assert told[0]["mark"] == told[2]["mark"] != told[1]["mark"]


def test_a_selection_beyond_the_canvas_and_the_layer_is_cut(images: GimpImages):
    image = opened(images, RGB_8)
    images.gimp.call("move_layer", image, 0, 200, 0)
    images.gimp.call("select_rectangle", image, 150, -30, 1000, 80)
    assert images.gimp.call("facts", image)["selection"] == [150, 0, 160, 50]
    found = images.capture(image, "layer")
    assert found.bounds == [200, 0, 110, 137]
    assert found.selection is not None
    assert (found.selection[:50] == 255).all()
    assert not found.selection[50:].any()


def test_a_selection_beside_the_layer_is_refused(images: GimpImages):
    image = opened(images, RGB_8)
    images.gimp.call("move_layer", image, 0, 200, 0)
    images.gimp.call("select_rectangle", image, 0, 0, 50, 50)
    assert (
        images.refusal(image, "layer")
        == "The selection doesn't touch the layer. Select a part of it, or edit what is visible."
    )


def test_only_the_part_that_is_asked_for_is_read(images: GimpImages):
    found = images.capture(opened(images, RGB_8), within=[30, 40, 100, 50])
    assert found.bounds == [30, 40, 100, 50]
    assert np.array_equal(found.image, picture(RGB_8)[40:90, 30:130])


def test_indexed_pictures_are_refused_with_a_remedy(images: GimpImages):
    image = opened(images, RGB_8)
    images.gimp.call("make_indexed", image)
    facts = images.gimp.call("facts", image)
    assert "indexed" in facts["refusal"]
    assert facts["remedy"] == "Make an RGB copy"
    assert "indexed" in images.refusal(image)


def test_a_picture_without_layers_is_refused(images: GimpImages):
    image = opened(images, RGB_8)
    images.gimp.call("remove_layers", image)
    assert "no layer" in images.gimp.call("facts", image)["refusal"]
    assert "no layer" in images.refusal(image)


def test_a_picture_that_is_closed_meanwhile_is_told(images: GimpImages):
    image = opened(images, RGB_8)
    layer = layer_over(disc(HEIGHT, WIDTH), np.uint8)
    images.gimp.call("close_documents")
    assert images.refusal(image) == CLOSED
    assert images.insert(image, layer) == CLOSED
    assert images.gimp.call("recipe", image) is None


def test_a_result_that_shows_nothing_is_told(images: GimpImages):
    image = opened(images, RGB_8)
    told = images.insert(image, np.zeros((HEIGHT, WIDTH, 4), np.uint8))
    assert told == "The result changes nothing that is selected."
    assert len(images.layers(image)) == 1


@pytest.mark.parametrize("source", ["canvas", "layer"])
def test_what_was_captured_is_known_again_until_it_is_painted_on(images: GimpImages, source: str):
    """By it a photo is said to be remembered."""
    image, call = opened(images, RGB_8), images.gimp.call
    known = call("content_captured", image, source)
    assert call("content_mark", image, source) == known
    call("fill", image, 20, 20, 6, 6)
    assert call("content_mark", image, source) != known
