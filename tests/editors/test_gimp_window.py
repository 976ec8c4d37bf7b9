"""Palimpsest in the whole GIMP, by keyboard and mouse: its window, its dialogs, undo, cancel, failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editors.backend import REPOSITORY, Backend
from editors.conftest import Gimps
from editors.darkroom import RGB_8, Darkroom
from editors.display import Display
from editors.gimp import KEYS, Gimp

PHOTO = REPOSITORY / "backend/palimpsest/tour/pictures/photo.png"
SIDE = 256  # px of the pictures
SHOWS, SHOULD_SHOW = "a photo of a red ball on grass", "a photo of a blue cube on grass"
PATIENCE = 120.0
SILENCE = 60.0  # s, more than a client may be silent
CANVAS = (0, 0, 850, 700)  # where GIMP's window is put on the screen
BESIDE = (900, 0, 340, 800)


def until(holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {patience:g} s: {what}")


class Desk:
    """A user at GIMP: what is on the screen, and the backend's jobs."""

    def __init__(self, gimp: Gimp, display: Display, backend: Backend) -> None:
        self.gimp, self.display, self.backend = gimp, display, backend
        self.darkroom = Darkroom(gimp)
        self.main = until(lambda: display.windows("--class", "gimp"), "GIMP's own window")[-1]
        display.place(self.main, *CANVAS)

    def windows(self, title: str) -> list[str]:
        return self.display.windows("--name", title)

    def open(self) -> int:
        """The photo in a view of its own, with the ball selected."""
        rgb = np.array(Image.open(PHOTO).convert("RGB").resize((SIDE, SIDE)))
        image = self.darkroom.new(np.dstack([rgb, np.full((SIDE, SIDE), 255, np.uint8)]), RGB_8)
        self.gimp.call("select_ellipse", image, 50, 120, 140, 120)
        self.gimp.call("show", image)
        until(lambda: f"-{image}.0 " in self.display.title(self.main), "the picture in front")
        return image

    def press(self, *keys: str) -> None:
        """In GIMP's own window."""
        self.display.focus(self.main)
        self.display.key(*keys)

    def choose(self, action: str, title: str) -> str:
        """A menu item, and the window that it opens."""
        self.press(KEYS["plug-in-palimpsest" + action])
        window = until(lambda: self.windows(title), f"a window {title}")[-1]
        return window

    def window(self) -> str:
        """The Palimpsest window, put beside GIMP's."""
        window = self.choose("", "^Palimpsest$")
        self.display.place(window, *BESIDE)
        until(lambda: self.gimp.call("tell_window", ""), "the window listens")
        return window

    def apply(self, window: str, image: int, second: str) -> None:
        """Turn the window to a picture, as its menu items do; fill in both sentences, go on by keyboard."""
        assert self.gimp.call("tell_window", f"replace {image}")
        self.display.focus(window)
        for text in (SHOWS, second):
            self.display.key("ctrl+a")
            self.display.type(text)
            self.display.key("Tab")
        self.display.key("ctrl+Return")

    def layers(self, image: int) -> int:
        return len(self.darkroom.layers(image))

    def until_layers(self, image: int, count: int) -> None:
        until(lambda: self.layers(image) == count, f"{count} layers")

    def jobs(self, state: str) -> list[str]:
        return [job["id"] for job in self.backend.client.jobs()["jobs"] if job["state"] == state]

    def until_running(self) -> str:
        return until(lambda: self.jobs("running"), "a job that runs")[0]

    def until_state(self, job: str, state: str) -> None:
        until(lambda: job in self.jobs(state), f"the job is {state}")


@pytest.fixture
def desk(gimps: Gimps, display: Display, backend: Backend) -> Iterator[Desk]:
    gimp = gimps.get()
    desk = Desk(gimp, display, backend)
    yield desk
    if gimp.alive:
        for window in desk.windows("^Palimpsest$"):
            display.focus(window)
            display.key("ctrl+w")
        until(lambda: not desk.windows("^Palimpsest$"), "the window is closed")
        gimp.call("close_documents")


