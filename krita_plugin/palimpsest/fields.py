"""A field for a sentence, with its changed words marked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Optional

from . import qt
from ._client.habits import Notice, said_at
from ._client.sentences import Word
from ._client.view import Sentence as SentencePart
from .layout import Entered, Themed
from .parts import Drawer
from .word_help import Completing

LEAST, MOST = 2, 6  # lines of a sentence
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


class Sentence(Entered, Themed, qt.QPlainTextEdit):
    """As many lines as the words take. Tab leaves it. ``notices``: what is said of marked words."""

    notices: Callable[[], Collection[Notice]] = tuple

    def __init__(self, written: Callable[[str], None]) -> None:
        super().__init__(tabChangesFocus=True)
        self._button: Optional[qt.QToolButton] = None
        self._marked: tuple = ((), ())
        self.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(qt.Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.textChanged.connect(lambda: written(self.toPlainText().replace("\n", " ")))
        self.document().contentsChanged.connect(self._fit)
        self._fit()

    def hold(self, button: qt.QToolButton) -> None:
        """In its lower corner: with its name while nothing is written yet, then as its icon."""
        self._button = button
        button.setParent(self)
        self._fit()

    def resizeEvent(self, event) -> None:  # noqa: N802
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
            self.setViewportMargins(0, 0, 0 if empty else button.width(), 0)
            button.move(self.width() - button.width() - 2, self.height() - button.height() - 2)

    def recolor(self) -> None:
        self.mark(*self._marked)

    def viewportEvent(self, event) -> bool:  # noqa: N802
        """What is said of a marked word, where the pointer rests on it; elsewhere the field's own tip."""
        tip = event.type() == qt.QEvent.Type.ToolTip
        said = said_at(self.notices(), self.cursorForPosition(event.pos()).position()) if tip else ""
        if said:
            qt.QToolTip.showText(event.globalPos(), said, self)
        return bool(said) or super().viewportEvent(event)

    def put(self, text: str) -> None:
        """What the panel says, without being told of it again."""
        if text != self.toPlainText().replace("\n", " "):
            with qt.QSignalBlocker(self):
                self.setPlainText(text)
            self.moveCursor(qt.QTextCursor.MoveOperation.End)

    def mark(
        self, words: Sequence[Word], unknown: Sequence[Word] = (), doubtful: Sequence[Word] = ()
    ) -> None:
        """Underline the words that change; in waves those that mean nothing here, in dots doubtful ones."""
        self._marked, marks = (words, unknown, doubtful), []
        doubted, strange = underlined(DOUBTED, LINES.DotLine), underlined(STRANGE, LINES.WaveUnderline)
        looks = [(words, self._changed()), (doubtful, doubted), (unknown, strange)]
        for word, look in [(word, look) for found, look in looks for word in found]:
            cursor, last = qt.QTextCursor(self.document()), self.document().characterCount() - 1
            cursor.setPosition(min(word.start, last))
            cursor.setPosition(min(word.stop, last), qt.QTextCursor.MoveMode.KeepAnchor)
            mark = qt.QTextEdit.ExtraSelection()
            mark.cursor = cursor  # only set: whoever reads it makes a cycle of the two
            mark.format = look
            marks.append(mark)
        self.setExtraSelections(marks)

    def _changed(self) -> qt.QTextCharFormat:
        look = qt.QTextCharFormat()
        color = self.palette().color(qt.QPalette.ColorRole.Highlight)
        color.setAlpha(90)
        look.setBackground(color)
        look.setUnderlineStyle(LINES.SingleUnderline)
        return look


def underlined(color: str, line: qt.QTextCharFormat.UnderlineStyle) -> qt.QTextCharFormat:
    look = qt.QTextCharFormat()
    look.setUnderlineColor(qt.QColor(color))
    look.setUnderlineStyle(line)
    return look
