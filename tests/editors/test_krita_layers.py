"""Layers into the real Krita: one masked layer, one step to undo, and not a bit changed outside."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from editors.krita_pictures import FLOAT, GREY_8, GREY_16, KINDS, RGB_8, RGB_16, Kind, KritaDocuments
from editors.pictures import Pixels, disc, layer_over, merged_image, mixed_alike, noise

HEIGHT, WIDTH = 150, 330
EXACT = (RGB_8, RGB_16, GREY_8, GREY_16)  # sRGB already
CONVERTED = tuple(kind for kind in KINDS if kind not in EXACT)
RECIPE = json.dumps({"sentence": "a photo of a <toy> – näher"})


def opened(documents: KritaDocuments, kind: Kind = RGB_8) -> tuple[Pixels, Pixels, Pixels]:
    """A picture, a soft selection, and the layer the backend would send for it."""
    pixels, mask = noise(HEIGHT, WIDTH, kind.channels, kind.dtype), disc(HEIGHT, WIDTH)
    documents.open(pixels, kind)
    deep = np.uint8 if kind.depth == "U8" else np.uint16
    return pixels, mask, layer_over(mask, deep, kind.channels)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_outside_the_mask_nothing_changes_and_everything_can_be_undone(documents: KritaDocuments, kind: Kind):
    before, mask, layer = opened(documents, kind)
    history = documents.krita.call("history")
    assert np.array_equal(documents.pixels(), before)
    assert "layer" in documents.insert(layer)
    after = documents.pixels()
    assert np.array_equal(after[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (after[mask == 255] != before[mask == 255]).any(axis=-1).mean() > 0.99
    assert documents.krita.call("layers")[-1] == ["edit", "paintlayer", ["transparencymask"]]
    documents.krita.call("undo")
    assert documents.pixels().tobytes() == before.tobytes()
    assert documents.krita.call("history") == history, "it was one step"
    documents.krita.call("redo")
    assert mixed_alike(documents.pixels(), after)


@pytest.mark.parametrize("kind", EXACT, ids=str)
def test_what_is_srgb_already_arrives_bit_for_bit(documents: KritaDocuments, kind: Kind):
    _, mask, layer = opened(documents, kind)
    documents.insert(layer)
    assert np.array_equal(documents.pixels()[mask == 255], layer[mask == 255])


@pytest.mark.parametrize("kind", CONVERTED, ids=str)
def test_what_is_captured_comes_back_as_it_was(documents: KritaDocuments, kind: Kind):
    """There and back through sRGB; colours that sRGB doesn't hold are left out."""
    before, mask, layer = opened(documents, kind)
    sent = documents.capture().image
    layer[..., :-1] = np.where(mask[..., None] > 0, sent[..., :-1], 0)
    documents.insert(layer)
    after = documents.pixels()
    top = np.iinfo(sent.dtype).max
    held = ((sent[..., :-1] > 0.1 * top) & (sent[..., :-1] < top)).all(axis=-1) & (mask == 255)
    assert held.sum() > 1000
    whole = 1 if np.issubdtype(kind.dtype, np.floating) else np.iinfo(kind.dtype).max
    off = np.abs(after[held].astype(np.float64) - before[held].astype(np.float64)) / whole
    assert np.quantile(off, 0.99) <= 2 / 255


def test_the_mask_can_be_edited_and_holds_the_soft_edge(documents: KritaDocuments):
    _, mask, layer = opened(documents)
    documents.insert(layer)
    file = documents.file()
    documents.krita.call("mask_of", "edit", file)
    assert np.array_equal(np.frombuffer(file.read_bytes(), np.uint8).reshape(HEIGHT, WIDTH), mask)


def test_the_edge_is_mixed_as_the_backend_mixes_it(documents: KritaDocuments):
    before, mask, layer = opened(documents)
    documents.insert(layer)
    alpha = mask[..., None] / 255
    expected = layer[..., :3] * alpha + before[..., :3] * (1 - alpha)
    assert np.abs(documents.pixels()[..., :3] - expected).max() <= 1.01


def test_saved_files_show_the_same(documents: KritaDocuments):
    """Read outside Krita: the .kra file's own picture, and an exported PNG."""
    before, mask, layer = opened(documents)
    documents.insert(layer)
    after = documents.pixels()
    kra, exported = documents.file(name=".kra"), documents.file(name=".png")
    documents.krita.call("export", exported)
    documents.krita.call("save_as", kra)
    for found in (merged_image(kra), np.array(Image.open(exported).convert("RGBA"))):
        assert np.array_equal(found, after)
        assert np.array_equal(found[mask == 0], before[mask == 0])


