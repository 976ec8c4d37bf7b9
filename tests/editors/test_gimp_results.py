"""Results looked at before they are kept, in the real GIMP: a layer that comes and goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from editors.backend import Backend
from editors.display import Display
from editors.gimp_panel import BESIDE, SHOULD_SHOW, Desk, until
from editors.gimp_pictures import GREY_16, LINEAR_FLOAT, RGB_8, GimpImages, Kind
from editors.pictures import Pixels, disc, layer_over, noise, png
from editors.running import Gimps
from palimpsest_client.views.panel_view import FORMING

HEIGHT, WIDTH = 120, 200
NAME = "Preview: cat → dog"
APART = 12  # px: a second click there is no double-click, however soon it comes


class Wall(GimpImages):
    """A picture on which results are shown."""

    def show(self, image: int, layer: Pixels, canvas: tuple[int, int] | None = None) -> str:
        path = self._write("shown.png", png(layer))
        bounds = [0, 0, layer.shape[1], layer.shape[0]]
        return self.gimp.call("show_result", image, str(path), bounds, NAME, canvas)

    def names(self, image: int) -> list[str]:
        return [layer["name"] for layer in self.layers(image)]


@pytest.fixture
def wall(images: GimpImages) -> Wall:
    return Wall(images.gimp)


def results(kind: Kind = RGB_8) -> tuple[Pixels, Pixels, Pixels]:
    """A soft selection, and two results for it."""
    mask = disc(HEIGHT, WIDTH)
    deep = np.uint8 if kind is RGB_8 else np.uint16
    first = layer_over(mask, deep, kind.channels)
    second = first.copy()
    second[..., :-1] = np.where(mask[..., None] > 0, np.iinfo(deep).max - first[..., :-1], 0)
    return mask, first, second


@pytest.mark.parametrize("kind", [RGB_8, GREY_16, LINEAR_FLOAT], ids=str)
def test_a_preview_changes_nothing_outside_and_leaves_no_trace(wall: Wall, kind: Kind):
    pixels = noise(HEIGHT, WIDTH, kind.channels, kind.dtype)
    image = wall.new(pixels, kind)
    before, (mask, first, second) = wall.seen(image, pixels), results(kind)
    chosen, below = wall.gimp.call("chosen_layers", image), wall.names(image)
    wall.gimp.call("set_clean", image)
    assert wall.show(image, first) == "shown"
    seen = wall.seen(image, pixels)
    assert np.array_equal(seen[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (seen[mask == 255] != before[mask == 255]).any(axis=-1).mean() > 0.99
    assert wall.gimp.call("is_locked", image)
    assert wall.gimp.call("chosen_layers", image) == chosen
    assert wall.show(image, second) == "shown"
    assert wall.names(image) == [NAME, *below], "one at a time"
    other = wall.seen(image, pixels)
    assert np.array_equal(other[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (other[mask == 255] != seen[mask == 255]).any(axis=-1).mean() > 0.9
    wall.gimp.call("veil_result", image, True)
    assert np.array_equal(wall.seen(image, pixels), before), "the original is seen"
    wall.gimp.call("veil_result", image, False)
    assert np.array_equal(wall.seen(image, pixels), other)
    wall.gimp.call("hide_result", image)
    assert wall.names(image) == below
    assert np.array_equal(wall.seen(image, pixels), before)
    assert not wall.gimp.call("shows_result", image)
    assert wall.gimp.call("is_clean", image), "there is nothing to be saved"


def test_a_preview_is_neither_captured_nor_left_beside_what_is_kept(wall: Wall):
    pixels = noise(HEIGHT, WIDTH, 4, np.uint8)
    pixels[..., 3] = 255
    image = wall.new(pixels, RGB_8)
    _, first, _ = results()
    wall.show(image, first)
    assert np.array_equal(wall.capture(image).image, pixels)
    wall.show(image, first)
    wall.insert(image, first)
    assert wall.names(image)[0] == "cat → dog"
    assert len(wall.names(image)) == 2


def test_a_preview_that_was_saved_goes_when_the_file_is_opened_again(wall: Wall):
    pixels = noise(HEIGHT, WIDTH, 4, np.uint8)
    image = wall.new(pixels, RGB_8)
    before, (_, first, _) = wall.seen(image, pixels), results()
    wall.show(image, first)
    path = wall.files / "kept.xcf"
    wall.gimp.call("save", image, str(path))
    again = wall.gimp.call("load", str(path))
    assert wall.names(again)[0] == NAME, "GIMP saves what there is"
    assert wall.gimp.call("shows_result", again)
    wall.gimp.call("hide_result", again)
    assert len(wall.names(again)) == 1
    assert np.array_equal(wall.seen(again, pixels), before)


def test_a_result_of_another_canvas_is_refused(wall: Wall):
    image = wall.new(noise(HEIGHT, WIDTH, 4, np.uint8), RGB_8)
    _, first, _ = results()
    told = wall.show(image, first, (WIDTH, HEIGHT + 1))
    assert told.startswith(f"The canvas had {WIDTH} × {HEIGHT + 1} pixels")
    assert len(wall.names(image)) == 1


def test_this_run_of_gimp_has_one_name_whoever_asks(wall: Wall):
    first = wall.gimp.call("session")
    assert len(first) == 12
    assert wall.gimp.call("session") == first


@pytest.fixture
def desk(gimps: Gimps, display: Display, backend: Backend) -> Iterator[Desk]:
    desk = Desk(gimps.get(), display, backend)
    yield desk
    if desk.gimp.alive:
        for window in desk.windows("^Palimpsest$"):
            desk.close(window)
        desk.gimp.call("close_documents")


def test_the_history_does_not_notice_it(desk: Desk):
    """What is undone meanwhile and afterwards are people's own steps."""
    image = desk.open()
    wall = Wall(desk.gimp)
    below = wall.names(image)
    mine = layer_over(disc(256, 256), np.uint8, 4)
    assert "layer" in wall.insert(image, mine)
    wall.show(image, np.ascontiguousarray(mine[::-1]))
    assert len(wall.names(image)) == len(below) + 2
    desk.press("ctrl+z")
    until(lambda: wall.names(image) == [NAME, *below], "the last step of one's own is undone")
    desk.press("ctrl+y")
    until(lambda: wall.names(image) == [NAME, "cat → dog", *below], "it is done again")
    wall.gimp.call("hide_result", image)
    assert wall.names(image) == ["cat → dog", *below]
    desk.press("ctrl+z")
    until(lambda: wall.names(image) == below, "it is undone, and nothing else")


