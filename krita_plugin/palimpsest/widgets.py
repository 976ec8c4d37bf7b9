"""Widgets that the panel and its windows are made of, where Qt's own won't do."""

from __future__ import annotations

from collections.abc import Sequence

from . import qt
from ._client.editor.geometry import Bounds, in_rows
from .layout import GAP, MARGIN, NARROWEST, Entered, Framed

LEAST_NAME, ROUNDING = 40, 2  # px of a text that is cut; what Qt's measures of a text differ by


class Flowing(qt.QWidget):
    """Widgets side by side, going on in the next row where the width ends; ``one_row``: those that fit."""

    def __init__(self, one_row: bool = False) -> None:
        super().__init__()
        self.setSizePolicy(qt.QSizePolicy.Policy.Ignored, qt.QSizePolicy.Policy.Preferred)
        self.widgets: list = []
        self._one_row = one_row

    def place(self, widgets: list) -> None:
        """These, which are in it already."""
        self.widgets = widgets
        self.updateGeometry()
        self._arrange()

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        return max((place.bottom for place in self._places(width)), default=0)

    def sizeHint(self) -> qt.QSize:  # noqa: N802
        return qt.QSize(NARROWEST, self.heightForWidth(max(NARROWEST, self.width())))

    def resizeEvent(self, event: qt.QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        places = self._places(self.width())
        for widget, place in zip(self.widgets, places):
            widget.setGeometry(*place)
        for number, widget in enumerate(self.widgets if self._one_row else ()):
            widget.setVisible(number < len(places))

    def _places(self, width: int) -> Sequence[Bounds]:
        hints = [widget.sizeHint() for widget in self.widgets]
        widths, height = [hint.width() for hint in hints], lambda number, _: hints[number].height()
        return in_rows(widths, height, width, GAP, self._one_row)


class Press(Entered, qt.QPushButton):
    """As narrow as its text allows. Return presses it where it has the keyboard, and nowhere else."""

    def __init__(self) -> None:
        super().__init__(autoDefault=False, minimumWidth=0)

    def entered(self) -> None:
        self.click()


class Cut(qt.QToolButton):
    """Its text ends in dots where there is no room for all of it."""

    @property
    def fitting(self) -> str:
        metrics = self.fontMetrics()
        room = self.width() - self.sizeHint().width() + metrics.horizontalAdvance(self.text()) + ROUNDING
        return metrics.elidedText(self.text(), qt.Qt.TextElideMode.ElideRight, max(room, 0))

    def paintEvent(self, event: qt.QPaintEvent) -> None:  # noqa: N802
        painter, option = qt.QStylePainter(self), qt.QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = self.fitting
        painter.drawComplexControl(qt.QStyle.ComplexControl.CC_ToolButton, option)
        painter.end()


class Flat(Framed, Cut):
    """A quiet button; ``elide``: it may be narrower than its text."""

    def __init__(self, elide: bool = False, **properties: object) -> None:
        super().__init__(autoRaise=True, **properties)
        if elide:
            self.setMinimumWidth(LEAST_NAME)
            self.setSizePolicy(qt.QSizePolicy.Policy.Maximum, qt.QSizePolicy.Policy.Fixed)


class Entry(Entered, qt.QLineEdit):
    def put(self, text: str) -> None:
        """What is there already stays, and so does the cursor's place from the end."""
        if self.text() != text:
            from_end = len(self.text()) - self.cursorPosition()
            self.setText(text)
            self.setCursorPosition(max(0, len(text) - from_end))


def box(direction: qt.QBoxLayout.Direction) -> qt.QBoxLayout:
    made = qt.QBoxLayout(direction)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(GAP if direction == qt.QBoxLayout.Direction.LeftToRight else MARGIN)
    return made


def stack(widget: qt.QWidget, parts: list, high: bool = False, spread: bool = False) -> qt.QBoxLayout:
    """One under the other, or side by side; ``spread``: else what is left of the width is behind them."""
    layout = box(qt.QBoxLayout.Direction.TopToBottom if high else qt.QBoxLayout.Direction.LeftToRight)
    for part in parts:
        layout.addWidget(part)
    if not (high or spread):
        layout.addStretch(1)
    widget.setLayout(layout)
    return layout


def take_turn(outer: qt.QWidget, parts: Sequence[qt.QWidget]) -> None:
    """Tab comes to new widgets where they are seen, and not after all others."""
    policy = outer.focusPolicy()
    outer.setFocusPolicy(qt.Qt.FocusPolicy.TabFocus)  # those that take no focus have no place in the order
    inside = [
        widget for part in parts for widget in (part, *part.findChildren(qt.QWidget)) if in_turn(widget)
    ]
    for before, after in zip([outer, *inside], inside):
        qt.QWidget.setTabOrder(before, after)
    outer.setFocusPolicy(policy)


def in_turn(widget: qt.QWidget) -> bool:
    return bool(widget.focusPolicy() & qt.Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
