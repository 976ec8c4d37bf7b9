"""Pixels out of the real Krita: exactly what is there, at the document's depth, in sRGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from editors.krita import Krita
from editors.krita_pictures import (
    ADOBE_8,
    FLOAT,
    GREY_8,
    GREY_16,
    GREY_LINEAR_16,
    HALF,
    RGB_8,
    RGB_16,
    Kind,
    KritaDocuments,
)
from editors.pictures import Pixels, box_of, disc, noise

HEIGHT, WIDTH = 137, 310  # no multiples of Krita's tiles


def to_srgb(linear: Pixels) -> Pixels:
    """IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055)


def picture(kind: Kind) -> Pixels:
    return noise(HEIGHT, WIDTH, kind.channels, kind.dtype)


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, GREY_8, GREY_16], ids=str)
def test_what_is_srgb_already_is_sent_bit_for_bit(documents: KritaDocuments, kind: Kind):
    documents.open(picture(kind), kind)
    found = documents.capture()
    assert found.bounds == [0, 0, WIDTH, HEIGHT]
    assert found.mask is None
    assert found.image.dtype == kind.dtype
    assert np.array_equal(found.image, picture(kind))


@pytest.mark.parametrize(("kind", "most"), [(FLOAT, 20), (HALF, 20), (GREY_LINEAR_16, 300)], ids=str)
def test_linear_pictures_are_sent_in_srgb_of_16_bits(documents: KritaDocuments, kind: Kind, most: int):
    """``most``: levels of 65535 that Krita's own conversion may be off; 257 are one of 8 bits."""
    pixels = picture(kind)
    if kind.dtype == np.uint16:
        pixels[pixels < 2000] = 2000  # the curve is so steep there that 16 bits don't hold it
    documents.open(pixels, kind)
    found = documents.capture().image
    top = 65535 if kind.dtype == np.uint16 else 1
    expected = to_srgb(pixels[..., :-1].astype(np.float64) / top) * 65535
    assert found.dtype == np.uint16
    assert np.abs(found[..., :-1] - expected).max() <= most
    assert (found[..., -1] == 65535).all()


def test_a_profile_is_managed_as_a_colour_engine_does(documents: KritaDocuments):
    pixels = picture(ADOBE_8)
    documents.open(pixels, ADOBE_8)
    found = documents.capture().image
    folder = documents.krita.box.root
    profile = ("" if folder is None else str(folder)) + f"/usr/share/color/icc/krita/{ADOBE_8.profile}"
    expected = ImageCms.profileToProfile(
        Image.fromarray(pixels[..., :3]), profile, ImageCms.createProfile("sRGB")
    )
    assert expected is not None
    off = np.abs(found[..., :3].astype(int) - np.array(expected).astype(int))
    assert off.max() <= 3
    assert off.mean() < 0.5


