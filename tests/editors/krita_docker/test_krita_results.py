"""Results looked at before they are kept, in the real Krita: a layer that comes and goes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from editors.display import Display
from editors.krita_panel import DOG, FEATHER, LONG, KritaPanel, photo
from editors.krita_panel import mask as ball
from editors.krita_pictures import FLOAT, GREY_8, RGB_8, RGB_16, Kind, KritaDocuments
from editors.pictures import Pixels, box_of, disc, layer_over, noise, png
from palimpsest.core.picture.selection import grown
from palimpsest_client.text.wording import say

HEIGHT, WIDTH = 150, 330


class PreviewDocuments(KritaDocuments):
    """A picture on which results are shown, with the panel beside it, which looks after it too."""

    def open_file(self, file: Path, kind: Kind) -> None:
        super().open_file(file, kind)
        self.krita.until("panel_sees_document", False)

    def show(self, layer: Pixels, name: str = "Preview", canvas: tuple[int, int] | None = None) -> str:
        bounds, content = [0, 0, layer.shape[1], layer.shape[0]], box_of(layer[..., -1])
        return self.krita.call("show_result", self.file(png(layer)), bounds, content, name, canvas)

    def hide(self) -> None:
        self.krita.call("hide_result")

    def history(self) -> str:
        return self.krita.call("history")


@pytest.fixture
def previews(documents: KritaDocuments) -> PreviewDocuments:
    documents.krita.call("show_docker", 264, 880)
    return PreviewDocuments(documents.krita)


def opened(previews: PreviewDocuments, kind: Kind = RGB_8) -> tuple[Pixels, Pixels, Pixels, Pixels]:
    """A picture, a soft selection, and two results for it."""
    pixels, mask = noise(HEIGHT, WIDTH, kind.channels, kind.dtype), disc(HEIGHT, WIDTH)
    previews.open(pixels, kind)
    deep = np.uint8 if kind.depth == "U8" else np.uint16
    first = layer_over(mask, deep, kind.channels)
    second = first.copy()
    second[..., :-1] = np.where(mask[..., None] > 0, np.iinfo(deep).max - first[..., :-1], 0)
    return previews.pixels(), mask, first, second


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, FLOAT, GREY_8], ids=str)
def test_a_preview_changes_nothing_outside_and_leaves_no_trace(previews: PreviewDocuments, kind: Kind):
    before, mask, first, second = opened(previews, kind)
    history = previews.history()
    assert previews.show(first) == "shown"
    seen = previews.pixels()
    assert np.array_equal(seen[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (seen[mask == 255] != before[mask == 255]).any(axis=-1).mean() > 0.99
    assert previews.krita.call("is_locked", "Preview")
    assert previews.krita.call("active_layer_name") == "photo"
    assert previews.show(second) == "shown"
    assert previews.layers() == ["photo", "Preview"], "one at a time"
    other = previews.pixels()
    assert np.array_equal(other[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (other[mask == 255] != seen[mask == 255]).any(axis=-1).mean() > 0.9
    previews.krita.call("veil_result", True)
    assert np.array_equal(previews.pixels(), before), "the original is seen"
    previews.krita.call("veil_result", False)
    assert np.array_equal(previews.pixels(), other)
    previews.hide()
    assert previews.layers() == ["photo"]
    assert np.array_equal(previews.pixels(), before)
    assert previews.history() == history, "its steps are gone from the history"
    assert not previews.krita.call("shows_result")


def test_what_is_kept_is_one_step(previews: PreviewDocuments):
    before, mask, first, _ = opened(previews)
    history = previews.history()
    previews.show(first)
    assert "layer" in previews.insert(first)
    assert previews.layers() == ["photo", "edit"]
    assert np.array_equal(previews.pixels()[mask == 0], before[mask == 0])
    previews.krita.call("undo")
    assert previews.layers() == ["photo"]
    assert np.array_equal(previews.pixels(), before)
    assert previews.history() == history


def test_a_preview_tells_what_it_would_end_and_its_own_step_is_no_such_thing(previews: PreviewDocuments):
    _, _, first, second = opened(previews)
    raw = previews.file(np.full((HEIGHT, 100, 4), 255, np.uint8).tobytes())
    mine = ("add_layer", "mine", raw, 0, 0, 100, HEIGHT)
    assert not previews.krita.call("ends_redo")
    previews.krita.call(*mine)
    assert not previews.krita.call("ends_redo")
    previews.krita.call("undo")
    assert previews.krita.call("ends_redo")
    previews.krita.call("redo")
    assert previews.layers() == ["photo", "mine"]
    previews.show(first)
    previews.show(second)
    previews.hide()
    assert not previews.krita.call("ends_redo"), "a preview that was discarded"
    previews.show(first)
    previews.krita.call("undo")
    assert not previews.krita.call("ends_redo"), "one that people took back"
    previews.krita.call("undo")
    assert previews.krita.call("ends_redo"), "their own step behind it"
    previews.krita.call("redo")
    assert not previews.krita.call("ends_redo"), "again at the preview's alone"
    previews.show(first)
    previews.hide()
    previews.krita.call(*mine)
    previews.krita.call("undo")
    assert previews.krita.call("ends_redo"), "theirs, where the preview's was"
    previews.krita.call("redo")
    assert previews.layers() == ["photo", "mine", "mine"]


def test_what_is_kept_as_its_preview_comes_is_the_active_layer(previews: PreviewDocuments):
    """Whatever the preview has come to by then."""
    _, _, first, _ = opened(previews)
    image, bounds, content = previews.file(png(first)), [0, 0, WIDTH, HEIGHT], box_of(first[..., -1])
    names = [f"after {turns} turns" for turns in range(1, 12, 2)]
    for turns, name in zip(range(1, 12, 2), names, strict=True):
        assert "layer" in previews.krita.call("keep_as_it_comes", image, bounds, content, name, turns)
        previews.krita.until("nothing_shown")
        assert previews.krita.call("active_layer_name") == name
    assert previews.layers() == ["photo", *names]


def test_a_preview_is_not_captured(previews: PreviewDocuments):
    before, _, first, _ = opened(previews)
    previews.show(first)
    assert np.array_equal(previews.capture().image, before)
    assert previews.layers() == ["photo"]
    previews.krita.call("redo")  # the step by which it came
    assert np.array_equal(previews.capture().image, before), "one that came back by a redo neither"


def test_what_people_do_meanwhile_stays(previews: PreviewDocuments):
    """Their steps are the last ones then: the preview goes by a step of its own, and theirs are kept."""
    before, _, first, _ = opened(previews)
    previews.show(first)
    raw = previews.file(np.full((HEIGHT, 100, 4), 255, np.uint8).tobytes())
    previews.krita.call("add_layer", "mine", raw, 0, 0, 100, HEIGHT)
    previews.hide()
    assert previews.layers() == ["photo", "mine"]
    assert (previews.pixels()[:, :100] == 255).all()
    assert np.array_equal(previews.pixels()[:, 100:], before[:, 100:])


def test_a_preview_that_was_saved_goes_when_the_file_is_opened_again(previews: PreviewDocuments):
    before, _, first, _ = opened(previews)
    previews.show(first)
    file = previews.file(name=".kra")
    previews.krita.call("save_as", file)
    previews.krita.call("close_document")
    with zipfile.ZipFile(file) as saved:
        assert b'name="Preview"' in saved.read("maindoc.xml"), "Krita saves what there is"
    previews.open_file(file, RGB_8)
    previews.hide()
    assert previews.layers() == ["photo"]
    assert np.array_equal(previews.pixels(), before)


def test_a_result_of_another_canvas_is_refused(previews: PreviewDocuments):
    _, _, first, _ = opened(previews)
    told = previews.show(first, canvas=(WIDTH, HEIGHT + 1))
    assert told.startswith(f"The canvas had {WIDTH} × {HEIGHT + 1} pixels")
    assert previews.layers() == ["photo"]


def test_results_stay_in_sight_while_one_is_looked_at_and_while_one_is_made(panel: KritaPanel):
    """In a docker of 720 px, with the strip under Keep structure."""
    panel.show(photo(), selected=ball())
    assert panel.apply("replace", DOG)["outcome"] == "done"
    panel.until("panel_results", 1)
    panel.call("show_docker", 264, 720)
    panel.call("look_at", 0)
    panel.until("is_seen", "results.keep")
    panel.until("tile_in_sight", 0)
    panel.call("set_panel", {"steps": 200})  # long enough to be seen half done
    panel.call("press", "work.apply")
    panel.until("panel_previews", patience=LONG)
    panel.until("is_seen", "work.preview")
    assert panel.call("is_seen", "results.everything"), "the strip's head, above its pictures"
    panel.until("tile_in_sight", 0)
    assert panel.call("panel")["progress"], "while it is made"
    panel.end()


def test_a_user_looks_through_the_variations_and_keeps_one(panel: KritaPanel, display: Display):
    """Mouse and keyboard alone; what was made for one picture isn't offered for another."""
    panel.show(photo(), selected=ball())
    before, outside = panel.pixels(), grown(ball(), FEATHER) == 0
    panel.call("show_docker", 264, 560)
    panel.call("set_panel", {"variations": 3})
    assert panel.apply("replace", DOG)["outcome"] == "done"
    panel.until("panel_results", 3)
    panel.call("undo")
    x, y = panel.call("tile_place", 1)
    display.click(x, y)
    panel.until("panel_tells", say("preview-ends-redo"))
    assert panel.call("ends_redo"), "a first click only says what it would end"
    display.click(x + 12, y)  # elsewhere, or it might be the second half of a double-click
    panel.until("looks_at", 1)
    for part in ("keep", "discard", "original", "before", "after"):
        panel.until("is_seen", f"results.{part}")
    second = panel.pixels()
    assert panel.layers() == ["photo", "Preview: red ball → blue cube"]
    assert np.array_equal(second[outside], before[outside])
    assert (second != before).any()
    display.focus(str(panel.call("window_of_docker")))
    display.key("Right")
    panel.until("looks_at", 2)
    third = panel.pixels()
    assert np.array_equal(third[outside], before[outside])
    assert (third != second).any()
    display.hold("o")
    panel.until("sees_original", True)
    assert np.array_equal(panel.pixels(), before)
    display.let_go("o")
    panel.until("sees_original", False)
    assert np.array_equal(panel.pixels(), third)
    display.key("Escape")
    panel.until("nothing_shown")
    assert panel.layers() == ["photo"]
    assert np.array_equal(panel.pixels(), before)
    display.double_click(*panel.call("tile_place", 2))
    panel.end()
    assert panel.layers() == ["photo", "red ball → blue cube (3 of 3)"]
    panel.until("panel_holds", "red ball → blue cube (3 of 3)")
    assert np.array_equal(panel.pixels(), third)
    panel.call("undo")
    assert np.array_equal(panel.pixels(), before)
    panel.show(photo())
    assert panel.told()["results"] == [], "another file"
