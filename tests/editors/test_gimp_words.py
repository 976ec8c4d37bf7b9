"""Writing in the real GIMP's window, by keyboard: what completes a word."""

from __future__ import annotations

from editors.gimp_desk import Desk
from editors.test_gimp_window import desk  # noqa: F401 - a fixture


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
