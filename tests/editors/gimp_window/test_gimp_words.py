"""Writing in the real GIMP's window, by keyboard: what completes a word, and what marks one."""

from __future__ import annotations

import numpy as np
from PIL import Image

from editors.gimp_panel import BESIDE, Desk, until
from editors.gimp_pictures import RGB_8
from editors.pictures import doubtful_scene

RED = (204, 0, 0)  # of the wave that GTK draws under a word
AMBER = (209, 138, 31)  # of the line under a doubtful one


def begin(desk: Desk) -> None:
    """The window is there, and the keyboard in its first field."""
    image = desk.open()
    window = desk.window()
    desk.tell(f"replace {image}")
    desk.display.focus(window)
    desk.display.key("alt+Up")


def write(desk: Desk, text: str, offered: str, *keys: str) -> None:
    """Keys follow when the candidate can be seen."""
    desk.display.type(text)
    until(lambda: desk.find(offered, "Label"), f"{offered} is offered")
    desk.display.key(*keys)
    until(lambda: desk.find(offered, "Label") is None, "nothing is offered any more")


def test_words_are_completed_by_keys_and_return_alone_still_applies(desk: Desk):
    begin(desk)
    write(desk, "a photo of a red bal", "balls", "Down", "Return")  # takes ball
    write(desk, " on gra", "grass", "Tab")
    desk.display.key("alt+Down", "ctrl+a")
    write(desk, "a photo of a blue cu", "cubes", "Escape")
    write(desk, "b", "cubes", "Down", "Return")
    write(desk, " on gra", "grass", "Down", "Return")
    desk.display.key("Return")
    job = desk.until_running()
    request = desk.backend.client.job(job)["request"]
    assert request["source_prompt"] == "a photo of a red ball on grass"
    assert request["target_prompt"] == "a photo of a blue cube on grass"
    desk.until_state(job, "finished")


def test_an_unknown_word_is_marked(desk: Desk):
    begin(desk)
    desk.display.type("a photo of a red ball on grass")
    until(lambda: reds(desk) == 0, "nothing is marked")
    desk.display.key("alt+Up")
    desk.display.type("a photo of a helicopter on grass")
    until(lambda: reds(desk) > 20, "the word is marked")


def test_a_word_that_describe_doubts_is_marked_until_it_is_changed(desk: Desk):
    image = desk.show(desk.images.new(doubtful_scene(), RGB_8))
    window = desk.window()
    assert desk.gimp.call("tell_window", f"replace {image}")
    desk.click_on("Describe")
    until(lambda: marks(desk, AMBER) > 10, "the word is marked")
    desk.display.focus(window)
    desk.display.key("alt+Up")
    desk.display.type("an ink wash of a man on grass")
    until(lambda: marks(desk, AMBER) == 0, "nothing is marked any more")


def reds(desk: Desk) -> int:
    return marks(desk, RED)


def marks(desk: Desk, color: tuple[int, int, int]) -> int:
    """Pixels of a line under a word in the window."""
    path = desk.display.screenshot(desk.images.files / "marks.png")
    left, top, width, height = BESIDE
    shown = np.array(Image.open(path).convert("RGB").crop((left, top, left + width, top + height)))
    return int((np.abs(shown.astype(int) - color).max(axis=2) < 40).sum())
