# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""Draws what a window is described as: a widget for each part, and of the next description what differs."""

from __future__ import annotations

from typing import Any

from _client.session import Session
from _client.view import Bar, Box, Button, Part, Picture, Sentence, Tile, is_shown
from boxes import BOXES
from gi.repository import GLib, Gtk
from inputs import FIELDS
from parts import PARTS, named
from sentences import SentenceDrawer
from sights import SIGHTS, sight

KINDS: dict[type, Any] = {**BOXES, **PARTS, **FIELDS, **SIGHTS, Sentence: SentenceDrawer}


class View(Gtk.Box):
    """``view["apply"]`` is the widget of the part with this key."""

    def __init__(self, session: Session, desktop: Any) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL)
        self.desktop = desktop
        self._session = session
        self._drawers: dict[str, Any] = {}
        self._seen: set[str] = set()
        self._sights: dict[tuple, Any] = {}  # None while it is made
        self._gone = False
        self.connect("destroy", lambda _: setattr(self, "_gone", True))

    def __getitem__(self, key: str) -> Any:
        return self._drawers[key].widget

    def drawer(self, key: str) -> Any:
        return self._drawers[key]

    def draw(self, part: Part) -> None:
        """The same part each time, whatever is in it."""
        first, self._seen = not self._drawers, set()
        drawer = self.drawn(part)
        if first:
            self.pack_start(drawer.outer, True, True, 0)
        for key in [key for key in self._drawers if key not in self._seen]:
            self._drawers.pop(key).outer.destroy()
        pictures = {place_of(drawer.part) for drawer in self._chequered()}
        self._sights = {place: made for place, made in self._sights.items() if place in pictures}

    def drawn(self, part: Part) -> Any:
        """Its drawer; the widget is as the part says."""
        self._seen.add(part.key)
        drawer = self._drawers.get(part.key)
        if drawer is not None and type(drawer.part) is not type(part):
            drawer.outer.destroy()
            drawer = None
        before = None if drawer is None else drawer.part
        if drawer is None:
            drawer = self._drawers[part.key] = KINDS[type(part)](self, part)
        drawer.part = part
        if part != before or drawer.typed or isinstance(part, Box):
            drawer.put(part)
        if part != before:
            named(drawer.widget, part)
        if before is None or is_shown(part) != is_shown(before):
            drawer.show(is_shown(part))
        return drawer

    def reveal(self) -> bool:
        """The result that is looked at, scrolled into sight."""
        for tile in (d.widget for d in self._drawers.values() if isinstance(d.part, Tile) and d.part.on):
            around = tile.get_ancestor(Gtk.Viewport)
            reach, (_, top) = around.get_vadjustment(), tile.translate_coordinates(around, 0, 0)
            top += reach.get_value()
            reach.clamp_page(top, top + tile.get_allocated_height())
        return GLib.SOURCE_REMOVE

    def pulse(self) -> None:
        """Between two descriptions: what has no known end moves on."""
        for drawer in self._drawers.values():
            if isinstance(drawer.part, Bar) and drawer.part.shown and drawer.part.fraction is None:
                drawer.widget.pulse()

    def default(self) -> Gtk.Widget | None:
        """The button that Return presses in a line of text."""
        drawers = self._drawers.values()
        found = (d.widget for d in drawers if isinstance(d.part, Button) and d.part.default)
        return next(found, None)

    def sight(self, part: Picture) -> Any:
        """None until it is made, aside of the window's own thread."""
        key = place_of(part)
        if key not in self._sights:
            self._sights[key] = None
            self._session.aside(lambda: sight(*key), lambda made: self._came(key, made), lambda _: None)
        return self._sights[key]

    def _came(self, key: tuple, made: Any) -> None:
        if self._gone or key not in self._sights:
            return
        self._sights[key] = made
        for drawer in self._chequered():
            drawer.put(drawer.part)

    def _chequered(self) -> list[Any]:
        return [d for d in self._drawers.values() if isinstance(d.part, Picture) and d.part.chequered]


def place_of(part: Picture) -> tuple:
    """Of its sight among the others."""
    return part.content, part.mask, part.side
