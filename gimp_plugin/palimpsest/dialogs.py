"""The windows beside the panel's, all of one kind, and what else people are asked."""

from __future__ import annotations

from collections.abc import Sequence

import gi
import process
import widgets as ui
from _client.http.session import Session
from _client.text.wording import say
from _client.views import window
from gi.repository import Gdk, Gtk
from view import View

EDGE = 10  # px


class Dialog(Gtk.Window):
    """Escape and Control and W close it."""

    def __init__(self, told: window.Dialog, parent: Gtk.Window, session: Session, desktop: Desktop) -> None:
        super().__init__(title=told.title, transient_for=parent)
        self.content = told
        self.set_default_size(*told.size)
        self.view = View(session, desktop)
        self.view.set_border_width(EDGE)
        self.add(self.view)
        self.connect("destroy", lambda _: told.closed())
        self.connect("key-press-event", lambda _, event: self._pressed(*ui.pressed(event)))
        self.view.show()
        told.opened(self.view.draw, self.destroy)
        default = self.view.default()
        if default is not None:
            default.set_can_default(True)
            self.set_default(default)
        self.show()

    def _pressed(self, key: str, control: bool, _: bool) -> bool:
        closes = key == "escape" or (control and key == "w")
        if closes:
            self.destroy()
        return closes


class Desktop(window.Desktop):
    """Of the panel's window."""

    def __init__(self, parent: Gtk.Window, session: Session) -> None:
        self._parent, self._session = parent, session
        self._open: dict[type, Dialog] = {}

    def ask(self, title: str, prompt: str, value: str = "") -> str | None:
        box, entry = self._question(prompt), Gtk.Entry(text=value, activates_default=True, visible=True)
        box.set_title(title)
        box.set_default_response(Gtk.ResponseType.OK)
        box.get_message_area().add(entry)
        answer, text = box.run(), entry.get_text()
        box.destroy()
        return text.strip() if answer == Gtk.ResponseType.OK else None

    def confirm(self, title: str, question: str) -> bool:
        box = self._question(question)
        box.set_default_response(Gtk.ResponseType.CANCEL)
        answer = box.run()
        box.destroy()
        return answer == Gtk.ResponseType.OK

    def _question(self, text: str) -> Gtk.MessageDialog:
        buttons = Gtk.ButtonsType.OK_CANCEL
        return Gtk.MessageDialog(transient_for=self._front, modal=True, buttons=buttons, text=text)

    def files(self, title: str, kinds: Sequence[str]) -> Sequence[str]:
        way = Gtk.FileChooserAction.OPEN
        chooser = Gtk.FileChooserNative.new(say("pictures"), self._front, way, say("add-files"), None)
        chooser.set_select_multiple(True)
        found = chooser.get_filenames() if chooser.run() == Gtk.ResponseType.ACCEPT else []
        chooser.destroy()
        return found

    def copy(self, text: str) -> None:
        Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(text, -1)

    def leave_fields(self) -> None:
        self._parent.set_focus(None)
        screen = self._parent.get_display()
        number = process.window_in_front() if screen.__gtype__.name == "GdkX11Display" else None
        if number is not None:
            gi.require_version("GdkX11", "3.0")
            from gi.repository import GdkX11  # other systems have none

            window = GdkX11.X11Window.foreign_new_for_display(screen, number)
            if window is not None:
                window.focus(Gtk.get_current_event_time())

    def open(self, told: window.Dialog) -> None:
        kind = type(told)
        if kind not in self._open:
            self._open[kind] = Dialog(told, self._parent, self._session, self)
            self._open[kind].connect("destroy", lambda _: self._open.pop(kind))
        self._open[kind].present()

    def redraw(self) -> None:
        for dialog in list(self._open.values()):
            dialog.content.redraw()

    def pulse(self) -> None:
        for dialog in self._open.values():
            dialog.view.pulse()

    @property
    def _front(self) -> Gtk.Window:
        """The one that people look at."""
        return next((dialog for dialog in self._open.values() if dialog.is_active()), self._parent)
