# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The settings page: which backend is used, its models, and one's own settings."""

from __future__ import annotations

import widgets as ui
from _client.connection import Choice
from _client.panel import Panel
from _client.wording import say
from gi.repository import Gdk, Gtk
from models_part import ModelsPart
from own_settings import OwnSettings

WIDTH = 380
MODELS = 100  # px, at least


class ServerDialog(Gtk.Window):
    def __init__(self, parent: Gtk.Window, panel: Panel) -> None:
        super().__init__(title=say("settings"), transient_for=parent, modal=True)
        self.set_default_size(WIDTH, -1)
        self._panel = panel
        self._here = Gtk.RadioButton.new_with_label_from_widget(None, say("this-computer"))
        self._there = Gtk.RadioButton.new_with_label_from_widget(self._here, say("other-computer"))
        self._address = Gtk.Entry(text=panel.backend.choice.address, hexpand=True)
        self._token = Gtk.Entry(text=panel.backend.choice.token, visibility=False, hexpand=True)
        self._message = ui.label("", wrap=True)
        self.models = ModelsPart(panel)
        self.own = OwnSettings(panel.preferences)
        (self._there if panel.backend.choice.address else self._here).set_active(True)
        self._there.connect("toggled", lambda _: self._follow())
        models = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, min_content_height=MODELS)
        models.add(self.models)  # with what each needs they are higher than a small screen
        parts = ui.column(
            ui.label(say("server-title")),
            self._here,
            self._there,
            self._fields(),
            ui.label(say("token-hint"), "quiet", "small", wrap=True),
            self._message,
            ui.row(ui.label(), ui.button(say("connect-now"), self._connect)),
            Gtk.Separator(),
            self.own,
            Gtk.Separator(),
            ui.label(say("models-title")),
            models,
        )
        parts.set_border_width(12)
        self.add(parts)
        self._follow()
        self.connect("key-press-event", lambda _, event: self._pressed(event))
        self.show_all()

    def _fields(self) -> Gtk.Grid:
        grid = Gtk.Grid(row_spacing=ui.SPACE, column_spacing=ui.SPACE)
        for place, (key, entry) in enumerate((("address", self._address), ("token", self._token))):
            grid.attach(ui.label(say(key)), 0, place, 1, 1)
            grid.attach(entry, 1, place, 1, 1)
        return grid

    def _follow(self) -> None:
        """Address and token belong to another computer only."""
        for entry in (self._address, self._token):
            entry.set_sensitive(self._there.get_active())

    def _pressed(self, event: Gdk.EventKey) -> bool:
        """Return connects, Escape closes."""
        if event.keyval == Gdk.KEY_Escape:
            self.destroy()
        elif event.keyval in ui.RETURN and self.get_focus() in (self._address, self._token):
            self._connect()
        else:
            return False
        return True

    def _connect(self) -> None:
        there = self._there.get_active()
        written = Choice(self._address.get_text().strip(), self._token.get_text().strip())
        choice = written if there else Choice()
        reason = say("bad-address", address=choice.address) if there and not choice.address else ""
        reason = reason or self._panel.backend.connect_to(choice)
        self._message.set_text(reason)
        if not reason:
            self.destroy()
