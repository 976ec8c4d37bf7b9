"""The window's fields in GIMP's own Python and GTK: made from the table, left alone by a passing wheel."""

from __future__ import annotations

import pytest

from editors.gimp_controls import PLACE, Fields
from editors.gimp_panel import until
from palimpsest_client.fields.control import BESIDE_APPLY, CHOICE, SLIDER
from palimpsest_client.fields.settings import CONTROLS

SHOWN = {name: control for name, control in CONTROLS.items() if control.where != BESIDE_APPLY}
SLIDERS = [name for name, control in SHOWN.items() if control.kind == SLIDER]


def test_each_field_is_as_its_table_says(fields: Fields):
    for name, control in SHOWN.items():
        numbers, label, about = fields.ask("facts", name)
        assert (label, about) == (control.label, control.tip)
        if control.kind == SLIDER:
            assert numbers == [0, control.places, 1]
        elif control.kind != CHOICE:
            assert numbers == [control.lowest, control.most, control.step]
        elif control.choices:
            assert tuple(numbers) == control.choices


@pytest.mark.parametrize("name", [*SLIDERS, "steps", "context", "method"])
def test_the_wheel_scrolls_past_what_has_no_keyboard(fields: Fields, name: str):
    x, y = fields.bring(name)
    before, at = fields.ask("settings"), fields.ask("at")
    fields.display.wheel(x, y, -1 if at else 1)
    fields.gimp.until("controls_have_scrolled", at)
    assert fields.ask("settings") == before


def test_the_wheel_turns_what_has_the_keyboard(fields: Fields):
    x, y = fields.bring("steps")
    fields.display.click(x - 40, y)
    fields.display.wheel(x - 40, y, -1)
    fields.gimp.until("setting_is", "steps", 1)  # one above automatic


def test_a_double_click_goes_back_to_what_is_recommended(fields: Fields):
    for name, moved in (("structure", 0.9), ("feather", 30), ("grow", 3)):
        fields.gimp.call("set_controls", {name: moved})
        fields.display.double_click(*fields.bring(name))
        fields.gimp.until("setting_is", name, CONTROLS[name].default)


def test_a_double_click_on_its_label_does_so_too(fields: Fields):
    fields.gimp.call("set_controls", {"structure": 0.9})
    _, y = fields.bring("structure")
    fields.display.double_click(PLACE[0] + 30, y)
    fields.gimp.until("setting_is", "structure", CONTROLS["structure"].default)


def test_a_notch_of_the_wheel_moves_a_slider_that_was_clicked_by_one_step(fields: Fields):
    control = CONTROLS["structure"]
    fields.gimp.call("set_controls", {"structure": 0.5})
    x, y = fields.bring("structure")
    fields.display.click(x, y)  # on its handle: it has the keyboard now
    for notches in (1, -2):
        before = fields.gimp.call("setting_of", "structure")
        fields.display.wheel(x, y, notches)
        fields.gimp.until("setting_is_about", "structure", before - notches * control.step)


def test_no_tip_lies_over_what_a_click_on_a_result_brings(fields: Fields):
    fields.ask("show_tile")
    fields.display.click(*fields.ask("place", "tile"))
    fields.gimp.until("controls_say", "may_show_tip", False, "tile")
    fields.display.move(*fields.display.away)
    fields.gimp.until("controls_say", "may_show_tip", True, "tile")


def test_return_applies_with_what_is_typed(fields: Fields):
    x, y = fields.bring("steps")
    fields.display.click(x - 40, y)
    fields.display.key("ctrl+a", "7", "Return")
    until(lambda: fields.gimp.call("applied_with", "steps") == [7], "the number applies")


def test_what_the_settings_page_says_is_kept(fields: Fields):
    assert fields.ask("settings_page") == [8, 1, ""]
    fields.ask("prefer", "feather", 20)
    try:
        assert fields.ask("settings_page") == [20, 1, ""]
    finally:
        fields.ask("prefer", "feather", 8)
