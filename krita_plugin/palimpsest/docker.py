"""The panel in Krita's column."""

from __future__ import annotations

from krita import DockWidget

from . import qt
from ._client.panel.state import PanelState
from ._client.views.panel_view import PanelView
from .shared_panel import shared_panel
from .view import View


class PalimpsestDocker(DockWidget):
    """Krita makes one for each window; all show the same panel."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Palimpsest")
        shared = self._shared = shared_panel()
        self._panel = self._shared.panel
        self.panel_view = PanelView(self._panel, shared.windows, shared.desktop, self.insert_concept)
        self.panel_view.controls.redraw = lambda: self.show_state(self._panel.state)
        self.panel_view.words.focus = lambda key: self.view[key].setFocus()
        self.panel_view.words.choose = lambda key, word: self.view[key].choose(word)
        self.view = View(self._panel.session, self._shared.desktop)
        self.setWidget(self.view)
        self._shared.add(self)

    def canvasChanged(self, canvas: object) -> None:  # noqa: N802
        """Krita calls it when another view is active; the panel looks by itself."""

    def showEvent(self, event: qt.QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self._shared.open()

    def hideEvent(self, event: qt.QHideEvent) -> None:  # noqa: N802
        super().hideEvent(event)
        self._panel.gallery.discard()

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:  # noqa: N802
        if event.key() == qt.Qt.Key.Key_Escape:
            self._shared.desktop.leave_fields()
        else:
            super().keyPressEvent(event)

    def show_state(self, state: PanelState) -> None:
        self.view.draw(self.panel_view.describe())

    def insert_concept(self, name: str) -> None:
        """Where the cursor is, in the place of what is chosen there."""
        field = self.view["second"]
        cursor = field.textCursor()
        if field.isVisible():
            cursor.removeSelectedText()
            self._panel.draft.insert_concept(name, field.place(cursor))
            field.setFocus()
