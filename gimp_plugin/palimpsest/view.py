"""Draws what a window is described as, with GTK's widgets."""

from __future__ import annotations

from typing import Any, ClassVar

from _client.http.session import Session
from _client.views.drawing import Drawing
from _client.views.view import Sentence, Tile
from boxes import BOXES
from gi.repository import GLib, Gtk
from inputs import FIELDS
from parts import PARTS
from sentences import SentenceDrawer
from sights import SIGHTS


class View(Drawing, Gtk.Box):
    kinds: ClassVar[dict[type, Any]] = {**BOXES, **PARTS, **FIELDS, **SIGHTS, Sentence: SentenceDrawer}

    def __init__(self, session: Session, desktop: Any) -> None:
        Gtk.Box.__init__(self, orientation=Gtk.Orientation.VERTICAL)
        Drawing.__init__(self, session, desktop)
        self.connect("destroy", lambda _: setattr(self, "gone", True))

    def hold(self, drawer: Any) -> None:
        self.pack_start(drawer.outer, True, True, 0)

    def reveal(self) -> bool:
        """The result that is looked at, scrolled into sight."""
        for tile in (drawer.widget for drawer in self.drawers(Tile) if drawer.part.on):
            around = tile.get_ancestor(Gtk.Viewport)
            reach, (_, top) = around.get_vadjustment(), tile.translate_coordinates(around, 0, 0)
            top += reach.get_value()
            reach.clamp_page(top, top + tile.get_allocated_height())
        return GLib.SOURCE_REMOVE

    def pulse(self) -> None:
        """Between two descriptions: what has no known end moves on."""
        for bar in self.pulsing():
            bar.pulse()
