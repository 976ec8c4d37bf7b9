"""Keys and menu items of the panel where it has a window of its own."""

from __future__ import annotations

from typing import Any

import pytest

from client.desk import SHOWS, Desk, fill
from palimpsest_client.gimp.panel_window import PanelWindow
from palimpsest_client.views.panel_view import PanelView
from palimpsest_client.views.window import Desktop
from palimpsest_client.views.windows import Windows


class Screen(Desktop):
    """What is asked for is answered with ``word``."""

    def __init__(self) -> None:
        self.word: str | None = None
        self.opened: list[str] = []
        self.left = 0

    def ask(self, title, prompt, value=""):
        return self.word

    def open(self, window):
        self.opened.append(type(window).__name__)

    def leave_fields(self):
        self.left += 1


class Shown:
    def __init__(self, folder) -> None:
        self.desk = Desk(folder).ready()
        self.screen = Screen()
        panel = self.desk.panel
        windows = Windows(panel, self.desk.editor, self.screen, print)
        self.view = PanelView(panel, windows, self.screen, print)
        self.chosen: list[str] = []
        self.focused: list[Any] = []  # keys; with letters that are chosen there
        self.closed: list[bool] = []
        self.view.choose_document = self.chosen.append
        self.view.words.focus = self.focused.append
        self.view.words.choose = lambda key, word: self.focused.append((key, word.start, word.stop))
        close = lambda: self.closed.append(True)  # noqa: E731
        self.window = PanelWindow(panel, self.view, windows, self.screen, close)

    @property
    def form(self):
        return self.desk.panel.form


@pytest.fixture
def shown(tmp_path) -> Shown:
    return Shown(tmp_path)


def test_a_menu_item_turns_to_its_picture_and_operation(shown: Shown):
    shown.window.obey("insert 3")
    assert shown.chosen == ["3"]
    assert shown.form.operation == "insert"
    assert shown.focused == ["first"]
    shown.desk.panel.draft.write_source_prompt(SHOWS)
    shown.window.obey("replace 3")
    assert shown.focused[-1] == ("second", len(SHOWS), len(SHOWS)), "what is to be changed goes on at its end"
    shown.desk.panel.draft.write_operand("a dog")
    shown.window.obey("replace 3")
    assert shown.focused[-1] == ("second", 0, 5), "of what was written before all is chosen"


def test_a_command_of_nothing_changes_nothing(shown: Shown):
    shown.window.obey("")
    assert (shown.chosen, shown.focused, shown.screen.opened) == ([], [], [])


@pytest.mark.parametrize(("item", "window"), [("learn-concept", "LearnWindow"), ("server", "SettingsWindow")])
def test_a_menu_item_that_asks_more_opens_its_window(shown: Shown, item: str, window: str):
    shown.window.obey(f"{item} 1")
    assert shown.screen.opened == [window]


@pytest.mark.parametrize(("answer", "asked"), [(" ball ", ["ball"]), ("  ", []), (None, [])])
def test_a_word_to_select_is_asked_for(shown: Shown, monkeypatch, answer: str | None, asked: list):
    found: list[str] = []
    monkeypatch.setattr(shown.desk.panel, "select_word", found.append)
    shown.screen.word = answer
    shown.window.obey("word-to-selection 1")
    assert found == asked


def test_control_and_return_apply_and_leave_the_fields(shown: Shown):
    fill(shown.desk.panel)
    assert shown.window.pressed("return", control=True, alt=False)
    assert shown.screen.left == 1
    assert shown.desk.state.progress is not None


def test_control_and_w_close(shown: Shown):
    assert shown.window.pressed("w", control=True, alt=False)
    assert shown.closed == [True]


def test_alt_and_a_digit_choose_an_operation_and_lead_to_its_words(shown: Shown):
    assert shown.window.pressed("3", control=False, alt=True)
    assert shown.form.operation == "restyle"
    assert shown.focused == ["first"]


def test_alt_and_an_arrow_lead_to_a_sentence(shown: Shown):
    assert shown.window.pressed("down", control=False, alt=True)
    assert shown.window.pressed("up", control=False, alt=True)
    assert shown.focused == ["second", "first"]
    shown.desk.panel.draft.write_source_prompt(SHOWS)
    for key in ("down", "up"):
        assert shown.window.pressed(key, control=False, alt=True)
    assert shown.focused[2:] == [("second", len(SHOWS), len(SHOWS)), ("first", 0, len(SHOWS))]


@pytest.mark.parametrize("key", ["escape", "return", "w", "3", "down", "a"])
def test_other_keys_are_the_fields_own(shown: Shown, key: str):
    """Escape too, where nothing is under way or looked at."""
    assert not shown.window.pressed(key, control=False, alt=False)
    assert (shown.focused, shown.closed) == ([], [])


def test_it_tells_when_other_pictures_are_open(shown: Shown):
    pictures = [("1", "one")]
    shown.view.documents = lambda: pictures
    assert shown.window.changed()
    assert not shown.window.changed()
    pictures.append(("2", "two"))
    assert shown.window.changed()