def test_a_user_looks_at_a_result_and_keeps_it(desk: Desk, display: Display):
    """In the window, by mouse and keyboard."""
    image, window = desk.open(), desk.window()
    wall = Wall(desk.gimp)
    below, pixels = wall.names(image), np.zeros((256, 256, 4), np.uint8)
    before = wall.seen(image, pixels)
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)
    made = wall.seen(image, pixels)
    desk.press("ctrl+z")
    desk.until_layers(image, 1)
    x, y = place_of_tile(desk)
    display.focus(window)
    display.click(x, y)
    until(lambda: wall.names(image) == ["Preview: red ball → blue cube", *below], "a preview")
    assert np.array_equal(wall.seen(image, pixels), made)
    display.hold("o")
    until(lambda: np.array_equal(wall.seen(image, pixels), before), "the original")
    display.let_go("o")
    until(lambda: np.array_equal(wall.seen(image, pixels), made), "the result again")
    display.key("Escape")
    until(lambda: wall.names(image) == below, "nothing is left of it")
    x, y = place_of_tile(desk)
    display.click(x + APART, y + APART)
    until(lambda: len(wall.names(image)) == 2, "a preview")
    desk.click_on("Keep")
    until(lambda: wall.names(image) == ["red ball → blue cube", *below], "a layer")
    assert np.array_equal(wall.seen(image, pixels), made)
    desk.press("ctrl+z")
    until(lambda: wall.names(image) == below, "one step")
    other = desk.open()
    desk.tell(f"replace {other}")
    until(lambda: tile_of(desk) is None, "another picture has other results")


def test_results_stay_in_sight_while_one_is_looked_at_and_while_one_is_made(desk: Desk, display: Display):
    """In a window of 720 px, with the strip under Keep structure."""
    image, window = desk.open(), desk.window()
    left, top, width, _ = BESIDE
    desk.set_steps(window, 60)
    display.place(window, left, top, width, 720)
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)
    display.click(*place_of_tile(desk))
    until(lambda: boxes_of(desk, "Keep"), "the result is looked at")
    until(lambda: is_within(*boxes_of(desk, "result", "scrolled")), "it is in sight, all of it")
    scrolled, keep, update = boxes_of(desk, "scrolled", "Keep", "Update")
    assert bottom(scrolled) <= keep[1] < bottom(keep) <= update[1] < bottom(update) <= top + 720
    desk.click_on("Update")
    forming = "The result as it forms"
    found = until(lambda: boxes_of(desk, forming, "All pictures", "result", "scrolled"), "a picture forms")
    picture, head, _, scrolled = found
    assert picture[3] == FORMING
    assert bottom(scrolled) <= picture[1] < bottom(picture) < top + 720
    assert is_within(head, scrolled)
    until(lambda: is_within(*boxes_of(desk, "result", "scrolled")), "the results are in sight, all of them")
    assert desk.jobs("running"), "while it is made"
    until(lambda: not desk.jobs("running"), "the job has ended")


def boxes_of(desk: Desk, *names: str) -> list[list[int]]:
    """Where these widgets are, all in one look; "result" is the first one, "scrolled" what scrolls. Empty if
    one of them isn't on the screen."""
    seen, found = desk.seen(), []
    for name in names:
        if name == "result":
            of = [widget for widget in seen if is_tile(widget)]
        elif name == "scrolled":
            of = [widget for widget in seen if widget["type"] == "ScrolledWindow"]
        else:
            of = [widget for widget in seen if name in (widget["name"], widget["text"])]
        found += [widget["box"] for widget in of[:1]]
    return found if len(found) == len(names) else []


def is_within(inner: list[int], outer: list[int]) -> bool:
    return outer[1] <= inner[1] and bottom(inner) <= bottom(outer)


def bottom(box: list[int]) -> int:
    return box[1] + box[3]


def is_tile(widget: dict[str, Any]) -> bool:
    return widget["type"] == "ToggleButton" and "→" in widget["name"]


def place_of_tile(desk: Desk) -> tuple[int, int]:
    return desk.place_of(lambda: tile_of(desk), "the result is among the results")


def tile_of(desk: Desk) -> dict[str, Any] | None:
    """The first result in the window."""
    return next(filter(is_tile, desk.seen()), None)
