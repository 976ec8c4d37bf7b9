"""The panel's fields in the real Krita: made from the table, and left alone by a wheel that passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editors.backend import Backend
from editors.display import Display
from editors.krita import Krita
from palimpsest_client.fields.control import CHOICE, SLIDER
from palimpsest_client.fields.settings import CONTROLS

WIDTH, HEIGHT = 264, 420  # of the docker: all of it doesn't fit
SLIDERS = [name for name, control in CONTROLS.items() if control.kind == SLIDER]
NUMBERS = ["steps", "context"]


@pytest.fixture
def panel(krita: Krita, backend: Backend) -> Iterator[Krita]:
    if not backend.answers():
        backend.start()
    krita.call("show_docker", WIDTH, HEIGHT)
    krita.until("panel_ready")
    krita.call("reset_panel", {})
    krita.call("unfold", True)
    krita.call("focus_words")
    yield krita
    if krita.alive:
        krita.call("unfold", False)
        krita.call("reset_panel", {})


def test_each_field_is_as_its_table_says(panel: Krita):
    for name, control in CONTROLS.items():
        numbers, label, about = panel.call("control_facts", name)
        assert (label, about) == (control.label, control.tip)
        if control.kind == SLIDER:
            assert numbers == [0, control.places, 1]
        elif control.kind != CHOICE:
            assert numbers == [control.lowest, control.most, control.step]
        elif control.choices:
            assert tuple(numbers) == control.choices


@pytest.mark.parametrize("name", [*SLIDERS, *NUMBERS, "method"])
def test_the_wheel_scrolls_past_what_has_no_keyboard(panel: Krita, display: Display, name: str):
    x, y = panel.call("control_place", name)
    before, at = panel.call("settings"), panel.call("scrolled")
    display.wheel(x, y, -2 if at else 2)
    panel.until("has_scrolled", at)
    assert panel.call("settings") == before


def test_the_wheel_turns_what_has_the_keyboard(panel: Krita, display: Display):
    display.click(*panel.call("control_place", "steps"))
    panel.until("has_keyboard", "steps")
    x, y = panel.call("control_place", "steps")
    display.wheel(x, y, -1)
    panel.until("setting_is", "steps", 1)  # one above automatic


def test_a_double_click_goes_back_to_what_is_recommended(panel: Krita, display: Display):
    for name, moved in (("structure", 0.9), ("feather", 30), ("grow", 3)):
        panel.call("set_panel", {name: moved})
        display.double_click(*panel.call("control_place", name))
        panel.until("setting_is", name, CONTROLS[name].default)


def test_what_the_settings_page_says_is_kept(panel: Krita):
    picture = panel.box.folder / "settings.png"
    assert panel.call("settings_page", str(picture)) == [8, 1, ""]
    panel.call("prefer", "feather", 20)
    try:
        assert panel.call("settings_page", str(picture)) == [20, 1, ""]
    finally:
        panel.call("prefer", "feather", 8)
