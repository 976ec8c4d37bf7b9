"""The Palimpsest window: a process of its own beside GIMP, open across edits and pictures.

It draws what the panel's state says and tells the panel what people do; it decides nothing itself. An
open window hears what menu items say to it.
"""

from __future__ import annotations

import os
from typing import Any

import process
import widgets as ui
from _client.gimp.panel_window import PanelWindow
from _client.panel.panel import Panel
from _client.panel.state import PanelState
from _client.views.panel_view import PanelView
from _client.views.windows import Windows
from dialogs import Desktop
from gi.repository import GimpUi, GLib, Gtk
from host import GimpEditor
from view import View

WIDTH, HEIGHT = 340, 760
TICK = 100  # ms


def open_window(plugin: Any, command: str) -> None:
    """Returns when the window was closed. ``command``: a menu item's, or empty."""
    GimpUi.init("palimpsest")
    ui.use_style()
    loop = GLib.MainLoop()
    # From now on: a menu item chosen again while the window is built opens no second one.
    # What one asks is asked between two looks: they go on meanwhile.
    hear = lambda told: GLib.idle_add(window.obey, told, priority=GLib.PRIORITY_HIGH)  # noqa: E731
    listening = process.Listening(plugin, hear)
    window = Window(GimpEditor(), listening)
    window.connect("destroy", lambda _: loop.quit())
    window.obey(command)
    loop.run()


class Window(Gtk.Window):
    def __init__(self, editor: GimpEditor, listening: process.Listening) -> None:
        super().__init__(title="Palimpsest")
        self.set_role("palimpsest")
        self.set_default_size(WIDTH, HEIGHT)
        if os.name != "nt":  # Windows would close it with a picture's window
            GimpUi.window_set_transient(self)  # above GIMP's own, also after a click on the picture
        ui.styled(self, "panel")
        self._listening = listening
        self.panel = Panel("gimp", editor, self.draw)
        self._desktop = Desktop(self, self.panel.session)
        windows = Windows(self.panel, editor, self._desktop, self._use)
        self._panel_view = PanelView(self.panel, windows, self._desktop, self._use)
        self._panel_view.documents, self._panel_view.choose_document = editor.documents, editor.choose
        self._panel_view.controls.redraw = lambda: self.draw(self.panel.state)
        self._panel_view.words.focus = lambda key: self.view[key].grab_focus()
        self._panel_view.words.choose = lambda key, word: self.view.drawer(key).field.focus(word)
        self._acts = PanelWindow(self.panel, self._panel_view, windows, self._desktop, self.destroy)
        self.view = View(self.panel.session, self._desktop)
        self.add(self.view)
        self.connect("destroy", lambda _: self._end())
        self.connect("key-press-event", lambda _, event: self._acts.pressed(*ui.pressed(event)))
        self.draw(self.panel.state)
        self.view.show()
        self.show()
        self._acts.begin()
        self.panel.start()
        self._ticking = GLib.timeout_add(TICK, self._tick)

    def obey(self, command: str) -> None:
        """Of a menu item; any raises the window."""
        self.present()
        self._acts.obey(command)

    def draw(self, state: PanelState) -> None:
        self.view.draw(self._panel_view.describe())
        self._desktop.redraw()

    def _use(self, concept: str) -> None:
        """Where the cursor is, in the place of what is chosen there."""
        if "second" in self.panel.state.shown:
            field = self.view.drawer("second").field
            field.delete_selected()
            self.panel.draft.insert_concept(concept, field.cursor)

    def _tick(self) -> bool:
        self._listening.look()
        self.panel.tick()
        if self._acts.changed():
            self.draw(self.panel.state)
        self.view.pulse()
        self._desktop.pulse()
        return GLib.SOURCE_CONTINUE

    def _end(self) -> None:
        self._listening.close()  # first: a menu item chosen from now on opens another window
        GLib.source_remove(self._ticking)
        self.panel.stop()
