"""Results looked at before they are kept, in the real GIMP: a layer that comes and goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from editors.backend import Backend
from editors.display import Display
from editors.gimp_panel import BESIDE, SHOULD_SHOW, GimpUser, until
from editors.gimp_pictures import GREY_16, LINEAR_FLOAT, RGB_8, GimpImages, Kind
from editors.pictures import Pixels, disc, layer_over, noise, png
from editors.running import Gimps
from palimpsest_client.views.panel_view import FORMING

HEIGHT, WIDTH = 120, 200
NAME = "Preview: cat → dog"
APART = 12  # px: a second click there is no double-click, however soon it comes


class PreviewImages(GimpImages):
    """A picture on which results are shown."""

    def show(self, image: int, layer: Pixels, canvas: tuple[int, int] | None = None) -> str:
        path = self._write("shown.png", png(layer))
        bounds = [0, 0, layer.shape[1], layer.shape[0]]
        return self.gimp.call("show_result", image, str(path), bounds, NAME, canvas)

    def names(self, image: int) -> list[str]:
        return [layer["name"] for layer in self.layers(image)]


@pytest.fixture
def previews(images: GimpImages) -> PreviewImages:
    return PreviewImages(images.gimp)


def results(kind: Kind = RGB_8) -> tuple[Pixels, Pixels, Pixels]:
    """A soft selection, and two results for it."""
    mask = disc(HEIGHT, WIDTH)
    deep = np.uint8 if kind is RGB_8 else np.uint16
    first = layer_over(mask, deep, kind.channels)
    second = first.copy()
    second[..., :-1] = np.where(mask[..., None] > 0, np.iinfo(deep).max - first[..., :-1], 0)
    return mask, first, second


@pytest.mark.parametrize("kind", [RGB_8, GREY_16, LINEAR_FLOAT], ids=str)
def test_a_preview_changes_nothing_outside_and_leaves_no_trace(previews: PreviewImages, kind: Kind):
    pixels = noise(HEIGHT, WIDTH, kind.channels, kind.dtype)
    image = previews.new(pixels, kind)
    before, (mask, first, second) = previews.seen(image, pixels), results(kind)
    chosen, below = previews.gimp.call("chosen_layers", image), previews.names(image)
    previews.gimp.call("set_clean", image)
    assert previews.show(image, first) == "shown"
    seen = previews.seen(image, pixels)
    assert np.array_equal(seen[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (seen[mask == 255] != before[mask == 255]).any(axis=-1).mean() > 0.99
    assert previews.gimp.call("is_locked", image)
    assert previews.gimp.call("chosen_layers", image) == chosen
    assert previews.show(image, second) == "shown"
    assert previews.names(image) == [NAME, *below], "one at a time"
    other = previews.seen(image, pixels)
    assert np.array_equal(other[mask == 0], before[mask == 0]), "pixels differ outside"
    assert (other[mask == 255] != seen[mask == 255]).any(axis=-1).mean() > 0.9
    previews.gimp.call("veil_result", image, True)
    assert np.array_equal(previews.seen(image, pixels), before), "the original is seen"
    previews.gimp.call("veil_result", image, False)
    assert np.array_equal(previews.seen(image, pixels), other)
    previews.gimp.call("hide_result", image)
    assert previews.names(image) == below
    assert np.array_equal(previews.seen(image, pixels), before)
    assert not previews.gimp.call("shows_result", image)
    assert previews.gimp.call("is_clean", image), "there is nothing to be saved"


def test_a_preview_is_neither_captured_nor_left_beside_what_is_kept(previews: PreviewImages):
    pixels = noise(HEIGHT, WIDTH, 4, np.uint8)
    pixels[..., 3] = 255
    image = previews.new(pixels, RGB_8)
    _, first, _ = results()
    previews.show(image, first)
    assert np.array_equal(previews.capture(image).image, pixels)
    previews.show(image, first)
    previews.insert(image, first)
    assert previews.names(image)[0] == "cat → dog"
    assert len(previews.names(image)) == 2


def test_a_preview_that_was_saved_goes_when_the_file_is_opened_again(previews: PreviewImages):
    pixels = noise(HEIGHT, WIDTH, 4, np.uint8)
    image = previews.new(pixels, RGB_8)
    before, (_, first, _) = previews.seen(image, pixels), results()
    previews.show(image, first)
    path = previews.files / "kept.xcf"
    previews.gimp.call("save", image, str(path))
    again = previews.gimp.call("load", str(path))
    assert previews.names(again)[0] == NAME, "GIMP saves what there is"
    assert previews.gimp.call("shows_result", again)
    previews.gimp.call("hide_result", again)
    assert len(previews.names(again)) == 1
    assert np.array_equal(previews.seen(again, pixels), before)


def test_a_result_of_another_canvas_is_refused(previews: PreviewImages):
    image = previews.new(noise(HEIGHT, WIDTH, 4, np.uint8), RGB_8)
    _, first, _ = results()
    told = previews.show(image, first, (WIDTH, HEIGHT + 1))
    assert told.startswith(f"The canvas had {WIDTH} × {HEIGHT + 1} pixels")
    assert len(previews.names(image)) == 1


def test_this_run_of_gimp_has_one_name_whoever_asks(previews: PreviewImages):
    first = previews.gimp.call("session")
    assert len(first) == 12
    assert previews.gimp.call("session") == first


@pytest.fixture
def user(gimps: Gimps, display: Display, backend: Backend) -> Iterator[GimpUser]:
    user = GimpUser(gimps.get(), display, backend)
    yield user
    if user.gimp.alive:
        for window in user.windows("^Palimpsest$"):
            user.close(window)
        user.gimp.call("close_documents")


def test_the_history_does_not_notice_it(user: GimpUser):
    """What is undone meanwhile and afterwards are people's own steps."""
    image = user.open()
    previews = PreviewImages(user.gimp)
    below = previews.names(image)
    mine = layer_over(disc(256, 256), np.uint8, 4)
    assert "layer" in previews.insert(image, mine)
    previews.show(image, np.ascontiguousarray(mine[::-1]))
    assert len(previews.names(image)) == len(below) + 2
    user.press("ctrl+z")
    until(lambda: previews.names(image) == [NAME, *below], "the last step of one's own is undone")
    user.press("ctrl+y")
    until(lambda: previews.names(image) == [NAME, "cat → dog", *below], "it is done again")
    previews.gimp.call("hide_result", image)
    assert previews.names(image) == ["cat → dog", *below]
    user.press("ctrl+z")
    until(lambda: previews.names(image) == below, "it is undone, and nothing else")


