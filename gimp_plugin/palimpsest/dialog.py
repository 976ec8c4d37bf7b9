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
from _client.procedures import BY_NAME, PREFIX, WINDOW_COMMAND  # noqa: E402
from _client.status import TOKEN  # noqa: E402
from _client.windows import Windows  # noqa: E402
from _client.wording import say  # noqa: E402
from controls_part import ControlsPart  # noqa: E402
from dialogs import Desktop  # noqa: E402
from gi.repository import Gdk, GimpUi, GLib, Gtk  # noqa: E402
from host import GimpEditor  # noqa: E402
from results_part import ResultsPart  # noqa: E402
from status_part import StatusPart  # noqa: E402
from words_part import WordsPart  # noqa: E402
from work_part import WorkPart  # noqa: E402

WIDTH, HEIGHT = 340, 760
EDGE = 8  # px
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
        self._drawn: PanelState | None = None
        self.panel = Panel("gimp", editor, self.draw)
        self._desktop = Desktop(self, self.panel.session)
        use = lambda name: self._words.use_concept(name)  # noqa: E731
        self.windows = Windows(self.panel, editor, self._desktop, use)
        self._build()
        self.connect("destroy", lambda _: self._end())
        self.connect("key-press-event", lambda _, event: self._pressed(event))
        self.show_all()
        self.draw(self.panel.state)
        self._words.focus()
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

    def _build(self) -> None:
        self._status = StatusPart(self.panel, self._editor, self._take, self.windows.settings)
        self._words = WordsPart(self.panel, self.windows, self._apply)
        self._controls = ControlsPart(self.panel)
        self._work = WorkPart(self.panel, self._take, self._apply)
        self._results = ResultsPart(self.panel)
        self._parts = (self._status, self._words, self._controls, self._work, self._results)
        inside = ui.column(self._status, self._words, self._controls, self._work.notes, self._results)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(inside)
        whole = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        whole.pack_start(scrolled, True, True, 0)
        for part in (Gtk.Separator(), self._results.shown, self._work):
            whole.pack_start(part, False, False, 0)
        for part in (inside, self._results.shown, self._work):
            part.set_border_width(EDGE)
        self.add(whole)

    def draw(self, state: PanelState) -> None:
        before, self._drawn = self._drawn, state
        for part in self._parts:
            part.draw(state, before)
        self._desktop.redraw()

    # What people do that needs more than the panel.

    def _apply(self, new: bool = False) -> None:
        """Then no field has the keyboard: what is typed is meant for the picture. While Apply isn't
        possible it stays where the reason can be mended."""
        possible = not self.panel.state.cannot_apply
        (self.panel.apply_new if new else self.panel.apply)()
        if possible or new:
            self.set_focus(None)

    def _take(self, offer: str) -> None:
        if offer == TOKEN:
            self._ask_token()
        else:
            self.windows.take(offer)

    def _ask_token(self) -> None:
        token = ui.asked_for_text(self, say("server-title"), f"{say('token')}: {say('token-hint')}")
        if token:
            self._say(self.panel.backend.give_token(token))

    def _say(self, reason: str) -> None:
        if reason:
            self.panel.refuse(reason)

    # Its life.

    def _tick(self) -> bool:
        self.panel.tick()
        state = self.panel.state
        self._status.draw_documents(state)
        self._work.draw_fraction(state)
        self._desktop.pulse()
        return GLib.SOURCE_CONTINUE

    def _do(self, what: str) -> None:
        """A menu item of this name, for the picture that the panel has turned to."""
        operation = BY_NAME[PREFIX + what].operation
        if operation:
            self.panel.draft.choose_operation(operation)
            self._words.focus()
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
            self._apply()
            return True
        if control and event.keyval == Gdk.KEY_w:
            self.destroy()
            return True
        if alt and event.keyval in DIGITS:
            self._words.choose(DIGITS.index(event.keyval))
            return True
        if alt and event.keyval in ARROWS:
            self._words.focus_field(ARROWS.index(event.keyval))
            return True
        if event.keyval == Gdk.KEY_Escape:
            return self._leave()
        return False

    def _leave(self) -> bool:
        """The job under way, else the result that is looked at; False: there is neither."""
        if self.panel.state.progress is not None:
            self.panel.cancel()
        elif self.panel.gallery.looking:
            self.panel.gallery.discard()
        else:
            return False
        return True

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
