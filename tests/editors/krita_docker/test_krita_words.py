"""Writing in the real Krita's panel, by keyboard and pointer: what completes a word, and what marks one."""

from __future__ import annotations

import pytest

from editors.display import Display
from editors.krita_panel import KritaPanel, photo
from editors.krita_pictures import RGB_8
from editors.pictures import doubtful_scene


@pytest.fixture
def writing(panel: KritaPanel, display: Display) -> KritaPanel:
    """A picture is open, and the keyboard is in the empty first field."""
    panel.show(photo(), RGB_8)
    panel.call("write", "replace", "", "")
    display.focus(str(panel.call("window_of_docker")))
    x, y = panel.call("place_of_letter", 0, 0)
    display.click(x, y)
    return panel


def test_a_word_is_completed_by_keys_and_return_alone_still_applies(writing: KritaPanel, display: Display):
    display.type("a photo of a red balloo")
    writing.until("completions_are", 0, [])
    display.key("BackSpace", "BackSpace", "BackSpace")
    writing.until("completions_are", 0, ["ball", "balls"])
    display.key("Escape")
    writing.until("completions_are", 0, [])
    display.key("BackSpace")
    writing.until("completions_are", 0, ["ball", "balls"])
    display.key("Down")
    writing.until("chosen_is", 0, 0)
    display.key("Return")
    writing.until("completions_are", 0, [])
    assert writing.call("written")[0] == "a photo of a red ball"
    assert writing.told()["outcome"] == ""  # that Return took the word, and nothing else
    display.type(" on gra")
    writing.until("completions_are", 0, ["grass"])
    display.key("Tab")
    writing.until("completions_are", 0, [])
    assert writing.call("written")[0] == "a photo of a red ball on grass"
    display.type(" st")
    writing.until("completions", 0)
    display.key("Return")  # nothing is chosen: Apply, which says why not
    assert writing.until("panel_idle")
    assert writing.call("written")[0] == "a photo of a red ball on grass st"


def test_an_unknown_word_is_marked_and_says_what_to_do(writing: KritaPanel, display: Display):
    display.type("a photo of a helicopter on grass")
    writing.eventually(lambda: writing.call("waved", 0) == ["helicopter"], "the word to be marked")
    assert "Unknown to this model: helicopter" in writing.tip_over(display, 0, 15)


def test_a_word_that_describe_doubts_is_dotted_until_it_is_changed(writing: KritaPanel, display: Display):
    writing.show(doubtful_scene(), RGB_8)
    display.focus(str(writing.call("window_of_docker")))  # a window without the keyboard shows no tips
    writing.call("press", "words.describe")
    writing.end()
    sentence = writing.call("written")[0]
    writing.eventually(lambda: writing.call("dotted", 0) == ["person"], f"the doubted word of {sentence!r}")
    tip = writing.tip_over(display, 0, sentence.index("person") + 2)
    assert "isn't sure of this word: 65 %" in tip
    writing.call("write", "replace", sentence.replace("person", "man"), "")
    writing.eventually(lambda: writing.call("dotted", 0) == [], "its dots to go")
