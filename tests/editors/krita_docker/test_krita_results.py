"""Results looked at before they are kept, in the real Krita: a layer that comes and goes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from editors.display import Display
from editors.krita_panel import DOG, FEATHER, LONG, Desk, photo
from editors.krita_panel import mask as ball
from editors.krita_pictures import FLOAT, GREY_8, RGB_8, RGB_16, Kind, KritaDocuments
from editors.pictures import Pixels, box_of, disc, layer_over, noise, png
from palimpsest.core.picture.selection import grown
from palimpsest_client.text.wording import say

HEIGHT, WIDTH = 150, 330


class Wall(KritaDocuments):
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
def wall(documents: KritaDocuments) -> Wall:
    documents.krita.call("show_docker", 264, 880)
    return Wall(documents.krita)


def opened(wall: Wall, kind: Kind = RGB_8) -> tuple[Pixels, Pixels, Pixels, Pixels]:
    """A picture, a soft selection, and two results for it."""
    pixels, mask = noise(HEIGHT, WIDTH, kind.channels, kind.dtype), disc(HEIGHT, WIDTH)
    wall.open(pixels, kind)
    deep = np.uint8 if kind.depth == "U8" else np.uint16
    first = layer_over(mask, deep, kind.channels)
    second = first.copy()
    second[..., :-1] = np.where(mask[..., None] > 0, np.iinfo(deep).max - first[..., :-1], 0)
    return wall.pixels(), mask, first, second


@pytest.mark.parametrize("kind", [RGB_8, RGB_16, FLOAT, GREY_8], ids=str)
def test_a_preview_changes_nothing_outside_and_leaves_no_trace(wall: Wall, kind: Kind):
    before, mask, first, second = opened(wall, kind)
    history = wall.history()
    assert wall.show(first) == "shown"
    seen = wall.pixels()
    assert np.array_equal(seen[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (seen[mask == 255] != before[mask == 255]).any(axis=-1).mean() > 0.99
    assert wall.krita.call("is_locked", "Preview")
    assert wall.krita.call("active_layer_name") == "photo"
    assert wall.show(second) == "shown"
    assert wall.layers() == ["photo", "Preview"], "one at a time"
    other = wall.pixels()
    assert np.array_equal(other[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (other[mask == 255] != seen[mask == 255]).any(axis=-1).mean() > 0.9
    wall.krita.call("veil_result", True)
    assert np.array_equal(wall.pixels(), before), "the original is seen"
    wall.krita.call("veil_result", False)
    assert np.array_equal(wall.pixels(), other)
    wall.hide()
    assert wall.layers() == ["photo"]
    assert np.array_equal(wall.pixels(), before)
    assert wall.history() == history, "its steps are gone from the history"
    assert not wall.krita.call("shows_result")


def test_what_is_kept_is_one_step(wall: Wall):
    before, mask, first, _ = opened(wall)
    history = wall.history()
    wall.show(first)
    assert "layer" in wall.insert(first)
    assert wall.layers() == ["photo", "edit"]
    assert np.array_equal(wall.pixels()[mask == 0], before[mask == 0])
    wall.krita.call("undo")
    assert wall.layers() == ["photo"]
    assert np.array_equal(wall.pixels(), before)
    assert wall.history() == history


def test_a_preview_tells_what_it_would_end_and_its_own_step_is_no_such_thing(wall: Wall):
    _, _, first, second = opened(wall)
    raw = wall.file(np.full((HEIGHT, 100, 4), 255, np.uint8).tobytes())
    mine = ("add_layer", "mine", raw, 0, 0, 100, HEIGHT)
    assert not wall.krita.call("ends_redo")
    wall.krita.call(*mine)
    assert not wall.krita.call("ends_redo")
    wall.krita.call("undo")
    assert wall.krita.call("ends_redo")
    wall.krita.call("redo")
    assert wall.layers() == ["photo", "mine"]
    wall.show(first)
    wall.show(second)
    wall.hide()
    assert not wall.krita.call("ends_redo"), "a preview that was discarded"
    wall.show(first)
    wall.krita.call("undo")
    assert not wall.krita.call("ends_redo"), "one that people took back"
    wall.krita.call("undo")
    assert wall.krita.call("ends_redo"), "their own step behind it"
    wall.krita.call("redo")
    assert not wall.krita.call("ends_redo"), "again at the preview's alone"
    wall.show(first)
    wall.hide()
    wall.krita.call(*mine)
    wall.krita.call("undo")
    assert wall.krita.call("ends_redo"), "theirs, where the preview's was"
    wall.krita.call("redo")
    assert wall.layers() == ["photo", "mine", "mine"]


def test_what_is_kept_as_its_preview_comes_is_the_active_layer(wall: Wall):
    """Whatever the preview has come to by then."""
    _, _, first, _ = opened(wall)
    image, bounds, content = wall.file(png(first)), [0, 0, WIDTH, HEIGHT], box_of(first[..., -1])
    names = [f"after {turns} turns" for turns in range(1, 12, 2)]
    for turns, name in zip(range(1, 12, 2), names, strict=True):
        assert "layer" in wall.krita.call("keep_as_it_comes", image, bounds, content, name, turns)
        wall.krita.until("nothing_shown")
        assert wall.krita.call("active_layer_name") == name
    assert wall.layers() == ["photo", *names]


def test_a_preview_is_not_captured(wall: Wall):
    before, _, first, _ = opened(wall)
    wall.show(first)
    assert np.array_equal(wall.capture().image, before)
    assert wall.layers() == ["photo"]
    wall.krita.call("redo")  # the step by which it came
    assert np.array_equal(wall.capture().image, before), "one that came back by a redo neither"


def test_what_people_do_meanwhile_stays(wall: Wall):
    """Their steps are the last ones then: the preview goes by a step of its own, and theirs are kept."""
    before, _, first, _ = opened(wall)
    wall.show(first)
    raw = wall.file(np.full((HEIGHT, 100, 4), 255, np.uint8).tobytes())
    wall.krita.call("add_layer", "mine", raw, 0, 0, 100, HEIGHT)
    wall.hide()
    assert wall.layers() == ["photo", "mine"]
    assert (wall.pixels()[:, :100] == 255).all()
    assert np.array_equal(wall.pixels()[:, 100:], before[:, 100:])


def test_a_preview_that_was_saved_goes_when_the_file_is_opened_again(wall: Wall):
    before, _, first, _ = opened(wall)
    wall.show(first)
    file = wall.file(name=".kra")
    wall.krita.call("save_as", file)
    wall.krita.call("close_document")
    with zipfile.ZipFile(file) as saved:
        assert b'name="Preview"' in saved.read("maindoc.xml"), "Krita saves what there is"
    wall.open_file(file, RGB_8)
    wall.hide()
    assert wall.layers() == ["photo"]
    assert np.array_equal(wall.pixels(), before)


def test_a_result_of_another_canvas_is_refused(wall: Wall):
    _, _, first, _ = opened(wall)
    told = wall.show(first, canvas=(WIDTH, HEIGHT + 1))
    assert told.startswith(f"The canvas had {WIDTH} × {HEIGHT + 1} pixels")
    assert wall.layers() == ["photo"]


def test_results_stay_in_sight_while_one_is_looked_at_and_while_one_is_made(desk: Desk):
    """In a docker of 720 px, with the strip under Keep structure."""
    desk.show(photo(), selected=ball())
    assert desk.apply("replace", DOG)["outcome"] == "done"
    desk.until("panel_results", 1)
    desk.call("show_docker", 264, 720)
    desk.call("look_at", 0)
    desk.until("is_seen", "results.keep")
    desk.until("tile_in_sight", 0)
    desk.call("set_panel", {"steps": 200})  # long enough to be seen half done
    desk.call("press", "work.apply")
    desk.until("panel_previews", patience=LONG)
    desk.until("is_seen", "work.preview")
    assert desk.call("is_seen", "results.everything"), "the strip's head, above its pictures"
    desk.until("tile_in_sight", 0)
    assert desk.call("panel")["progress"], "while it is made"
    desk.end()


def test_a_user_looks_through_the_variations_and_keeps_one(desk: Desk, display: Display):
    """Mouse and keyboard alone; what was made for one picture isn't offered for another."""
    desk.show(photo(), selected=ball())
    before, outside = desk.pixels(), grown(ball(), FEATHER) == 0
    desk.call("show_docker", 264, 560)
    desk.call("set_panel", {"variations": 3})
    assert desk.apply("replace", DOG)["outcome"] == "done"
    desk.until("panel_results", 3)
    desk.call("undo")
    x, y = desk.call("tile_place", 1)
    display.click(x, y)
    desk.until("panel_tells", say("preview-ends-redo"))
    assert desk.call("ends_redo"), "a first click only says what it would end"
    display.click(x + 12, y)  # elsewhere, or it might be the second half of a double-click
    desk.until("looks_at", 1)
    for part in ("keep", "discard", "original", "before", "after"):
        desk.until("is_seen", f"results.{part}")
    second = desk.pixels()
    assert desk.layers() == ["photo", "Preview: red ball → blue cube"]
    assert np.array_equal(second[outside], before[outside])
    assert (second != before).any()
    display.focus(str(desk.call("window_of_docker")))
    display.key("Right")
    desk.until("looks_at", 2)
    third = desk.pixels()
    assert np.array_equal(third[outside], before[outside])
    assert (third != second).any()
    display.hold("o")
    desk.until("sees_original", True)
    assert np.array_equal(desk.pixels(), before)
    display.let_go("o")
    desk.until("sees_original", False)
    assert np.array_equal(desk.pixels(), third)
    display.key("Escape")
    desk.until("nothing_shown")
    assert desk.layers() == ["photo"]
    assert np.array_equal(desk.pixels(), before)
    display.double_click(*desk.call("tile_place", 2))
    desk.end()
    assert desk.layers() == ["photo", "red ball → blue cube (3 of 3)"]
    desk.until("panel_holds", "red ball → blue cube (3 of 3)")
    assert np.array_equal(desk.pixels(), third)
    desk.call("undo")
    assert np.array_equal(desk.pixels(), before)
    desk.show(photo())
    assert desk.told()["results"] == [], "another file"
