"""Draws what a window is described as, with Qt's widgets."""

from __future__ import annotations

from typing import Any, ClassVar

from . import qt
from ._client.views.drawing import Drawing
from ._client.views.view import Box, Part, Scroll, Sentence, Tabs, Tile
from .boxes import BOXES
from .fields import SentenceDrawer
from .inputs import FIELDS
from .layout import Themed
from .operations import TabsDrawer
from .parts import PARTS
from .sights import SIGHTS
from .widgets import stack

OWN: dict = {Sentence: SentenceDrawer, Tabs: TabsDrawer}


class View(Themed, Drawing, qt.QWidget):
    kinds: ClassVar[dict] = {**BOXES, **PARTS, **FIELDS, **SIGHTS, **OWN}

    def __init__(self, session: Any, desktop: Any) -> None:
        qt.QWidget.__init__(self)
        Drawing.__init__(self, session, desktop)

    @property
    def gone(self) -> bool:
        return qt.isdeleted(self)

    def hold(self, drawer: Any) -> None:
        stack(self, [drawer.outer], high=True)
        drawer.show(True)

    def adopt(self, drawer: Any) -> None:
        """At once, so that Tab comes to the widgets in the order of the parts."""
        drawer.outer.setParent(self)

    def recolor(self) -> None:
        qt.QTimer.singleShot(0, self._refill)  # its widgets get the colours after it

    def _refill(self) -> None:
        for drawer in self.drawers(Part):
            if not isinstance(drawer.part, Box) and not self.gone:
                drawer.put(drawer.part)

    def reveal(self) -> None:
        """The result that is looked at, scrolled into sight, unless the window was closed meanwhile."""
        for tile in [drawer.widget for drawer in self.drawers(Tile) if drawer.part.on and not self.gone]:
            for scroll in self.drawers(Scroll):
                scroll.reveal(tile)
