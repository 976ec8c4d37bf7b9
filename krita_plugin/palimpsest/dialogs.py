"""The windows beside the panel, all of one kind, and what else people are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from krita import Krita

from . import qt
from ._client.http.session import Session
from ._client.text.wording import say
from ._client.views import window
from .view import View

CANVASES = ("KisOpenGLCanvas2", "KisQPainterCanvas")  # Krita's own names for what it paints on


class Dialog(qt.QDialog):
    """It may stay open while people work, and doesn't keep Krita from quitting."""

    def __init__(self, told: window.Dialog, session: Session, desktop: Desktop) -> None:
        super().__init__(windowTitle=told.title, minimumWidth=told.size[0])
        self.content = told
        self.setWindowFlag(qt.Qt.WindowType.WindowStaysOnTopHint, told.floats)
        self.setAttribute(qt.Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.resize(*told.size)
        self.view = View(session, desktop)
        qt.QVBoxLayout(self).addWidget(self.view)
        told.opened(self.view.draw, self.close)

    def done(self, result: int) -> None:
        """Escape too."""
        self.content.closed()
        super().done(result)


class Desktop(window.Desktop):
    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict = {}  # kind → its dialog; kept, or Qt takes it away at once

    def ask(self, title: str, prompt: str, value: str = "") -> Optional[str]:
        text, meant = qt.QInputDialog.getText(qt.QApplication.activeWindow(), title, prompt, text=value)
        return text if meant else None

    def confirm(self, title: str, question: str) -> bool:
        yes, no = qt.QMessageBox.StandardButton.Yes, qt.QMessageBox.StandardButton.No
        return qt.QMessageBox.question(qt.QApplication.activeWindow(), title, question, yes | no, no) == yes

    def files(self, title: str, kinds: Sequence[str]) -> Sequence[str]:
        told = f"{say('pictures')} ({' '.join(kinds)})"
        return qt.QFileDialog.getOpenFileNames(qt.QApplication.activeWindow(), title, "", told)[0]

    def copy(self, text: str) -> None:
        qt.QApplication.clipboard().setText(text)

    def leave_fields(self) -> None:
        """To the canvas: Ctrl+Z and the tools' keys go there. Does nothing where no picture is open."""
        window = Krita.instance().activeWindow()
        main = None if window is None else window.qwindow()
        pictures = None if main is None else main.findChild(qt.QMdiArea)
        picture = None if pictures is None else pictures.activeSubWindow()
        for widget in [] if picture is None else picture.findChildren(qt.QWidget):
            if widget.metaObject().className() in CANVASES:
                main.activateWindow()
                widget.setFocus()

    def choose(self, title: str, prompt: str, options: Sequence[str]) -> Optional[str]:
        parent = qt.QApplication.activeWindow()
        text, meant = qt.QInputDialog.getItem(parent, title, prompt, options, 0, False)
        return text if meant else None

    def open(self, told: window.Dialog) -> None:
        kind = type(told)
        if kind not in self._open or not self._open[kind].isVisible():
            self._open[kind] = Dialog(told, self._session, self)
        self._open[kind].show()
        self._open[kind].raise_()

    def redraw(self) -> None:
        for dialog in list(self._open.values()):
            dialog.content.redraw()
