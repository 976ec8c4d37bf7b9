"""Writing in the real GIMP's window, by keyboard: what completes a word, and what marks one."""

from __future__ import annotations

import numpy as np
from PIL import Image

from editors.gimp_panel import BESIDE, GimpUser, until
from editors.gimp_pictures import RGB_8
from editors.pictures import doubtful_scene

RED = (204, 0, 0)  # of the wave that GTK draws under a word
AMBER = (209, 138, 31)  # of the line under a doubtful one


def begin(user: GimpUser) -> None:
    """The window is there, and the keyboard in its first field."""
    image = user.open()
    window = user.window()
    user.tell(f"replace {image}")
    user.display.focus(window)
    user.display.key("alt+Up")


def write(user: GimpUser, text: str, offered: str, *keys: str) -> None:
    """Keys follow when the candidate can be seen."""
    user.display.type(text)
    until(lambda: user.find(offered, "Label"), f"{offered} is offered")
    user.display.key(*keys)
    until(lambda: user.find(offered, "Label") is None, "nothing is offered any more")


def test_words_are_completed_by_keys_and_return_alone_still_applies(user: GimpUser):
    begin(user)
    write(user, "a photo of a red bal", "balls", "Down", "Return")  # takes ball
    write(user, " on gra", "grass", "Tab")
    user.display.key("alt+Down", "ctrl+a")
    write(user, "a photo of a blue cu", "cubes", "Escape")
    write(user, "b", "cubes", "Down", "Return")
    write(user, " on gra", "grass", "Down", "Return")
    user.display.key("Return")
    job = user.until_running()
    request = user.backend.client.job(job)["request"]
    assert request["source_prompt"] == "a photo of a red ball on grass"
    assert request["target_prompt"] == "a photo of a blue cube on grass"
    user.until_state(job, "finished")


def test_an_unknown_word_is_marked(user: GimpUser):
    begin(user)
    user.display.type("a photo of a red ball on grass")
    until(lambda: reds(user) == 0, "nothing is marked")
    user.display.key("alt+Up")
    user.display.type("a photo of a helicopter on grass")
    until(lambda: reds(user) > 20, "the word is marked")


def test_a_word_that_describe_doubts_is_marked_until_it_is_changed(user: GimpUser):
    image = user.show(user.images.new(doubtful_scene(), RGB_8))
    window = user.window()
    assert user.gimp.call("tell_window", f"replace {image}")
    user.click_on("Describe")
    until(lambda: marks(user, AMBER) > 10, "the word is marked")
    user.display.focus(window)
    user.display.key("alt+Up")
    user.display.type("an ink wash of a man on grass")
    until(lambda: marks(user, AMBER) == 0, "nothing is marked any more")


def reds(user: GimpUser) -> int:
    return marks(user, RED)


def marks(user: GimpUser, color: tuple[int, int, int]) -> int:
    """Pixels of a line under a word in the window."""
    path = user.display.screenshot(user.images.files / "marks.png")
    left, top, width, height = BESIDE
    shown = np.array(Image.open(path).convert("RGB").crop((left, top, left + width, top + height)))
    return int((np.abs(shown.astype(int) - color).max(axis=2) < 40).sum())
