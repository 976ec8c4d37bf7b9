# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""Of the settings page: with what new pictures begin, the language, and what is kept on this computer."""

from __future__ import annotations

import widgets as ui
from _client.control import CHOICE
from _client.preferences import BEGINNING, FIELDS, Preferences
from _client.wording import say
from gi.repository import Gtk
from inputs import field_of


class OwnSettings(Gtk.Box):
    def __init__(self, preferences: Preferences) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._preferences = preferences
        self.fields = {control.name: field_of(control, preferences) for control in FIELDS}
        grid = Gtk.Grid(row_spacing=ui.SPACE, column_spacing=ui.SPACE)
        for place, control in enumerate(FIELDS):
            field = self.fields[control.name]
            field.put(preferences.drawn(control))
            field.set_hexpand(True)
            grid.attach(ui.label(control.label), 0, 2 * place, 1, 1)
            grid.attach(field, 1, 2 * place, 1, 1)
            field.connect("changed" if control.kind == CHOICE else "value-changed", lambda _: self._tell())
            if control.name == BEGINNING[0]:
                grid.attach(ui.label(say("new-pictures")), 0, 2 * place - 1, 2, 1)  # above it
        self.message = ui.label("", wrap=True)
        self.forget = ui.button(say("forget"), self._forget, "tight")
        where = ui.label(say("kept-in", place=preferences.folder), "quiet", wrap=True)
        for part in (grid, ui.label(say("kept-here")), where, self.forget, self.message):
            self.pack_start(part, False, False, 0)

    def _forget(self) -> None:
        self._preferences.forget()
        self.message.set_text(self._preferences.trouble or say("forgotten"))

    def _tell(self) -> None:
        self.message.set_text(self._preferences.trouble)
