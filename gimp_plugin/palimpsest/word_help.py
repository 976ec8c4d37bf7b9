# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""Help while a sentence is written: what completes a word, and what is said of a marked one."""

from __future__ import annotations

from collections.abc import Callable, Collection

from _client.completion import COMPLETE, DOWN, LEAVE, TAKE, UP, Choosing, Completion, Taken
from _client.habits import Notice, said_at
from _client.wording import say
from gi.repository import Gdk, GLib, Gtk

KEYS = {
    Gdk.KEY_Down: DOWN,
    Gdk.KEY_Up: UP,
    Gdk.KEY_Return: TAKE,
    Gdk.KEY_KP_Enter: TAKE,
    Gdk.KEY_Tab: COMPLETE,
    Gdk.KEY_Escape: LEAVE,
}


class Completing(Gtk.Popover):
    """Candidates under the cursor, while the keyboard stays in the field: Tab takes the first, Down and Up
    choose another, Return and Tab take what is chosen, Escape leaves. Else keys mean what they always do."""

    def __init__(self, view: Gtk.TextView, find: Callable[[str, int], Completion | None]) -> None:
        super().__init__(relative_to=view, modal=False, position=Gtk.PositionType.BOTTOM)
        self._view, self._buffer, self._choosing = view, view.get_buffer(), Choosing(find)
        self._list = Gtk.ListBox(can_focus=False, activate_on_single_click=True)
        self._list.get_accessible().set_name(say("completions"))
        self._list.connect("row-activated", lambda _, row: self._write(self._choosing.take(row.get_index())))
        self.add(self._list)
        view.connect("realize", lambda _: self._listen(view.get_toplevel()))
        view.connect("focus-out-event", lambda *_: self._leave())
        self._buffer.connect("end-user-action", lambda _: GLib.idle_add(self._look))
        self._buffer.connect("notify::cursor-position", lambda *_: self._moved())

    def _listen(self, window: Gtk.Window) -> None:
        """Before the window's own keys and the field's."""
        window.connect("event", lambda _, event: self._happened(event))

    def _happened(self, event: Gdk.Event) -> bool:
        """True: nobody else gets to see it."""
        if event.type != Gdk.EventType.KEY_PRESS or not self._view.has_focus():
            return False
        alone = not event.state & (Gdk.ModifierType.CONTROL_MASK | Gdk.ModifierType.MOD1_MASK)
        used, taken = self._choosing.press(KEYS.get(event.keyval, "") if alone else "")
        self._write(taken)
        if self._choosing.found is None:
            self.hide()
        else:
            self._mark()
        return used

    def _mark(self) -> None:
        """The one that is chosen."""
        chosen = self._choosing.chosen
        self._list.select_row(None if chosen < 0 else self._list.get_row_at_index(chosen))

    def _write(self, taken: Taken | None) -> None:
        if taken is not None:
            self._leave()
            start, stop = (self._buffer.get_iter_at_offset(at) for at in (taken.start, taken.stop))
            self._buffer.delete(start, stop)
            self._buffer.insert(start, taken.text)
            self._buffer.place_cursor(start)
            self._view.grab_focus()

    def _leave(self) -> None:
        self._choosing.leave()
        self.hide()

    def _moved(self) -> None:
        """With the arrows or the pointer: what was found is of another place."""
        if self._choosing.found is not None:
            GLib.idle_add(self._look)

    def _look(self) -> bool:
        text = self._buffer.get_text(*self._buffer.get_bounds(), False)
        self._choosing.look(text, self._buffer.get_property("cursor-position"))
        for row in self._list.get_children():
            self._list.remove(row)
        found = self._choosing.found
        if found is None or not self._view.has_focus():
            self._leave()
            return GLib.SOURCE_REMOVE
        for candidate in found.candidates:
            self._list.add(Gtk.Label(label=candidate, xalign=0.0, margin_start=6, margin_end=6))
        self._list.show_all()
        self._mark()
        self.set_pointing_to(self._under(self._buffer.get_iter_at_offset(found.start)))
        self.show()
        return GLib.SOURCE_REMOVE

    def _under(self, place: Gtk.TextIter) -> Gdk.Rectangle:
        found = self._view.get_iter_location(place)
        window = Gtk.TextWindowType.WIDGET
        found.x, found.y = self._view.buffer_to_window_coords(window, found.x, found.y)
        found.width = max(found.width, 1)
        return found


def show_hints(view: Gtk.TextView, notices: Callable[[], Collection[Notice]]) -> None:
    """What is said of a marked word, where the pointer rests on it."""

    def asked(_: Gtk.Widget, x: int, y: int, keyboard: bool, tip: Gtk.Tooltip) -> bool:
        at = view.window_to_buffer_coords(Gtk.TextWindowType.WIDGET, x, y)
        inside, place = view.get_iter_at_location(*at)
        said = said_at(notices(), place.get_offset()) if inside and not keyboard else ""
        tip.set_text(said)
        return bool(said)

    view.set_has_tooltip(True)
    view.connect("query-tooltip", asked)
