"""The operations in one row: with their names where they fit, else only the chosen one with its name."""

from __future__ import annotations

from . import qt
from ._client.views.icons import SIDE
from ._client.views.view import Tabs
from .layout import Themed, icon
from .parts import OptionsDrawer

EDGE, SMALLER = 8, 0.88  # px beside a name; its letters beside those of the panel


class TabsDrawer(OptionsDrawer):
    def make(self, part: Tabs) -> qt.QWidget:
        made = Operations()
        self.fill(made, part, Operation, spread=True)
        made.layout().setSpacing(2)
        made.buttons = self.buttons
        return made

    def put(self, part: Tabs) -> None:
        super().put(part)
        self.widget.choose(part.chosen)


class Operation(qt.QToolButton):
    def __init__(self, text: str) -> None:
        super().__init__(text=text, accessibleName=text, checkable=True, minimumWidth=SIDE + 4)
        self.setIconSize(qt.QSize(SIDE, SIDE))
        self.setSizePolicy(qt.QSizePolicy.Policy.Expanding, qt.QSizePolicy.Policy.Fixed)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * SMALLER)
        self.setFont(font)


class Operations(Themed, qt.QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict = {}
        self._chosen = ""

    def choose(self, key: str) -> None:
        if key != self._chosen:
            self._chosen = key
            self.recolor()
            self._fit()

    def resizeEvent(self, event: qt.QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def recolor(self) -> None:
        for name, made in self.buttons.items():
            made.setPalette(chosen_palette() if name == self._chosen else qt.QPalette())
            made.setIcon(icon(name, made))

    def _fit(self) -> None:
        style, all_of_them = qt.Qt.ToolButtonStyle, self.buttons.values()
        needed = sum(made.fontMetrics().horizontalAdvance(made.text()) + EDGE for made in all_of_them)
        for name, made in self.buttons.items():
            alone = style.ToolButtonTextBesideIcon if name == self._chosen else style.ToolButtonIconOnly
            made.setToolButtonStyle(style.ToolButtonTextUnderIcon if needed <= self.width() else alone)


def chosen_palette() -> qt.QPalette:
    """No style sheet: Krita's themes would not reach it."""
    palette = qt.QApplication.palette()
    palette.setColor(qt.QPalette.ColorRole.Button, palette.color(qt.QPalette.ColorRole.Highlight))
    palette.setColor(qt.QPalette.ColorRole.ButtonText, palette.color(qt.QPalette.ColorRole.HighlightedText))
    return palette
