"""Sliders, numbers and choices, made from the panel's table of fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import widgets as ui
from _client.fields.control import CHOICE, TEXT, Control
from _client.fields.controls import Drawn
from _client.gimp.wheel import Wheel
from _client.views.drawing import Told
from _client.views.view import FAINT, Field, Slider
from gi.repository import Gdk, Gtk
from parts import Drawer

TITLE = 96  # px, so that the sliders begin in one line


class FieldDrawer(Drawer):
    typed = True

    def name(self, part: Field) -> None:
        super().name(part)
        self.widget.get_accessible().set_description(part.tip)


class SliderDrawer(FieldDrawer):
    """A name, a scale, and where it stands. Its recommended place is marked; a double-click leads there."""

    def make(self, part: Slider) -> Gtk.Widget:
        control = part.control
        self._told = Told(lambda: self.part.change(control.at(round(made.get_value()))))
        self._mark: int | None = None
        quarter = max(1, control.places // 4)
        reach = Gtk.Adjustment(upper=control.places, step_increment=1, page_increment=quarter)
        made = Gtk.Scale(adjustment=reach, draw_value=False, round_digits=0)
        ui.leave_wheel(made)
        made.connect("value-changed", lambda _: self._told())
        made.connect("button-press-event", self._pressed)
        made.connect("scroll-event", Wheel(lambda n: made.set_value(made.get_value() + n)).turned)
        made.connect("leave-notify-event", lambda *_: made.set_has_tooltip(True))
        return made

    def around(self, part: Slider) -> Gtk.Widget:
        title, self._text = ui.label(part.caption), ui.label("", FAINT)
        title.set_properties(width_request=TITLE, tooltip_text=part.tip)
        self._text.set_width_chars(5)
        named = Gtk.EventBox(child=title, visible_window=False)
        named.connect("button-press-event", self._pressed)
        return ui.row(named, self.widget, self._text, stretched=1)

    def put(self, part: Slider) -> None:
        control, drawn = part.control, part.drawn
        mark = control.place(drawn.recommended)
        if mark != self._mark:
            self._mark = mark
            self.widget.clear_marks()
            self.widget.add_mark(mark, Gtk.PositionType.BOTTOM, None)
        self._told.silently(lambda: self.widget.set_value(control.place(drawn.place)))
        self._text.set_text(drawn.text)

    def _pressed(self, scale: Gtk.Scale, event: Gdk.EventButton) -> bool:
        scale.set_has_tooltip(False)  # it would lie over what the slider is moved for
        if event.type != Gdk.EventType.DOUBLE_BUTTON_PRESS:
            return False
        self.part.back()
        return True


class Number(Gtk.SpinButton):
    """What is below its least is no value: it is automatic, and says so."""

    def __init__(self, control: Control, changed: Callable[[Any], None]) -> None:
        reach = Gtk.Adjustment(lower=control.lowest, upper=control.most, step_increment=control.step)
        super().__init__(adjustment=reach, digits=control.digits)
        self._control, self._automatic = control, ""
        self._told = Told(changed)
        self.set_width_chars(14 if control.automatic else 4)
        self.set_update_policy(Gtk.SpinButtonUpdatePolicy.IF_VALID)  # its words aren't read as 0
        ui.leave_wheel(self)
        self.connect("output", self._put_out)
        self.connect("value-changed", lambda _: self._changed())

    def put(self, drawn: Drawn) -> None:
        if drawn.automatic != self._automatic:
            self._automatic = drawn.automatic
            self.update()
        if self._control.meant(self.get_value()) != drawn.value:
            self._told.silently(lambda: self.set_value(self._control.shown(drawn.value)))

    def _changed(self) -> None:
        value, control = self.get_value(), self._control
        if control.lowest < value < control.least:
            self.set_value(control.lowest)
        else:
            self._told(control.meant(value))

    def _put_out(self, _: Gtk.SpinButton) -> bool:
        said = bool(self._automatic) and self.get_value() < self._control.least
        if said:
            self.set_text(self._automatic)
        return said


class NumberDrawer(FieldDrawer):
    """Beside it what stands before it, and its unit."""

    def make(self, part: Field) -> Gtk.Widget:
        made = Number(part.control, lambda value: self.part.change(value))
        made.connect("activate", lambda _: self._enter())
        if part.prefix:
            made.set_width_chars(2)
        return made

    def _enter(self) -> None:
        self.widget.update()  # what is typed is its value from now on
        self.part.enter()

    def around(self, part: Field) -> Gtk.Widget:
        before, after = ([ui.label(text)] if text else [] for text in (part.prefix, part.control.unit))
        return ui.row(*before, self.widget, *after, stretched=len(before))

    def put(self, part: Field) -> None:
        self.widget.put(part.drawn)


class ChoiceDrawer(FieldDrawer):
    def make(self, part: Field) -> Gtk.Widget:
        return ui.Choice(lambda value: self.part.change(value))

    def put(self, part: Field) -> None:
        self.widget.show_entries(part.drawn.choices, part.drawn.value)


class TextDrawer(FieldDrawer):
    """While it is empty it shows what stands for it."""

    def make(self, part: Field) -> Gtk.Widget:
        self._field = ui.Field(lambda value: self.part.change(value), lambda: self.part.enter())
        return self._field.view

    def around(self, part: Field) -> Gtk.Widget:
        return self._field

    def put(self, part: Field) -> None:
        self._field.show_text(part.drawn.value, part.drawn.text)


def field_drawer(view: Any, part: Field) -> FieldDrawer:
    return {CHOICE: ChoiceDrawer, TEXT: TextDrawer}.get(part.control.kind, NumberDrawer)(view, part)


FIELDS: dict[type, Any] = {Field: field_drawer, Slider: SliderDrawer}
