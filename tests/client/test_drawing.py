"""Which widgets stay from one description to the next, with widgets that are plain objects."""

from __future__ import annotations

import pytest

from palimpsest_client.http.session import Session
from palimpsest_client.views.drawing import Drawer, Drawing, Told
from palimpsest_client.views.view import Bar, Button, Gap, Line, Picture, Text, column


class Deferred(Session):
    """Runs what is asked aside when the test says so."""

    def __init__(self) -> None:
        self.asked: list = []

    def aside(self, call, done, failed) -> None:
        self.asked.append((call, done))

    def answer(self) -> None:
        asked, self.asked = self.asked, []
        for call, done in asked:
            done(call())


class Stand(Drawer):
    """Its widget is the list of what was done with it."""

    def make(self, part):
        return ["made"]

    def put(self, part):
        self.widget.append(f"put {getattr(part, 'text', '')}".strip())

    def name(self, part):
        self.widget.append("named")

    def show(self, shown):
        self.widget.append("shown" if shown else "hidden")

    def drop(self):
        self.widget.append("dropped")


class Typed(Stand):
    typed = True


class Boxed(Stand):
    def put(self, part):
        self.inside = [self.view.drawn(inner) for inner in part.parts]


class Pictured(Stand):
    def put(self, part):
        found = self.view.aside(self, bytes.upper, part.content)
        if found is not None:
            self.widget.append(found)


class Window(Drawing):
    kinds = {  # noqa: RUF012
        type(column("")): Boxed,
        Bar: Stand,
        Button: Stand,
        Gap: Stand,
        Line: Typed,
        Picture: Pictured,
        Text: Stand,
    }

    def __init__(self) -> None:
        self.session = Deferred()
        super().__init__(self.session, None)
        self.held: list = []

    def hold(self, drawer):
        self.held.append(drawer)

    def put(self, *parts):
        self.draw(column("all", *parts))


@pytest.fixture
def window() -> Window:
    return Window()


def test_a_part_is_made_filled_in_named_and_shown_once(window: Window):
    for _ in range(2):
        window.put(Text("a", text="one"))
    assert window["a"] == ["made", "put one", "named", "shown"]
    assert window.held == [window.drawer("all")]


def test_only_what_differs_is_changed(window: Window):
    window.put(Text("a", text="one"), Text("b", text="two"))
    window.put(Text("a", text="one"), Text("b", text="three", shown=False))
    assert window["a"] == ["made", "put one", "named", "shown"]
    assert window["b"][4:] == ["put three", "named", "hidden"]


def test_what_people_change_is_looked_at_each_time(window: Window):
    for _ in range(2):
        window.put(Line("a", text="one"))
    assert window["a"] == ["made", "put one", "named", "shown", "put one"]


def test_what_a_part_does_is_always_the_newest(window: Window):
    window.put(Button("a", do=lambda: 1))
    window.put(Button("a", do=lambda: 2))
    assert window.drawer("a").part.do() == 2
    assert window["a"].count("put") == 1


def test_what_is_not_described_any_more_goes(window: Window):
    window.put(Text("a"), Text("b"))
    gone = window["a"]
    window.put(Text("b"))
    assert gone[-1] == "dropped"
    with pytest.raises(KeyError):
        window["a"]


def test_another_kind_of_part_gets_another_widget(window: Window):
    window.put(Text("a", text="one"))
    gone = window["a"]
    window.put(Button("a", text="one"))
    assert gone[-1] == "dropped"
    assert window["a"] == ["made", "put one", "named", "shown"]


def test_a_box_of_nothing_that_is_shown_is_hidden(window: Window):
    window.put(column("box", Text("a", shown=False)))
    assert window["box"][-1] == "hidden"
    window.put(column("box", Text("a")))
    assert window["box"][-1] == "shown"


def test_the_default_button_and_the_bars_without_an_end(window: Window):
    bars = Bar("known", fraction=0.5), Bar("unknown"), Bar("hidden", shown=False)
    window.put(Button("a"), *bars)
    assert window.default() is None
    window.put(Button("a"), Button("b", default=True), *bars)
    assert window.default() is window["b"]
    assert window.pulsing() == [window["unknown"]]


def test_what_is_made_aside_comes_later_and_once_for_all_who_show_it(window: Window):
    window.put(Picture("a", content=b"x"), Picture("b", content=b"x"))
    assert len(window.session.asked) == 1
    window.session.answer()
    assert window["a"][-1] == window["b"][-1] == b"X"
    window.put(Picture("a", content=b"x"), Picture("b", content=b"x"), Picture("c", content=b"x"))
    assert b"X" in window["c"]
    assert window.session.asked == []


def test_what_is_made_aside_is_kept_while_it_is_shown(window: Window):
    window.put(Picture("a", content=b"x"))
    window.session.answer()
    window.put(Picture("a", content=b"y"))
    window.put(Picture("a", content=b"x"))
    assert len(window.session.asked) == 2  # y, and x anew


def test_what_comes_too_late_is_left(window: Window):
    window.put(Picture("a", content=b"x"))
    window.put(Picture("a", content=b"y"))
    (_, late), (_, soon) = window.session.asked
    late(b"X")
    assert b"X" not in window["a"]
    window.gone = True
    soon(b"Y")
    assert b"Y" not in window["a"]


def test_what_the_window_sets_itself_is_not_told():
    heard: list = []
    told = Told(heard.append)
    told("people")
    told.silently(lambda: told("window"))
    with pytest.raises(ZeroDivisionError):
        told.silently(lambda: 1 / 0)
    told("again")
    assert heard == ["people", "again"]
