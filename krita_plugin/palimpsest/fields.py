"""A field for a sentence: its changed words are marked, and what completes a word is offered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Optional

from . import qt
from ._client.panel.completion import Completer, Completion, Taken
from ._client.text.habits import Notice, notice_at
from ._client.text.sentences import Word, from_utf16, in_utf16
from ._client.text.wording import say
from ._client.views.view import Sentence as SentencePart
from .layout import Entered, key_of
from .parts import Drawer

LEAST, MOST = 2, 6  # lines of a sentence
BESIDE = 6  # px beside the candidates
LINES = qt.QTextCharFormat.UnderlineStyle
STRANGE, DOUBTED = "#e05545", "#d08a1e"


class SentenceDrawer(Drawer):
    typed = True

    def make(self, part: SentencePart) -> qt.QWidget:
        made = Sentence(lambda text: self.part.write(text))
        made.entered = lambda: self.part.enter()
        if part.corner is not None:
            made.hold(self.view.drawn(part.corner).outer)
        self.completing = Completing(made, lambda text, at: self.part.complete(text, at))
        made.notices = lambda: self.part.notices()
        return made

    def put(self, part: SentencePart) -> None:
        if part.corner is not None:
            self.view.drawn(part.corner)
        self.widget.setPlaceholderText(part.example)
        self.widget.put(part.text)
        self.widget.mark(part.changed, part.unknown, part.doubtful)


class Sentence(Entered, qt.QPlainTextEdit):
    """As many lines as the words take. Tab leaves it. ``notices``: what is said of marked words."""

    notices: Callable[[], Collection[Notice]] = tuple

    def __init__(self, written: Callable[[str], None]) -> None:
        super().__init__(tabChangesFocus=True)
        self._button: Optional[qt.QToolButton] = None
        self.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Fixed)
        self._marks: tuple = (), (), ()
        self.textChanged.connect(lambda: written(self.toPlainText().replace("\n", " ")))
        self.textChanged.connect(self._put_marks)  # they go with the text, also where the same comes again
        self.textChanged.connect(qt.QToolTip.hideText)  # the button's would lie over what is written
        self.document().contentsChanged.connect(self._fit)
        self._fit()

    def hold(self, button: qt.QToolButton) -> None:
        """In its lower corner: with its name while nothing is written yet, then as its icon."""
        self._button = button
        button.setParent(self)
        self._fit()

    def resizeEvent(self, event: qt.QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        margins = self.contentsMargins()
        border = 2 * int(self.document().documentMargin()) + margins.top() + margins.bottom() + 2
        lines = max(LEAST, min(MOST, int(self.document().size().height())))
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + border)
        if self._button is not None:
            button, style, empty = self._button, qt.Qt.ToolButtonStyle, self.document().isEmpty()
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if empty else style.ToolButtonIconOnly)
            button.adjustSize()
            room = 0 if empty else button.width()
            self.setViewportMargins(0, 0, room, 0)
            right = self.viewport().geometry().right() + room  # beside the bar, where there is one
            button.move(right - button.width(), self.height() - button.height() - 2)

    def viewportEvent(self, event: qt.QEvent) -> bool:  # noqa: N802
        """What is said of a marked word, where the pointer rests on it; elsewhere the field's own tip."""
        tip = event.type() == qt.QEvent.Type.ToolTip
        said = notice_at(self.notices(), self.place(self.cursorForPosition(event.pos()))) if tip else ""
        if said:
            qt.QToolTip.showText(event.globalPos(), said, self)
        return bool(said) or super().viewportEvent(event)

    def put(self, text: str) -> None:
        """What the panel says, without being told of it again."""
        if text != self.toPlainText().replace("\n", " "):
            with qt.QSignalBlocker(self):
                self.setPlainText(text)
            self.moveCursor(qt.QTextCursor.MoveOperation.End)

    def mark(self, words: Sequence[Word], unknown: Sequence[Word], doubtful: Sequence[Word]) -> None:
        """Underline the words that change; in waves those that mean nothing here, in dots doubtful ones."""
        self._marks = words, unknown, doubtful
        self._put_marks()

    def _put_marks(self) -> None:
        (words, unknown, doubtful), marks = self._marks, []
        doubted, strange = underlined(DOUBTED, LINES.DotLine), underlined(STRANGE, LINES.WaveUnderline)
        color = self.palette().color(qt.QPalette.ColorRole.Highlight)
        color.setAlpha(90)
        changed = qt.QTextCharFormat()
        changed.setBackground(color)
        changed.setUnderlineStyle(LINES.SingleUnderline)
        looks = [(words, changed), (doubtful, doubted), (unknown, strange)]
        for word, look in [(word, look) for found, look in looks for word in found]:
            mark = qt.QTextEdit.ExtraSelection()
            mark.cursor = self._over(word)  # only set: whoever reads it makes a cycle of the two
            mark.format = look
            marks.append(mark)
        self.setExtraSelections(marks)

    def choose(self, word: Word) -> None:
        self.setFocus()
        self.setTextCursor(self._over(word))

    def place(self, cursor: qt.QTextCursor) -> int:
        return from_utf16(self.toPlainText(), cursor.position())

    def _over(self, word: Word) -> qt.QTextCursor:
        cursor, text = qt.QTextCursor(self.document()), self.toPlainText()
        cursor.setPosition(in_utf16(text, word.start))
        cursor.setPosition(in_utf16(text, word.stop), qt.QTextCursor.MoveMode.KeepAnchor)
        return cursor


def underlined(color: str, line: qt.QTextCharFormat.UnderlineStyle) -> qt.QTextCharFormat:
    look = qt.QTextCharFormat()
    look.setUnderlineColor(qt.QColor(color))
    look.setUnderlineStyle(line)
    return look


class Completing(Completer, qt.QListWidget):
    """Candidates under the cursor."""

    def __init__(self, field: Sentence, find: Callable[[str, int], Optional[Completion]]) -> None:
        framed = qt.QFrame.Shape.Box  # or nothing parts it from the panel
        qt.QListWidget.__init__(self, field, frameShape=framed, accessibleName=say("completions"))
        Completer.__init__(self, find)
        self.setWindowFlags(qt.Qt.WindowType.ToolTip)
        self.setAttribute(qt.Qt.WidgetAttribute.WA_ShowWithoutActivating)
        none, off = qt.Qt.FocusPolicy.NoFocus, qt.Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.pyqtConfigure(focusPolicy=none, verticalScrollBarPolicy=off, horizontalScrollBarPolicy=off)
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
        return self._field.toPlainText(), self._field.place(self._field.textCursor())

    def unfold(self, found: Completion) -> None:
        self._looked_at = self.written()
        self.clear()
        self.addItems(list(found.candidates))
        width = self.sizeHintForColumn(0) + 2 * self.frameWidth() + BESIDE
        self.resize(width, self.count() * self.sizeHintForRow(0) + 2 * self.frameWidth())
        place = self._field.cursorRect().bottomLeft() + qt.QPoint(0, 2)
        self.move(self._field.viewport().mapToGlobal(place))
        self.show()

    def mark(self, place: int) -> None:
        self.setCurrentRow(place)

    def fold(self) -> None:
        self.hide()

    def write(self, taken: Taken) -> None:
        self._field.choose(Word(taken.text, taken.start, taken.stop))
        self._field.insertPlainText(taken.text)
        self.leave()