def test_a_selection_is_sent_with_its_soft_edges(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    mask = disc(HEIGHT, WIDTH)
    documents.select(mask)
    found = documents.capture()
    assert found.mask is not None
    assert np.array_equal(found.mask, mask)
    assert documents.krita.call("facts")["selection"] == box_of(mask)


def test_a_selection_beyond_the_canvas_is_cut_at_its_edge(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    wide = np.full((HEIGHT + 100, WIDTH + 100), 200, np.uint8)
    documents.select(wide, -50, -50)
    found = documents.capture()
    assert found.mask is not None
    assert np.array_equal(found.mask, wide[50 : 50 + HEIGHT, 50 : 50 + WIDTH])
    assert documents.krita.call("facts")["selection"] == [0, 0, WIDTH, HEIGHT]


def test_a_selection_outside_the_canvas_is_said_to_be_there(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    documents.select(np.full((10, 10), 255, np.uint8), WIDTH + 5, 0)
    facts = documents.krita.call("facts")
    assert facts["selection"] is None
    assert "outside the canvas" in facts["refusal"]


def test_only_a_part_is_sent_when_only_a_part_is_asked_for(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    mask = disc(HEIGHT, WIDTH)
    documents.select(mask)
    found = documents.capture(within=[-10, 20, 110, 50])
    assert found.bounds == [0, 20, 100, 50]
    assert found.mask is not None
    assert np.array_equal(found.image, picture(RGB_8)[20:70, :100])
    assert np.array_equal(found.mask, mask[20:70, :100])


def test_a_layer_is_sent_alone_and_as_large_as_it_is(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    patch = noise(30, 40, 4, np.uint8, seed=5)
    patch[..., 0] = patch[..., 2]  # red = blue: no order of channels to mind
    documents.krita.call("add_layer", "patch", documents.file(patch.tobytes()), 60, 70, 40, 30)
    facts = {layer["name"]: layer["source"] for layer in documents.krita.call("layer_facts")}
    assert list(facts) == ["patch", "photo"], "topmost first"
    found = documents.capture(facts["patch"])
    assert found.bounds == [60, 70, 40, 30]
    assert np.array_equal(found.image, patch)
    documents.krita.call("activate_layer", "photo")
    assert np.array_equal(documents.capture("layer").image, picture(RGB_8))
    assert documents.krita.call("facts")["layer"] == "photo"


def test_a_group_is_sent_as_it_looks_and_a_layer_only_where_the_canvas_is(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    patch = noise(30, 40, 4, np.uint8, seed=5)
    patch[..., 0] = patch[..., 2]
    documents.krita.call("add_layer", "patch", documents.file(patch.tobytes()), WIDTH - 25, -10, 40, 30)
    documents.krita.call("group_layer", "group")
    facts = {layer["name"]: layer["source"] for layer in documents.krita.call("layer_facts")}
    assert list(facts) == ["group", "patch", "photo"]
    for name in ("group", "patch"):
        found = documents.capture(facts[name])
        assert found.bounds == [WIDTH - 25, 0, 25, 20]
        assert np.array_equal(found.image, patch[10:, :25])


def test_a_layer_off_the_canvas_is_refused_in_words(documents: KritaDocuments):
    documents.open(picture(RGB_8))
    patch = documents.file(noise(10, 10, 4, np.uint8).tobytes())
    documents.krita.call("add_layer", "far away", patch, WIDTH + 10, 0, 10, 10)
    documents.krita.call("activate_layer", "far away")
    said = documents.capture_refused("layer")
    assert said == "The layer “far away” has nothing there. Choose another layer or another place."


def test_a_canvas_of_one_pixel(documents: KritaDocuments):
    documents.open(np.full((1, 1, 4), 77, np.uint8))
    documents.select(np.full((1, 1), 255, np.uint8))
    found = documents.capture()
    assert found.bounds == [0, 0, 1, 1]
    assert found.image.tolist() == [[[77, 77, 77, 77]]]
    assert found.mask is not None
    assert found.mask.tolist() == [[255]]


def test_a_capture_leaves_no_trace(documents: KritaDocuments):
    """Neither in the history nor in the picture: Krita's own conversion would be a step."""
    documents.open(picture(FLOAT), FLOAT)
    before, history = documents.pixels(), documents.krita.call("history")
    documents.capture()
    assert documents.krita.call("history") == history
    assert documents.pixels().tobytes() == before.tobytes()
    assert documents.krita.call("visible_documents") == 1


def test_a_picture_that_is_painted_on_is_sent_as_it_was(documents: KritaDocuments):
    """Large enough for many turns of the work; changed after the first ones."""
    pixels = noise(1500, 2000, 4, np.uint8)
    documents.open(pixels)
    image = documents.file()
    changed = documents.file(bytes(1500 * 2000 * 4))
    documents.krita.call("capture_while_painting", image, changed)
    assert np.array_equal(documents.read(image), pixels)


def test_a_picture_that_is_closed_meanwhile_is_sent_all_the_same(documents: KritaDocuments):
    pixels = noise(1500, 2000, 4, np.uint8)
    documents.open(pixels)
    image = documents.file()
    documents.krita.call("capture_while_closing", image)
    assert np.array_equal(documents.read(image), pixels)


def test_a_cmyk_picture_is_refused_and_an_rgb_copy_offered(krita: Krita, documents: KritaDocuments):
    height, width = 20, 30
    raw = documents.file(bytes([10, 20, 30, 0, 255]) * (height * width))
    profile = krita.call("some_profile", "CMYKA", "U8")
    layer = {"name": "photo", "pixels": raw, "bounds": [0, 0, width, height]}
    original = documents.file(name=".kra")
    krita.call("make_file", original, width, height, "CMYKA", "U8", profile, [layer])
    krita.call("open_document", original)
    content = original.read_bytes()
    facts = krita.call("facts")
    assert facts["refusal"] == "This picture is CMYK. Palimpsest edits RGB and grey pictures."
    assert facts["remedy"] == "Make an RGB copy"
    assert "CMYK" in documents.capture_refused()
    name, file, model, depth = krita.call("remedy")
    assert (name, file, model, depth) == (f"{original.stem} (RGB)", "", "RGBA", "U8")
    assert krita.call("facts")["refusal"] == ""
    assert krita.call("visible_documents") == 2, "the CMYK picture is still there"
    assert krita.call("save") is False, "there is no file that it could be saved in"
    assert original.read_bytes() == content


def test_another_shape_of_the_same_bounds_has_another_mark(documents: KritaDocuments):
    """An edit that is in hand is let go by it."""
    round = disc(HEIGHT, WIDTH)
    x, y, width, height = box_of(round)
    square = np.zeros_like(round)
    square[y : y + height, x : x + width] = 255
    documents.open(noise(HEIGHT, WIDTH, 4, np.uint8))
    assert documents.krita.call("facts")["mark"] == ""
    told = []
    for mask in (round, square, round):
        documents.select(mask)
        told.append(documents.krita.call("facts"))
    assert told[0]["selection"] == told[1]["selection"] == [x, y, width, height]
    assert told[0]["mark"] == told[2]["mark"] != told[1]["mark"]


@pytest.mark.parametrize("source", ["canvas", "layer"])
def test_what_was_captured_is_known_again_until_it_is_painted_on(documents: KritaDocuments, source: str):
    """By it a photo is said to be remembered."""
    call = documents.krita.call
    documents.open(noise(HEIGHT, WIDTH, 4, np.uint8))
    known = call("content_captured", source)
    assert call("content_mark", source) == known
    call("add_layer", "speck", documents.file(b"\xff" * 4), 7, 7, 1, 1)
    assert call("content_mark", source) != known, "however small"
    call("undo")
    call("activate_layer", "photo")
    assert call("content_mark", source) == known
    call("paint_on_layer", "photo", 20, 20, 12, 12, 255)
    assert call("content_mark", source) != known
