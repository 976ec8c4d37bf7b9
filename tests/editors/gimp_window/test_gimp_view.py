"""How GIMP's window draws what it is described as: in the whole GIMP, and in the driver's process."""

from __future__ import annotations

from client.scripted import picture
from editors.gimp_controls import Fields
from editors.gimp_panel import SHOULD_SHOW, SHOWS, GimpUser, embedding, until
from palimpsest_client.text.wording import say

PLACE = (860, 0, 420, 500)  # of the window with all concepts


def test_the_example_is_not_drawn_over_a_sentence_that_comes_back(user: GimpUser):
    image, window = user.open(), user.window()
    example = say("example-replace")
    until(lambda: user.find(example, "Label"), "the example, while nothing is written")
    user.write(window, image, SHOWS, SHOULD_SHOW)
    user.display.key("alt+5")
    until(lambda: not user.find(SHOULD_SHOW), "the second sentence is gone")
    user.display.key("alt+1")
    until(lambda: user.find(SHOULD_SHOW), "the second sentence is back")
    assert user.find(example, "Label") is None


def test_a_click_chooses_a_concept_and_a_double_click_writes_it(user: GimpUser):
    for name in ("ink", "oak"):
        user.backend.client.import_concept(name, embedding(128), family="demo")
    try:
        user.open()
        user.window()
        user.click_on(say("all"))
        window = until(lambda: user.windows(f"^{say('concepts')}$"), "all concepts")[-1]
        user.display.place(window, *PLACE)
        user.display.click(*user.place_of(lambda: in_list(user, "oak"), "the one in the list"))
        user.click_on(say("use"))
        until(lambda: user.find("<oak>", "Lines"), "it is written once")
        user.display.double_click(*user.place_of(lambda: in_list(user, "ink"), "the other one"))
        until(lambda: user.find("<oak> <ink>", "Lines"), "the other one behind it")
    finally:
        for name in ("ink", "oak"):
            user.backend.client.remove_concept(name)


def in_list(user: GimpUser, name: str) -> dict | None:
    there = [widget for widget in user.seen() if widget["window"] == say("concepts")]
    return next((widget for widget in there if widget["text"].startswith(name)), None)


def test_a_tip_stays_away_while_a_slider_is_dragged(fields: Fields):
    fields.display.move(*fields.bring("structure"))
    fields.display.press()
    try:
        fields.gimp.until("controls_say", "may_show_tip", False, "structure")
        fields.gimp.call("set_controls", {"structure": 0.25})
        assert not fields.ask("may_show_tip", "structure")
    finally:
        fields.display.release()
    fields.display.move(5, 5)
    fields.gimp.until("controls_say", "may_show_tip", True, "structure")


def test_the_keyboard_goes_with_the_result_that_is_looked_at(fields: Fields):
    assert fields.ask("show_tiles", "first") == "first"
    assert fields.ask("show_tiles", "second") == "second"


def test_a_menu_that_was_closed_is_gone(fields: Fields):
    fields.display.click(*fields.bring("presets"))
    fields.gimp.until("controls_say", "menus", 1, "presets")
    fields.display.key("Escape")
    fields.gimp.until("controls_say", "menus", 0, "presets")


def test_only_a_button_with_a_menu_points_down(fields: Fields):
    assert fields.ask("cut", True) == ["a name", "▾"]
    assert fields.ask("cut", False) == ["a name"]


def test_a_click_reaches_what_lies_under_a_tip(fields: Fields):
    """The driver's own: a tip takes clicks as long as it is there."""
    x, y = fields.bring("presets")
    fields.display.move(x, y)
    until(lambda: fields.display.tips(), "the tip")
    fields.display.click(x + 12, y + 4)
    fields.gimp.until("controls_say", "menus", 1, "presets")
    fields.display.key("Escape")
    fields.gimp.until("controls_say", "menus", 0, "presets")


def test_pictures_that_are_shown_no_more_are_not_kept(fields: Fields):
    places = [fields.gimp.box.files / f"shelf-{number}.png" for number in range(3)]
    for number, place in enumerate(places):
        place.write_bytes(picture(8, 8, number))
    paths = [str(place) for place in places]
    fields.ask("shelve", paths)
    fields.gimp.until("controls_say", "made", [True] * 3)
    fields.ask("shelve", paths[:1])
    assert fields.ask("made") == [True]
    fields.ask("shelve", paths)
    fields.ask("shelve", paths[:1])  # before the others are made
    fields.gimp.until("controls_say", "made", [True])
    fields.ask("shelve", paths)
    fields.gimp.until("controls_say", "made", [True] * 3)
