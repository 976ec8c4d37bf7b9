"""The panel in Krita's column: its parts, one under the other, which draw every state of the panel."""

from __future__ import annotations

from typing import Optional

from krita import DockWidget

from ._client.panel_state import PanelState
from .controls_part import ControlsPart
from .desk import desk
from .keyboard import to_canvas
from .layout import MARGIN, column, scrolled
from .qt import Qt, QWidget
from .results_part import ResultsPart
from .status_part import StatusPart
from .words_part import WordsPart
from .work_part import WorkPart


class PalimpsestDocker(DockWidget):
    """Krita makes one for each window; all show the same panel."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Palimpsest")
        self._desk = desk()
        panel = self._desk.panel
        self._state: Optional[PanelState] = None
        self.status, self.words, self.controls = StatusPart(panel), WordsPart(panel), ControlsPart(panel)
        self.work = WorkPart(panel)
        self.results = ResultsPart(panel, lambda result: self.scroll.ensureWidgetVisible(result, 0, MARGIN))
        self._parts = (self.status, self.words, self.controls, self.results, self.work)
        inside = QWidget()
        within = column(inside, self.status, self.words, self.controls, self.work.notes, self.results)
        within.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        within.addStretch(1)
        self.scroll = scrolled(inside)
        whole = QWidget()
        column(whole, self.scroll, self.results.shown, self.work).setStretch(0, 1)
        self.work.layout().setContentsMargins(MARGIN, 0, MARGIN, MARGIN)
        self.setWidget(whole)
        self.focus_words, self.insert_concept = self.words.focus_words, self.words.insert_concept
        self._desk.add(self)

    def canvasChanged(self, canvas) -> None:  # noqa: N802
        """Krita calls it when another view is active; the panel looks by itself."""

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self._desk.open()

    def keyPressEvent(self, event) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Escape:
            to_canvas()
        else:
            super().keyPressEvent(event)

    def show_state(self, state: PanelState) -> None:
        before, self._state = self._state, state
        for part in self._parts:
            part.draw(state, before)
