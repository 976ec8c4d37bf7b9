"""The picture as it forms, and what was made."""

from __future__ import annotations

from typing import Optional

from ._client.library import Result
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.wording import say
from .layout import Flow, Thumbnails, column, label, picture, tile
from .qt import Qt, QWidget

RESULT, PREVIEW = 44, 160  # px


class ResultsPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._state: Optional[PanelState] = None
        self._thumbnails = Thumbnails(panel.session, RESULT, self._draw_results)
        self.preview = label()
        self.preview.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.preview.setAccessibleName(say("preview"))
        self.results = Flow(say("results"))
        self.no_results = label(say("no-results"), wrap=True, muted=True)
        column(self, self.preview, label(say("results")), self.results, self.no_results)

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        self._state = state
        if before is None or state.preview != before.preview:
            pixmap = picture(state.preview, PREVIEW)
            self.preview.setPixmap(pixmap)
            self.preview.setVisible(not pixmap.isNull())
        if before is None or state.results != before.results:
            self._draw_results()
            self.results.setVisible(bool(state.results))
            self.no_results.setVisible(not state.results)

    def _draw_results(self) -> None:
        if self._state is not None:
            self.results.refill([self._result(result) for result in self._state.results])

    def _result(self, result: Result):
        tip = say("tip-result", name=result.name, width=result.bounds.width, height=result.bounds.height)
        made = tile(result.name, self._thumbnails.of(result.thumbnail), tip)
        made.clicked.connect(lambda: self._panel.reapply(result))
        return made
