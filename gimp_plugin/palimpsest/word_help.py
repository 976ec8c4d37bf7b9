"""Help while a sentence is written: what completes a word, and what is said of a marked one."""

from __future__ import annotations

from collections.abc import Callable, Collection

import widgets as ui
from _client.panel.completion import Completer, Completion, Taken
from _client.text.habits import Notice, notice_at
from _client.text.wording import say
from gi.repository import Gdk, GLib, Gtk


class Completing(Completer, Gtk.Popover):
    """Candidates under the word."""

    def __init__(self, view: Gtk.TextView, find: Callable[[str, int], Completion | None]) -> None:
        Gtk.Popover.__init__(self, relative_to=view, modal=False, position=Gtk.PositionType.BOTTOM)
        Completer.__init__(self, find)
        self._view, self._buffer = view, view.get_buffer()
        self._list = Gtk.ListBox(can_focus=False, activate_on_single_click=True)
        self._list.get_accessible().set_name(say("completions"))
        self._list.connect("row-activated", lambda _, row: self.clicked(row.get_index()))
        self.add(self._list)
        view.connect("realize", lambda _: view.get_toplevel().connect("event", self._happened))
        view.connect("focus-out-event", lambda *_: self.leave())
        self._buffer.connect("end-user-action", lambda _: GLib.idle_add(self.look))
        self._buffer.connect("notify::cursor-position", lambda *_: self.unfolded and GLib.idle_add(self.look))

    def _happened(self, _: Gtk.Window, event: Gdk.Event) -> bool:
        """Before the window's own keys and the field's. True: nobody else gets to see it."""
        if event.type != Gdk.EventType.KEY_PRESS or not self._view.has_focus():
            return False
        key, control, alt = ui.pressed(event)
        return self.pressed("" if control or alt else key)

    def written(self) -> tuple[str, int] | None:
        if not self._view.has_focus():
            return None
        text = self._buffer.get_text(*self._buffer.get_bounds(), False)
        return text, self._buffer.get_property("cursor-position")

    def unfold(self, found: Completion) -> None:
        ui.clear(self._list)
        for candidate in found.candidates:
            self._list.add(Gtk.Label(label=candidate, xalign=0.0, margin_start=6, margin_end=6))
        self._list.show_all()
        place = self._view.get_iter_location(self._buffer.get_iter_at_offset(found.start))
        where = Gtk.TextWindowType.WIDGET
        place.x, place.y = self._view.buffer_to_window_coords(where, place.x, place.y)
        place.width = max(place.width, 1)
        self.set_pointing_to(place)
        self.show()

    def mark(self, place: int) -> None:
        self._list.select_row(None if place < 0 else self._list.get_row_at_index(place))

    def fold(self) -> None:
        self.hide()

    def write(self, taken: Taken) -> None:
        start, stop = (self._buffer.get_iter_at_offset(at) for at in (taken.start, taken.stop))
        self._buffer.delete(start, stop)
        self._buffer.insert(start, taken.text)
        self._buffer.place_cursor(start)
        self._view.grab_focus()


def show_hints(view: Gtk.TextView, notices: Callable[[], Collection[Notice]]) -> None:
    """What is said of a marked word, where the pointer rests on it."""

    def asked(_: Gtk.Widget, x: int, y: int, keyboard: bool, tip: Gtk.Tooltip) -> bool:
        at = view.window_to_buffer_coords(Gtk.TextWindowType.WIDGET, x, y)
        inside, place = view.get_iter_at_location(*at)
        said = notice_at(notices(), place.get_offset()) if inside and not keyboard else ""
        tip.set_text(said)
        return bool(said)

    view.set_has_tooltip(True)
    view.connect("query-tooltip", asked)
