# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""A button with a menu of one's own settings."""

from __future__ import annotations

import widgets as ui
from _client.panel import Panel
from _client.presets import Entry, entries
from _client.wording import say
from gi.repository import Gdk, Gtk


def presets_button(panel: Panel) -> Gtk.Button:
    made = ui.button(say("presets") + " ▾", lambda: show(made, panel), "tight", tip=say("tip-presets"))
    made.get_accessible().set_name(say("presets"))
    return made


def show(button: Gtk.Button, panel: Panel) -> None:
    menu = Gtk.Menu()
    for entry in entries(panel):
        kind = {True: Gtk.CheckMenuItem, False: Gtk.MenuItem}[entry.chosen]
        item = kind(label=entry.text)
        if entry.chosen:
            item.set_active(True)
        item.connect("activate", lambda _, entry=entry: do(button, entry))
        menu.append(item)
    menu.show_all()
    menu.attach_to_widget(button, None)
    menu.popup_at_widget(button, Gdk.Gravity.SOUTH_EAST, Gdk.Gravity.NORTH_EAST, None)


def do(button: Gtk.Button, entry: Entry) -> None:
    if not entry.ask:
        entry.do()
        return
    text = ui.asked_for_text(button.get_toplevel(), say("presets"), entry.ask, entry.value)
    if text is not None:
        entry.do(text)