def test_the_recipe_stays_with_its_layer_in_the_saved_file(documents: KritaDocuments):
    _, _, layer = opened(documents)
    assert documents.krita.call("recipe") is None
    made = documents.insert(layer, RECIPE)["layer"]
    kra = documents.file(name=".kra")
    documents.krita.call("save_as", kra)
    documents.krita.call("close_documents")
    documents.krita.call("open_document", kra)
    documents.krita.call("activate_layer", "photo")
    assert documents.krita.call("recipe") is None
    assert documents.krita.call("facts")["has_recipe"] is False
    documents.krita.call("activate_layer", "edit")
    assert documents.krita.call("recipe") == {"layer": made, "name": "edit", "text": RECIPE}
    facts = documents.krita.call("facts")
    assert facts["has_recipe"] is True
    assert (facts["name"], facts["file"]) == (kra.name, str(kra))


@pytest.mark.parametrize("kind", [RGB_8, GREY_16, FLOAT], ids=str)
def test_an_edit_is_replaced_where_it_lies_in_one_step(documents: KritaDocuments, kind: Kind):
    """Twice; undone and done again one by one."""
    before, mask, layer = opened(documents, kind)
    history = documents.krita.call("history")
    told = [documents.insert(layer, "first")["layer"]]
    shown = [before, documents.pixels()]
    for seed, recipe in ((9, "second"), (10, "third")):
        deep = np.uint8 if kind.depth == "U8" else np.uint16
        documents.krita.call("activate_layer", "photo")
        other = layer_over(disc(HEIGHT, WIDTH), deep, kind.channels, seed=seed)
        told.append(documents.insert(other, recipe, updates=told[-1])["layer"])
        assert documents.krita.call("layers") == [
            ["photo", "paintlayer", []],
            ["edit", "paintlayer", ["transparencymask"]],
        ]
        shown.append(documents.pixels())
        assert np.array_equal(shown[-1][mask == 0], before[mask == 0])
        assert not np.array_equal(shown[-1], shown[-2])
        assert documents.krita.call("recipe")["text"] == recipe, "the layer stays the active one"
    if kind in EXACT:
        assert np.array_equal(shown[-1][mask == 255], other[mask == 255])
    assert len(set(told)) == 3
    for step in (2, 1, 0):
        documents.krita.call("undo")
        assert mixed_alike(documents.pixels(), shown[step]), f"after {step} steps"
    assert documents.pixels().tobytes() == before.tobytes()
    assert documents.krita.call("history") == history
    for step in (1, 2, 3):
        documents.krita.call("redo")
        assert mixed_alike(documents.pixels(), shown[step]), f"after {step} steps"
    documents.krita.call("activate_layer", "edit")
    assert documents.krita.call("recipe")["text"] == "third"
    kra = documents.file(name=".kra")
    documents.krita.call("save_as", kra)
    if kind == RGB_8:
        assert np.array_equal(merged_image(kra), shown[-1])


def test_an_update_may_cover_another_part_of_the_picture(documents: KritaDocuments):
    """And nothing of what was there before stays."""
    before, mask, layer = opened(documents)
    far = np.zeros_like(mask)
    far[5:40, 250:320] = 255
    old = documents.insert(layer)["layer"]
    other = layer_over(far, np.uint8, seed=9)
    documents.insert(other, updates=old)
    after = documents.pixels()
    assert np.array_equal(after[far == 255], other[far == 255])
    assert np.array_equal(after[far == 0], before[far == 0])
    documents.krita.call("undo")
    assert np.array_equal(documents.pixels()[mask == 255], layer[mask == 255])


def test_a_hidden_edit_stays_hidden_when_it_is_updated(documents: KritaDocuments):
    before, _, layer = opened(documents)
    old = documents.insert(layer)["layer"]
    documents.krita.call("set_shown", "edit", False)
    assert "layer" in documents.insert(layer, updates=old)
    assert documents.krita.call("is_shown", "edit") is False
    assert np.array_equal(documents.pixels(), before)


def test_an_edit_whose_layer_is_gone_becomes_a_new_one(documents: KritaDocuments):
    _, _, layer = opened(documents)
    assert "layer" in documents.insert(layer, updates="{370dd07e-0000-4250-bfe9-3587177ea43a}")
    assert documents.layers() == ["photo", "edit"]


def test_the_layer_comes_above_what_was_captured(documents: KritaDocuments):
    """Whatever is active by then."""
    _, _, layer = opened(documents)
    patch = documents.file(noise(10, 10, 4, np.uint8).tobytes())
    documents.krita.call("add_layer", "above", patch, 0, 0, 10, 10)
    documents.krita.call("activate_layer", "photo")
    seen, alone = documents.capture().source, documents.capture("layer").source
    documents.krita.call("activate_layer", "above")
    documents.insert(layer, source=alone)
    assert documents.layers() == ["photo", "edit", "above"]
    documents.krita.call("activate_layer", "photo")
    documents.insert(layer, source=seen)
    assert documents.layers() == ["photo", "edit", "above", "edit"]
    documents.krita.call("activate_layer", "photo")
    documents.insert(layer, source="layer")
    assert documents.layers() == ["photo", "edit", "edit", "above", "edit"]
    documents.krita.call("activate_layer", "above")
    documents.insert(layer, source="{370dd07e-0000-4250-bfe9-3587177ea43a}")
    assert documents.layers() == ["photo", "edit", "edit", "above", "edit", "edit"], "that layer is gone"


