# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What most people never touch: the window's Advanced part, a grid of names and fields."""

from __future__ import annotations

from typing import Any

import widgets as ui
from _client.control import ADVANCED, Control
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.settings import controls_at
from _client.wording import say
from gi.repository import Gtk
from inputs import field_of


class Advanced(Gtk.Grid):
    def __init__(self, panel: Panel) -> None:
        super().__init__(row_spacing=4, column_spacing=ui.SPACE, margin_top=4)
        self._panel = panel
        self.fields: dict[str, Any] = {}
        self._rows: dict[str, tuple[Gtk.Widget, Gtk.Widget]] = {}
        for control in controls_at(ADVANCED):
            self._add(control)
        defaults = ui.button(say("defaults"), panel.draft.reset_settings, "tight")
        self.attach(defaults, 1, len(self._rows), 1, 1)

    def _add(self, control: Control) -> None:
        caption, field = ui.label(control.label, "small"), field_of(control, self._panel.draft)
        caption.set_tooltip_text(control.tip)
        caption.set_line_wrap(True)  # in a narrow window the fields need the room
        within = ui.row(field, *([ui.label(control.unit)] if control.unit else []))
        if control.dice:
            name = control.name
            throw = lambda: self._panel.draft.draw_lots(name)  # noqa: E731
            another = ui.button(say("dice"), throw, "tight", tip=control.tip)
            within.pack_start(another, False, False, 0)
        within.set_hexpand(True)
        self.attach(caption, 0, len(self._rows), 1, 1)
        self.attach(within, 1, len(self._rows), 1, 1)
        self.fields[control.name] = field
        self._rows[control.name] = (caption, within)

    def draw(self, state: PanelState) -> None:
        for name, field in self.fields.items():
            for part in self._rows[name]:
                ui.set_shown(part, name in state.shown)
            field.put(state.controls[name])
