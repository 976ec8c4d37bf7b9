"""Writing in the real GIMP's window, by keyboard: what completes a word, and what marks one."""

from __future__ import annotations

import numpy as np
from PIL import Image

from editors.gimp_desk import BESIDE, Desk, until
from editors.test_gimp_window import desk  # noqa: F401 - a fixture

RED = (204, 0, 0)  # of the wave that GTK draws under a word


def test_words_are_completed_by_keys_and_return_alone_still_goes_on(desk: Desk):  # noqa: F811
    image = desk.open()
    window = desk.window()
    assert desk.gimp.call("tell_window", f"replace {image}")
    desk.display.focus(window)
    desk.display.key("ctrl+a")
    write(desk, "a photo of a red bal", "Down", "Return")  # ball
    write(desk, " on gra", "Down", "Tab")  # grass
    desk.display.key("Tab")
    desk.display.key("ctrl+a")
    write(desk, "a photo of a blue cu", "Escape")
    write(desk, "be on gra", "Down", "Return")
    desk.display.key("ctrl+Return")
    job = desk.until_running()
    request = desk.backend.client.job(job)["request"]
    assert request["source_prompt"] == "a photo of a red ball on grass"
    assert request["target_prompt"] == "a photo of a blue cube on grass"
    desk.until_state(job, "finished")


def write(desk: Desk, text: str, *keys: str) -> None:  # noqa: F811
    """Keys follow when the candidates can be seen."""
    desk.display.type(text)
    desk.until_drawn()
    desk.display.key(*keys)


def test_an_unknown_word_is_marked(desk: Desk):  # noqa: F811
    image = desk.open()
    window = desk.window()
    assert desk.gimp.call("tell_window", f"replace {image}")
    desk.display.focus(window)
    desk.display.key("ctrl+a")
    desk.display.type("a photo of a red ball on grass")
    until(lambda: reds(desk) == 0, "nothing is marked")
    desk.display.key("ctrl+a")
    desk.display.type("a photo of a helicopter on grass")
    until(lambda: reds(desk) > 20, "the word is marked")


def reds(desk: Desk) -> int:  # noqa: F811
    """Pixels of a wave in the window."""
    path = desk.display.screenshot(desk.darkroom.files / "marks.png")
    left, top, width, height = BESIDE
    shown = np.array(Image.open(path).convert("RGB").crop((left, top, left + width, top + height)))
    return int((np.abs(shown.astype(int) - RED).max(axis=2) < 40).sum())
