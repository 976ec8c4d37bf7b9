"""Fields of the panel: a sentence with its changed words marked, sliders, the weights of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._client.sentences import Word
from ._client.wording import say
from .layout import label, shortened
from .qt import (
    QColor,
    QGridLayout,
    QPalette,
    QPlainTextEdit,
    QSizePolicy,
    QSlider,
    Qt,
    QTextCharFormat,
    QTextCursor,
    QTextEdit,
    QWidget,
)

STEPS = 20  # of a slider from end to end
STRANGE = "#e05545"


class Sentence(QPlainTextEdit):
    """A few words over one or two lines. Tab leaves it, Return does what ``entered`` says."""

    def __init__(self, name: str, written: Callable[[str], None], entered: Callable[[], None]) -> None:
        super().__init__()
        self._entered = entered
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        margins = self.contentsMargins()
        border = 2 * int(self.document().documentMargin()) + margins.top() + margins.bottom() + 2
        self.setFixedHeight(2 * self.fontMetrics().lineSpacing() + border)
        self.textChanged.connect(lambda: written(self.toPlainText().replace("\n", " ")))

    def keyPressEvent(self, event) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._entered()
        else:
            super().keyPressEvent(event)

    def put(self, text: str) -> None:
        """What the panel says, without being told of it again."""
        if text != self.toPlainText().replace("\n", " "):
            before = self.blockSignals(True)
            self.setPlainText(text)
            self.blockSignals(before)
            self.moveCursor(QTextCursor.MoveOperation.End)

    def mark(self, words: Sequence[Word], unknown: Sequence[Word] = ()) -> None:
        """Underline the words that change, and in waves those that the model doesn't know."""
        marks = []
        for word, look in [(w, self._changed()) for w in words] + [(w, strange()) for w in unknown]:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.document())
            mark.cursor.setPosition(min(word.start, self.document().characterCount() - 1))
            stop = min(word.stop, self.document().characterCount() - 1)
            mark.cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
            mark.format = look
            marks.append(mark)
        self.setExtraSelections(marks)

    def _changed(self) -> QTextCharFormat:
        look = QTextCharFormat()
        color = self.palette().color(QPalette.ColorRole.Highlight)
        color.setAlpha(90)
        look.setBackground(color)
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        return look


def strange() -> QTextCharFormat:
    look = QTextCharFormat()
    look.setUnderlineColor(QColor(STRANGE))
    look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    return look


class Sliders(QWidget):
    """Rows of a label, what the left end means, a slider, what the right end means."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        self._rows: dict = {}

    def add(self, name: str, text: str, tip: str, ends: tuple, changed: Callable[[float], None]) -> None:
        """Positions 0 … 1; a double click is not needed: the middle is marked."""
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, STEPS)
        slider.setPageStep(STEPS // 4)
        slider.setTickInterval(STEPS // 2)
        slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        slider.setMinimumWidth(40)
        slider.setAccessibleName(text)
        slider.setAccessibleDescription(tip)
        slider.valueChanged.connect(lambda at: changed(at / STEPS))
        parts = [label(text), label(ends[0], muted=True), slider, label(ends[1], muted=True)]
        for column, part in enumerate(parts):
            part.setToolTip(tip)
            self._grid.addWidget(part, len(self._rows), column)
        self._rows[name] = parts

    def clear(self) -> None:
        for parts in self._rows.values():
            for part in parts:
                self._grid.removeWidget(part)
                part.deleteLater()
        self._rows = {}

    def names(self) -> list:
        return list(self._rows)

    def slider(self, name: str) -> QSlider:
        return self._rows[name][2]

    def put(self, name: str, position: float) -> None:
        slider = self.slider(name)
        before = slider.blockSignals(True)
        slider.setValue(round(position * STEPS))
        slider.blockSignals(before)

    def caption(self, name: str, right: str) -> None:
        """Another text at the right end."""
        self._rows[name][3].setText(right)

    def show_rows(self, wanted: frozenset) -> None:
        for name, parts in self._rows.items():
            for part in parts:
                part.setVisible(name in wanted)


class Weights(Sliders):
    """A slider for each word of the sentence: gone, as it is, strong."""

    def __init__(self, weighed: Callable[[str, float], None]) -> None:
        super().__init__()
        self._weighed = weighed

    def put_words(self, words: Sequence[str], weights) -> None:
        if list(words) != self.names():
            self.clear()
            for word in words:
                ends = (say("word-gone"), say("strong"))
                self.add(word, shortened(word), f"{word}: {say('tip-reweight')}", ends, self._tell(word))
        for word in words:
            self.put(word, (weights.get(word, 0.0) + 1) / 2)

    def _tell(self, word: str) -> Callable[[float], None]:
        return lambda at: self._weighed(word, round(2 * at - 1, 3))
