"""Sliders, numbers and choices, made from the panel's table of fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import widgets as ui
from _client.control import CHOICE, NUMBER, SLIDER, Control
from _client.controls import Drawn
from _client.drawing import Told
from _client.view import Field as FieldPart
from _client.view import Slider as SliderPart
from gi.repository import Gdk, Gtk
from parts import Drawer

TITLE = 96  # px, so that the sliders begin in one line


def named(widget: Gtk.Widget, name: str, tip: str) -> None:
    """For the mouse and for readers of the screen."""
    widget.set_tooltip_text(tip)
    about = widget.get_accessible()
    about.set_name(name)
    about.set_description(tip)


class Slider(Gtk.Box):
    """A name, a scale, and where it stands. Its recommended place is marked; a double-click leads there."""

    def __init__(
        self,
        control: Control,
        moved: Callable[[Any], None],
        back: Callable[[], None],
        name: str = "",
    ) -> None:
        super().__init__(spacing=ui.SPACE)
        self._control, self._back = control, back
        self._told = Told(lambda: moved(control.at(round(self.scale.get_value()))))
        self._mark: int | None = None
        self.scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0, control.places, 1)
        self.scale.set_increments(1, max(1, control.places // 4))
        self.scale.set_draw_value(False)
        self.scale.set_round_digits(0)
        named(self.scale, name or control.label, control.tip)
        ui.leave_wheel(self.scale)
        self.scale.connect("value-changed", lambda _: self._told())
        self.scale.connect("button-press-event", self._pressed)
        self.scale.connect("leave-notify-event", lambda scale, _: scale.set_has_tooltip(True))
        title = ui.label(name or control.label)
        title.set_size_request(TITLE, -1)
        title.set_tooltip_text(control.tip)
        self._text = ui.label("", "quiet", "small")
        self._text.set_width_chars(5)
        self.pack_start(title, False, False, 0)
        self.pack_start(self.scale, True, True, 0)
        self.pack_start(self._text, False, False, 0)

    def put(self, drawn: Drawn) -> None:
        mark = self._control.place(drawn.recommended)
        if mark != self._mark:
            self._mark = mark
            self.scale.clear_marks()
            self.scale.add_mark(mark, Gtk.PositionType.BOTTOM, None)
        self._told.silently(lambda: self.scale.set_value(self._control.place(drawn.place)))
        self._text.set_text(drawn.text)

    def _pressed(self, _: Gtk.Scale, event: Gdk.EventButton) -> bool:
        self.scale.set_has_tooltip(False)  # it would lie over what the slider is moved for
        if event.type != Gdk.EventType.DOUBLE_BUTTON_PRESS:
            return False
        self._back()
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
        named(self, control.label, control.tip)
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


class Choice(ui.Choice):
    def __init__(self, control: Control, changed: Callable[[Any], None]) -> None:
        super().__init__(changed)
        named(self, control.label, control.tip)

    def put(self, drawn: Drawn) -> None:
        self.show_entries(drawn.choices, drawn.value)


class Sentence(ui.Field):
    """While it is empty it shows what stands for it."""

    def __init__(self, control: Control, changed: Callable[[Any], None]) -> None:
        super().__init__(changed)
        self.name(control.label)
        self.set_tooltip_text(control.tip)

    def put(self, drawn: Drawn) -> None:
        self.show_text(drawn.value, drawn.text)


class FieldDrawer(Drawer):
    """Beside it what stands before it, and its unit."""

    typed = True

    def make(self, part: FieldPart) -> Gtk.Widget:
        kind = KINDS.get(part.control.kind, Sentence)
        made = kind(part.control, lambda value: self.part.change(value))
        if part.prefix:
            made.set_width_chars(2)
        return made

    def around(self, part: FieldPart) -> Gtk.Widget:
        unit = part.control.unit if isinstance(self.widget, Number) else ""
        before, after = ([ui.label(text)] if text else [] for text in (part.prefix, unit))
        return ui.row(*before, self.widget, *after, stretched=len(before))

    def put(self, part: FieldPart) -> None:
        self.widget.put(part.drawn)


class SliderDrawer(Drawer):
    typed = True

    def make(self, part: SliderPart) -> Gtk.Widget:
        change, back = lambda value: self.part.change(value), lambda: self.part.back()
        self._slider = Slider(part.control, change, back, part.caption)
        return self._slider.scale

    def around(self, part: SliderPart) -> Gtk.Widget:
        return self._slider

    def put(self, part: SliderPart) -> None:
        self._slider.put(part.drawn)


KINDS: dict[str, Any] = {SLIDER: Number, NUMBER: Number, CHOICE: Choice}
FIELDS: dict[type, Any] = {FieldPart: FieldDrawer, SliderPart: SliderDrawer}