def test_a_result_for_a_picture_that_was_closed_is_not_lost(documents: KritaDocuments):
    _, _, layer = opened(documents)
    key = documents.capture().document
    documents.krita.call("close_documents")
    said = documents.insert(layer, key=key)["failed"]
    assert said == "The picture was closed meanwhile."


def test_a_result_goes_to_its_own_picture_while_another_is_shown(documents: KritaDocuments):
    _, mask, layer = opened(documents)
    key = documents.capture().document
    documents.krita.call("name_document", "first")
    other = noise(40, 50, 4, np.uint8, seed=3)
    documents.open(other)
    documents.krita.call("name_document", "second")
    assert "layer" in documents.insert(layer, key=key)
    assert np.array_equal(documents.pixels(), other)
    documents.krita.call("activate_document", "first")
    documents.shape = (HEIGHT, WIDTH)
    assert np.array_equal(documents.pixels()[mask == 255], layer[mask == 255])


def test_a_result_is_not_laid_over_a_canvas_of_another_size(documents: KritaDocuments):
    """Also a part that would fit, of a file that was opened anew: it would lie in the wrong place."""
    _, _, layer = opened(documents)
    documents.krita.call("resize", WIDTH + 20, HEIGHT)
    for part in (layer, layer[: HEIGHT // 2 + 5, : WIDTH // 2 + 5]):
        said = documents.insert(part, canvas=(WIDTH, HEIGHT))["failed"]
        assert f"had {WIDTH} × {HEIGHT} pixels and has {WIDTH + 20} × {HEIGHT} now" in said
    assert documents.layers() == ["photo"]
    assert "layer" in documents.insert(
        layer[: HEIGHT // 2 + 5, : WIDTH // 2 + 5], canvas=(WIDTH + 20, HEIGHT)
    )


def test_a_capture_says_how_large_the_canvas_is(documents: KritaDocuments):
    opened(documents)
    assert documents.capture(within=[10, 10, 50, 40]).canvas == [WIDTH, HEIGHT]


def test_a_damaged_result_is_refused_in_words(documents: KritaDocuments):
    opened(documents)
    broken = documents.file(b"\x89PNG\r\n\x1a\n" + bytes(100))
    whole = [0, 0, WIDTH, HEIGHT]
    said = documents.krita.call("insert", broken, whole, whole, "edit", "{}")["failed"]
    assert said.startswith("The backend sent something that can't be read")
    assert documents.layers() == ["photo"]


def test_another_plug_in_may_close_what_it_does_not_know(documents: KritaDocuments):
    _, mask, layer = opened(documents)
    documents.insert(layer)
    assert documents.krita.call("close_hidden_documents") == 1
    other = layer_over(mask, np.uint8, seed=9)
    assert "layer" in documents.insert(other)
    assert np.array_equal(documents.pixels()[mask == 255], other[mask == 255])


def test_a_canvas_of_one_pixel(documents: KritaDocuments):
    documents.open(np.full((1, 1, 4), 255, np.uint8))
    documents.insert(np.array([[[10, 20, 30, 255]]], np.uint8))
    assert documents.pixels().tolist() == [[[10, 20, 30, 255]]]


def test_a_word_becomes_the_selection(documents: KritaDocuments):
    opened(documents)
    history = documents.krita.call("history")
    values = np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    assert documents.select_by(values) == "selected"
    assert np.array_equal(documents.selection(), values)
    assert documents.krita.call("history") == history
    captured = documents.capture()
    assert captured.mask is not None
    assert np.array_equal(captured.mask, values)


def test_the_longest_call_on_kritas_thread_is_told(
    documents: KritaDocuments, capsys: pytest.CaptureFixture[str]
):
    """At 8192 × 8192 pixels. Nothing is asserted about speed: nobody knows what else this machine does."""
    side = 8192
    documents.krita.call("new_document", side, side, *RGB_8[:3])
    documents.shape = (side, side)
    mask = np.zeros((side, side), np.uint8)
    mask[1000:3000, 1000:3000] = 255
    layer = np.zeros((side, side, 4), np.uint8)
    layer[1000:3000, 1000:3000] = noise(2000, 2000, 4, np.uint8)
    longest = {}
    documents.krita.call("watch")
    documents.krita.call("facts")
    longest["asking for facts"] = documents.krita.call("longest")
    assert documents.select_by(mask) == "selected"
    longest["setting the selection"] = documents.krita.call("longest")
    assert documents.capture().bounds == [0, 0, side, side]
    longest["reading the canvas"] = documents.krita.call("longest")
    assert "layer" in documents.insert(layer)
    longest["adding a layer of 2000 × 2000"] = documents.krita.call("longest")
    assert all(longest.values())
    with capsys.disabled():
        told = ", ".join(f"{what} {1000 * seconds:.0f} ms" for what, seconds in longest.items())
        print(f"\nLongest call in Krita {documents.krita.call('version')} at {side} × {side}: {told}")
