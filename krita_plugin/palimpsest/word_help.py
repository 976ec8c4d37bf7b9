"""Help while a sentence is written: what completes a word, and what is said of a marked one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Optional

from . import qt
from ._client.completion import COMPLETE, DOWN, LEAVE, TAKE, UP, Choosing, Completion, Taken
from ._client.habits import Notice, said_at
from ._client.wording import say
from .qt import Qt

MARGIN = 6  # px beside the candidates
KEYS = {
    Qt.Key.Key_Down: DOWN,
    Qt.Key.Key_Up: UP,
    Qt.Key.Key_Return: TAKE,
    Qt.Key.Key_Enter: TAKE,
    Qt.Key.Key_Tab: COMPLETE,
    Qt.Key.Key_Escape: LEAVE,
}


class Completing(qt.QListWidget):
    """Candidates under the cursor, while the keyboard stays in the field: Tab takes the first, Down and Up
    choose another, Return and Tab take what is chosen, Escape leaves. Else keys mean what they always do."""

    def __init__(self, field: qt.QPlainTextEdit, find: Callable[[str, int], Optional[Completion]]) -> None:
        super().__init__(field)
        self.setWindowFlags(Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(say("completions"))
        self.setFrameShape(qt.QFrame.Shape.Box)  # or nothing parts it from the panel
        self._field, self._choosing = field, Choosing(find)
        self._looked_at = ("", 0)
        self.hide()
        field.installEventFilter(self)
        field.textChanged.connect(lambda: self._look() if field.hasFocus() else None)
        field.cursorPositionChanged.connect(self._moved)
        self.itemClicked.connect(lambda item: self._write(self._choosing.take(self.row(item))))

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:  # noqa: N802
        """Of the field. True: the field doesn't get to see it."""
        if event.type() in (qt.QEvent.Type.FocusOut, qt.QEvent.Type.Hide):
            self._choosing.leave()
            self.hide()
        if event.type() == qt.QEvent.Type.ShortcutOverride and self.isVisible():
            event.accept()  # the editor's own shortcuts wait
        if event.type() != qt.QEvent.Type.KeyPress or not self.isVisible():
            return False
        used, taken = self._choosing.press(KEYS.get(event.key(), ""))
        self._write(taken)
        self.setCurrentRow(self._choosing.chosen)
        self.setVisible(self._choosing.found is not None)
        return used

    def _write(self, taken: Optional[Taken]) -> None:
        if taken is not None:
            cursor = self._field.textCursor()
            cursor.setPosition(taken.start)
            cursor.setPosition(taken.stop, qt.QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(taken.text)
            self._field.setTextCursor(cursor)
            self._choosing.leave()
            self.hide()

    def _moved(self) -> None:
        """With the arrows or the pointer: what was found is of another place."""
        if self.isVisible() and self._place() != self._looked_at:
            self._look()

    def _place(self) -> tuple:
        return self._field.toPlainText(), self._field.textCursor().position()

    def _look(self) -> None:
        self._looked_at = self._place()
        found = self._choosing.look(*self._looked_at)
        self.clear()
        if found and self._choosing.found is not None:
            self.addItems(list(self._choosing.found.candidates))
            self.setCurrentRow(self._choosing.chosen)
            width = self.sizeHintForColumn(0) + 2 * self.frameWidth() + MARGIN
            self.resize(width, self.count() * self.sizeHintForRow(0) + 2 * self.frameWidth())
            place = self._field.cursorRect().bottomLeft() + qt.QPoint(0, 2)
            self.move(self._field.viewport().mapToGlobal(place))
        self.setVisible(found)


class Hints(qt.QObject):
    """What is said of a marked word, where the pointer rests on it; elsewhere the field's own tip."""

    def __init__(self, field: qt.QPlainTextEdit, notices: Callable[[], Collection[Notice]]) -> None:
        super().__init__(field)
        self._field, self._notices = field, notices
        field.viewport().installEventFilter(self)

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:  # noqa: N802
        if event.type() != qt.QEvent.Type.ToolTip:
            return False
        said = said_at(self._notices(), self._field.cursorForPosition(event.pos()).position())
        if said:
            qt.QToolTip.showText(event.globalPos(), said, self._field)
        return bool(said)