def test_a_user_looks_at_a_result_and_keeps_it(user: GimpUser, display: Display):
    """In the window, by mouse and keyboard."""
    image, window = user.open(), user.window()
    previews = PreviewImages(user.gimp)
    below, pixels = previews.names(image), np.zeros((256, 256, 4), np.uint8)
    before = previews.seen(image, pixels)
    user.apply(window, image, SHOULD_SHOW)
    user.until_layers(image, 2)
    made = previews.seen(image, pixels)
    user.press("ctrl+z")
    user.until_layers(image, 1)
    x, y = place_of_tile(user)
    display.focus(window)
    display.click(x, y)
    until(lambda: previews.names(image) == ["Preview: red ball → blue cube", *below], "a preview")
    assert np.array_equal(previews.seen(image, pixels), made)
    display.hold("o")
    until(lambda: np.array_equal(previews.seen(image, pixels), before), "the original")
    display.let_go("o")
    until(lambda: np.array_equal(previews.seen(image, pixels), made), "the result again")
    display.key("Escape")
    until(lambda: previews.names(image) == below, "nothing is left of it")
    x, y = place_of_tile(user)
    display.click(x + APART, y + APART)
    until(lambda: len(previews.names(image)) == 2, "a preview")
    user.click_on("Keep")
    until(lambda: previews.names(image) == ["red ball → blue cube", *below], "a layer")
    assert np.array_equal(previews.seen(image, pixels), made)
    user.press("ctrl+z")
    until(lambda: previews.names(image) == below, "one step")
    other = user.open()
    user.tell(f"replace {other}")
    until(lambda: tile_of(user) is None, "another picture has other results")


def test_results_stay_in_sight_while_one_is_looked_at_and_while_one_is_made(user: GimpUser, display: Display):
    """In a window of 720 px, with the strip under Keep structure."""
    image, window = user.open(), user.window()
    left, top, width, _ = BESIDE
    user.set_steps(window, 150)  # long enough to be looked at while it is made
    user.apply(window, image, SHOULD_SHOW)
    user.until_layers(image, 2)
    user.set_steps(window, 250)  # with the same there would be no step to take again
    display.place(window, left, top, width, 720)
    display.click(*place_of_tile(user))
    until(lambda: boxes_of(user, "Keep"), "the result is looked at")
    until(lambda: is_within(*boxes_of(user, "result", "scrolled")), "it is in sight, all of it")
    scrolled, keep, update = boxes_of(user, "scrolled", "Keep", "Update")
    assert bottom(scrolled) <= keep[1] < bottom(keep) <= update[1] < bottom(update) <= top + 720
    user.click_on("Update")
    forming = "The result as it forms"
    found = until(lambda: boxes_of(user, forming, "All pictures", "result", "scrolled"), "a picture forms")
    picture, head, _, scrolled = found
    assert picture[3] == FORMING
    assert bottom(scrolled) <= picture[1] < bottom(picture) < top + 720
    assert is_within(head, scrolled)
    until(lambda: in_sight_beside(user, forming), "the results are in sight, all of them, while it is made")
    until(lambda: not user.jobs("running"), "the job has ended")


def in_sight_beside(user: GimpUser, forming: str) -> bool:
    """In one look, since the picture that forms goes when the job has ended."""
    found = boxes_of(user, forming, "result", "scrolled")
    return bool(found) and is_within(*found[1:])


def boxes_of(user: GimpUser, *names: str) -> list[list[int]]:
    """Where these widgets are, all in one look; "result" is the first one, "scrolled" what scrolls. Empty if
    one of them isn't on the screen."""
    seen, found = user.seen(), []
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


def place_of_tile(user: GimpUser) -> tuple[int, int]:
    return user.place_of(lambda: tile_of(user), "the result is among the results")


def tile_of(user: GimpUser) -> dict[str, Any] | None:
    """The first result in the window."""
    return next(filter(is_tile, user.seen()), None)
