"""How a sentence is drawn: the field, its marks, and what helps while it is written."""

from __future__ import annotations

import widgets as ui
from _client.views.view import Sentence
from gi.repository import Gtk
from parts import Drawer
from word_help import Completing, show_hints


class SentenceDrawer(Drawer):
    typed = True

    def make(self, part: Sentence) -> Gtk.Widget:
        corner = None if part.corner is None else self.view.drawn(part.corner).outer
        self.field = ui.Field(lambda text: self.part.write(text), lambda: self.part.enter(), corner)
        Completing(self.field.view, lambda text, at: self.part.complete(text, at))
        show_hints(self.field.view, lambda: self.part.notices())
        return self.field.view

    def around(self, part: Sentence) -> Gtk.Widget:
        return self.field

    def put(self, part: Sentence) -> None:
        if part.corner is not None:
            self.view.drawn(part.corner)
        self.field.show_text(part.text, part.example)
        self.field.mark(part.changed, part.unknown, part.doubtful)
