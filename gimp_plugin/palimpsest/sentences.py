# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""How a sentence is drawn: the field, its marks, and what helps while it is written."""

from __future__ import annotations

from typing import Any

import widgets as ui
from _client.view import Sentence
from parts import Drawer
from word_help import Completing, show_hints


class SentenceDrawer(Drawer):
    typed = True

    def __init__(self, view: Any, part: Sentence) -> None:
        corner = None if part.corner is None else view.drawn(part.corner).outer
        self.field = ui.Field(lambda text: self.part.write(text), lambda: self.part.enter(), corner)
        super().__init__(view, part, self.field.view, self.field)
        Completing(self.widget, lambda text, at: self.part.complete(text, at))
        show_hints(self.widget, lambda: self.part.notices())

    def put(self, part: Sentence) -> None:
        if part.corner is not None:
            self.view.drawn(part.corner)
        self.field.show_text(part.text, part.example)
        self.field.mark(part.changed, part.unknown, part.doubtful)
