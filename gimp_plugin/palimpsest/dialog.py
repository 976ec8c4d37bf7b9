# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The Palimpsest window: a process of its own beside GIMP, open across edits and pictures.

It draws what the panel's state says and tells the panel what people do; it decides nothing itself. An
open window registers a temporary procedure through which menu items reach it.
"""

from __future__ import annotations

from typing import Any, Callable

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
import process  # noqa: E402
import widgets as ui  # noqa: E402
from _client.panel import Panel  # noqa: E402
from _client.panel_state import PanelState  # noqa: E402
from _client.panel_view import PanelView  # noqa: E402
from _client.procedures import BY_NAME, PREFIX, WINDOW_COMMAND  # noqa: E402
from _client.windows import Windows  # noqa: E402
from _client.wording import say  # noqa: E402
from dialogs import Desktop  # noqa: E402
from gi.repository import Gdk, GimpUi, GLib, Gtk  # noqa: E402
from host import GimpEditor  # noqa: E402
from sentences import SentenceDrawer  # noqa: E402
from view import View  # noqa: E402

WIDTH, HEIGHT = 340, 760
TICK = 100  # ms
DIGITS = (Gdk.KEY_1, Gdk.KEY_2, Gdk.KEY_3, Gdk.KEY_4, Gdk.KEY_5)
ARROWS = (Gdk.KEY_Up, Gdk.KEY_Down)  # to the first, to the second sentence


def open_window(plugin: Any, command: str) -> None:
    """Returns when the window was closed. ``command``: see ``Window.obey``."""
    GimpUi.init("palimpsest")
    ui.use_style()
    loop = GLib.MainLoop()
    # Heard before the window is built: a menu item chosen again meanwhile opens no second one.
    deafen = process.listen(plugin, WINDOW_COMMAND, lambda told: window.obey(told))
    window = Window(GimpEditor(), deafen)
    window.connect("destroy", lambda _: loop.quit())
    window.obey(command)
    loop.run()


class Window(Gtk.Window):
    def __init__(self, editor: GimpEditor, deafen: Callable[[], None]) -> None:
        super().__init__(title="Palimpsest")
        self.set_role("palimpsest")
        self.set_default_size(WIDTH, HEIGHT)
        ui.styled(self, "panel")
        self._editor, self._deafen = editor, deafen
        self._documents: Any = None  # those that were drawn
        self.panel = Panel("gimp", editor, self.draw)
        self._desktop = Desktop(self, self.panel.session)
        self.windows = Windows(self.panel, editor, self._desktop, self._use)
        self._told = PanelView(self.panel, self.windows, self._desktop, self._use)
        self._told.documents, self._told.choose_document = editor.documents, editor.choose
        self._told.controls.redraw = lambda: self.draw(self.panel.state)
        self._told.words.focus = lambda key: self.view[key].grab_focus()
        self.view = View(self.panel.session, self._desktop)
        self.add(self.view)
        self.connect("destroy", lambda _: self._end())
        self.connect("key-press-event", lambda _, event: self._pressed(event))
        self.draw(self.panel.state)
        self.view.show()
        self.show()
        self._focus(self._told.words.focus_place())
        self.panel.start()
        self._ticking = GLib.timeout_add(TICK, self._tick)

    def obey(self, command: str) -> None:
        """Raise the window; "replace 3" also turns it to picture 3 and does what the menu item says."""
        self.present()
        what, _, picture = command.partition(" ")
        if what:
            self._editor.choose(picture)
            self.panel.look()
            self._do(what)

    def draw(self, state: PanelState) -> None:
        self.view.draw(self._told.describe())
        self._desktop.redraw()

    # What people do that needs more than the panel.

    def _focus(self, sentence: str) -> None:
        """With all of it chosen; a slider just gets the keyboard."""
        drawer = self.view.drawer(sentence)
        drawer.field.focus() if isinstance(drawer, SentenceDrawer) else drawer.widget.grab_focus()

    def _use(self, concept: str) -> None:
        """Where the cursor is, in the place of what is chosen there."""
        if "second" in self.panel.state.shown:
            field = self.view.drawer("second").field
            field.delete_selected()
            self.panel.draft.insert_concept(concept, field.cursor)

    # Its life.

    def _tick(self) -> bool:
        self.panel.tick()
        documents = self._editor.documents()
        if documents != self._documents:  # one may be opened beside the one that is chosen
            self._documents = documents
            self.draw(self.panel.state)
        self.view.pulse()
        self._desktop.pulse()
        return GLib.SOURCE_CONTINUE

    def _do(self, what: str) -> None:
        """A menu item of this name, for the picture that the panel has turned to."""
        operation = BY_NAME[PREFIX + what].operation
        if operation:
            self.panel.draft.choose_operation(operation)
            self._focus(self._told.words.focus_place())
        elif what == "word-to-selection":
            word = ui.asked_for_text(self, say("select-action"), say("choose-word"))
            if word:
                self.panel.select_word(word)
        else:
            OTHERS[what](self)

    def _pressed(self, event: Gdk.EventKey) -> bool:
        """Wherever the cursor is: Control and Return apply, Escape cancels what is under way or looked at,
        Control and W close, Alt and a digit choose the operation, Alt and an arrow go to the other sentence.
        """
        control, alt = event.state & Gdk.ModifierType.CONTROL_MASK, event.state & Gdk.ModifierType.MOD1_MASK
        if control and event.keyval in ui.RETURN:
            self._told.apply()
            return True
        if control and event.keyval == Gdk.KEY_w:
            self.destroy()
            return True
        if alt and event.keyval in DIGITS:
            self._told.choose_operation(DIGITS.index(event.keyval))
            self._focus(self._told.words.focus_place())
            return True
        if alt and event.keyval in ARROWS:
            self._focus(("first", "second")[ARROWS.index(event.keyval)])
            return True
        if event.keyval == Gdk.KEY_Escape:
            return self._told.leave()
        return False

    def _end(self) -> None:
        self._deafen()  # first: a menu item chosen from now on opens another window
        GLib.source_remove(self._ticking)
        self.panel.stop()


OTHERS = {
    "learn-concept": lambda window: window.windows.learn(),
    "remember-photo": lambda window: window.panel.remember(),
    "reopen-edit": lambda window: window.panel.reopen(),
    "server": lambda window: window.windows.settings(),
}
