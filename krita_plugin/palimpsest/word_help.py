"""Help while a sentence is written: what completes a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from . import qt
from ._client.completion import Completer, Completion, Taken
from ._client.wording import say
from .layout import key_of

MARGIN = 6  # px beside the candidates


class Completing(Completer, qt.QListWidget):
    """Candidates under the cursor."""

    def __init__(self, field: qt.QPlainTextEdit, find: Callable[[str, int], Optional[Completion]]) -> None:
        framed = qt.QFrame.Shape.Box  # or nothing parts it from the panel
        qt.QListWidget.__init__(self, field, frameShape=framed, accessibleName=say("completions"))
        Completer.__init__(self, find)
        self.setWindowFlags(qt.Qt.WindowType.ToolTip)
        self.setAttribute(qt.Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(qt.Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(qt.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._field = field
        self._looked_at: object = None
        self.hide()
        field.installEventFilter(self)
        field.textChanged.connect(lambda: self.look() if field.hasFocus() else None)
        field.cursorPositionChanged.connect(self._moved)
        self.itemClicked.connect(lambda item: self.clicked(self.row(item)))

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:  # noqa: N802
        """Of the field. True: the field doesn't get to see it."""
        if event.type() in (qt.QEvent.Type.FocusOut, qt.QEvent.Type.Hide):
            self.leave()
        if event.type() == qt.QEvent.Type.ShortcutOverride and self.isVisible():
            event.accept()  # the editor's own shortcuts wait
        pressed = event.type() == qt.QEvent.Type.KeyPress and self.isVisible()
        return pressed and self.pressed(key_of(event))

    def _moved(self) -> None:
        """With the arrows or the pointer: what was found is of another place."""
        if self.isVisible() and self.written() != self._looked_at:
            self.look()

    def written(self) -> tuple:
        return self._field.toPlainText(), self._field.textCursor().position()

    def unfold(self, found: Completion) -> None:
        self._looked_at = self.written()
        self.clear()
        self.addItems(list(found.candidates))
        width = self.sizeHintForColumn(0) + 2 * self.frameWidth() + MARGIN
        self.resize(width, self.count() * self.sizeHintForRow(0) + 2 * self.frameWidth())
        place = self._field.cursorRect().bottomLeft() + qt.QPoint(0, 2)
        self.move(self._field.viewport().mapToGlobal(place))
        self.show()

    def mark(self, place: int) -> None:
        self.setCurrentRow(place)

    def fold(self) -> None:
        self.hide()

    def write(self, taken: Taken) -> None:
        cursor = self._field.textCursor()
        cursor.setPosition(taken.start)
        cursor.setPosition(taken.stop, qt.QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(taken.text)
        self._field.setTextCursor(cursor)
        self.leave()