def test_the_window_edits_and_one_undo_takes_it_back(desk: Desk):
    image = desk.open()
    window = desk.window()
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)
    layer = desk.darkroom.layers(image)[0]
    assert (layer["name"], layer["mask"]) == ("red ball → blue cube", True)
    desk.press("ctrl+z")
    desk.until_layers(image, 1)
    desk.press("ctrl+y")
    desk.until_layers(image, 2)
    assert desk.windows("^Palimpsest$") == [window]


def test_one_window_serves_two_pictures_in_turn(desk: Desk):
    first = desk.open()
    window = desk.window()
    desk.apply(window, first, SHOULD_SHOW)
    desk.until_layers(first, 2)
    second = desk.open()
    desk.apply(window, second, "a photo of a yellow ball on grass")
    desk.until_layers(second, 2)
    assert desk.layers(first) == 2
    assert desk.darkroom.layers(second)[0]["name"] == "red → yellow"
    assert desk.windows("^Palimpsest$") == [window]


def test_escape_cancels_the_job_and_the_window_stays(desk: Desk):
    image = desk.open()
    window = desk.window()
    desk.apply(window, image, "a photo of a green ball on grass")
    job = desk.until_running()
    desk.display.focus(window)
    desk.display.key("Escape")
    desk.until_state(job, "cancelled")
    assert desk.layers(image) == 1
    assert desk.windows("^Palimpsest$") == [window]


def test_a_picture_closed_in_the_middle_leaves_the_window_usable(desk: Desk):
    lost, window = desk.open(), desk.window()
    desk.apply(window, lost, "a photo of a white ball on grass")
    job = desk.until_running()
    desk.gimp.call("close_views", lost)
    desk.until_state(job, "finished")
    image = desk.open()
    desk.apply(window, image, SHOULD_SHOW)
    desk.until_layers(image, 2)


def test_without_the_window_a_dialog_asks_and_the_last_values_are_kept(desk: Desk):
    image = desk.open()
    dialog = desk.choose("-replace", "^Replace$")
    desk.display.focus(dialog)
    desk.display.click(400, 28)
    desk.display.type(SHOWS)
    desk.display.key("Tab")
    desk.display.type(SHOULD_SHOW)
    desk.display.key("alt+o")
    desk.until_layers(image, 2)
    desk.press("ctrl+f")  # Repeat Filter
    desk.until_layers(image, 3)
    assert len({layer["recipe"] for layer in desk.darkroom.layers(image)[:2]}) == 2  # two jobs
    desk.press("ctrl+z")
    desk.until_layers(image, 2)


def test_a_dialog_that_is_cancelled_changes_nothing(desk: Desk):
    image = desk.open()
    before = desk.backend.client.jobs()["jobs"]
    dialog = desk.choose("-remember-photo", "^Remember Photo$")
    desk.display.focus(dialog)
    desk.display.key("Escape")
    until(lambda: not desk.windows("^Remember Photo$"), "the dialog is closed")
    assert desk.layers(image) == 1
    assert desk.backend.client.jobs()["jobs"] == before


def test_gimps_own_cancel_stops_the_backends_job(desk: Desk):
    """It ends the plug-in without a word: the backend notices that nobody asks any more."""
    image = desk.open()
    values = {"shows": SHOWS, "should-show": SHOULD_SHOW, "method": "null-text", "steps": 200}
    order = desk.gimp.order("run", "plug-in-palimpsest-replace", image, "NONINTERACTIVE", values)
    job = desk.until_running()
    desk.gimp.call_off("palimpsest.py")
    desk.until_state(job, "cancelled")
    assert desk.gimp.answer(order)["status"] != "success"
    assert desk.layers(image) == 1


def test_a_window_without_a_backend_waits_for_it(desk: Desk):
    desk.backend.stop()
    try:
        image, window = desk.open(), desk.window()
        desk.apply(window, image, SHOULD_SHOW)  # says why not, does nothing
    finally:
        desk.backend.start()

    def applied() -> bool:
        desk.display.focus(window)
        desk.display.key("ctrl+Return")
        time.sleep(1)
        return bool(desk.jobs("running") or desk.layers(image) == 2)

    until(applied, "the window finds the backend")
    desk.until_layers(image, 2)
