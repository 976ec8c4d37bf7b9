"""Draws what a window is described as: a widget for each part, and of the next description what differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import qt
from ._client.view import Box, Part, Picture, Scroll, Sentence, Tabs, Tile, is_shown
from .boxes import BOXES
from .fields import SentenceDrawer
from .inputs import FIELDS
from .operations import TabsDrawer
from .parts import PARTS, named
from .sights import SIGHTS, Thumbnails
from .widgets import stack

KINDS: dict = {**BOXES, **PARTS, **FIELDS, **SIGHTS, Sentence: SentenceDrawer, Tabs: TabsDrawer}


class View(qt.QWidget):
    """``view["apply"]`` is the widget of the part with this key."""

    def __init__(self, session: Any, desktop: Any) -> None:
        super().__init__()
        self.desktop = desktop
        self.thumbnails = Thumbnails(session, self._came)
        self._drawers: dict = {}
        self._seen: set = set()

    def __getitem__(self, key: str) -> Any:
        return self._drawers[key].widget

    def drawer(self, key: str) -> Any:
        return self._drawers[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._drawers)

    def draw(self, part: Part) -> None:
        """The same part each time, whatever is in it."""
        first, self._seen = not self._drawers, set()
        drawer = self.drawn(part)
        if first:
            stack(self, [drawer.outer], high=True)
            drawer.show(True)
        for key in [key for key in self._drawers if key not in self._seen]:
            self._drawers.pop(key).drop()

    def drawn(self, part: Part) -> Any:
        """Its drawer; the widget is as the part says."""
        self._seen.add(part.key)
        drawer = self._drawers.get(part.key)
        if drawer is not None and type(drawer.part) is not type(part):
            drawer.drop()
            drawer = None
        before = None if drawer is None else drawer.part
        if drawer is None:
            drawer = self._drawers[part.key] = KINDS[type(part)](self, part)
            drawer.outer.setParent(self)  # now, so that Tab comes to it in this order
        drawer.part = part
        if part != before or drawer.typed or isinstance(part, Box):
            drawer.put(part)
        if part != before:
            named(drawer.widget, part)
        if before is None or is_shown(part) != is_shown(before):
            drawer.show(is_shown(part))
        return drawer

    def reveal(self) -> None:
        """The result that is looked at, scrolled into sight."""
        drawers = list(self._drawers.values())
        for tile in (drawer for drawer in drawers if isinstance(drawer.part, Tile) and drawer.part.on):
            for scroll in (drawer for drawer in drawers if isinstance(drawer.part, Scroll)):
                scroll.reveal(tile.widget)

    def _came(self) -> None:
        for drawer in [] if qt.isdeleted(self) else list(self._drawers.values()):
            if isinstance(drawer.part, (Picture, Tile)):
                drawer.put(drawer.part)
