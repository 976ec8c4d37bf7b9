"""The five operations in one row: with their names where they fit, else only the chosen one with its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import qt
from ._client.icons import SIDE
from ._client.view import Tabs
from .layout import Themed, icon
from .parts import Drawer
from .widgets import stack

EDGE, SMALLER = 8, 0.88  # px beside a name; its letters beside those of the panel


class TabsDrawer(Drawer):
    typed = True

    def make(self, part: Tabs) -> qt.QWidget:
        texts = {option.key: option.text for option in part.options}
        return Operations(texts, lambda key: self.part.choose(key))

    def put(self, part: Tabs) -> None:
        for option in part.options:
            made = self.widget.buttons[option.key]
            made.setChecked(option.key == part.chosen)
            made.setEnabled(option.enabled)
            made.setToolTip(option.tip)
        self.widget.choose(part.chosen)


class Operations(Themed, qt.QWidget):
    def __init__(self, texts: Mapping[str, str], chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._chosen, self._texts = "", texts
        self._group = qt.QButtonGroup(self)
        self.buttons: dict = {key: self._button(key, text, chosen) for key, text in texts.items()}
        stack(self, list(self.buttons.values()), spread=True).setSpacing(2)

    def _button(self, key: str, text: str, chosen: Callable[[str], None]) -> qt.QToolButton:
        made = qt.QToolButton(text=text, accessibleName=text, checkable=True, minimumWidth=SIDE + 4)
        made.setIconSize(qt.QSize(SIDE, SIDE))
        made.setSizePolicy(qt.QSizePolicy.Policy.Expanding, qt.QSizePolicy.Policy.Fixed)
        font = made.font()
        font.setPointSizeF(font.pointSizeF() * SMALLER)
        made.setFont(font)
        made.clicked.connect(lambda: chosen(key))
        self._group.addButton(made)
        return made

    def choose(self, key: str) -> None:
        if key != self._chosen:
            self._chosen = key
            self.recolor()
            self._fit()

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def recolor(self) -> None:
        for name, made in self.buttons.items():
            made.setPalette(chosen_palette() if name == self._chosen else qt.QPalette())
            made.setIcon(icon(name, made))

    def _fit(self) -> None:
        metrics = next(iter(self.buttons.values())).fontMetrics()
        needed = sum(metrics.horizontalAdvance(text) + EDGE for text in self._texts.values())
        style = qt.Qt.ToolButtonStyle
        for name, made in self.buttons.items():
            alone = style.ToolButtonTextBesideIcon if name == self._chosen else style.ToolButtonIconOnly
            made.setToolButtonStyle(style.ToolButtonTextUnderIcon if needed <= self.width() else alone)


def chosen_palette() -> qt.QPalette:
    """No style sheet: Krita's themes would not reach it."""
    palette = qt.QApplication.palette()
    palette.setColor(qt.QPalette.ColorRole.Button, palette.color(qt.QPalette.ColorRole.Highlight))
    palette.setColor(qt.QPalette.ColorRole.ButtonText, palette.color(qt.QPalette.ColorRole.HighlightedText))
    return palette
