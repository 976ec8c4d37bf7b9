"""The five operations in one row: with their names where they fit, else only the chosen one with its name."""

from __future__ import annotations

from collections.abc import Callable

from ._client.controls import OPERATIONS
from ._client.icons import SIDE
from ._client.panel_state import PanelState
from ._client.wording import say
from .layout import icon, row
from .qt import QApplication, QButtonGroup, QEvent, QPalette, QSize, QSizePolicy, Qt, QToolButton, QWidget

EDGE, SMALLER = 8, 0.88  # px beside a name; its letters beside those of the panel


class Operations(QWidget):
    def __init__(self, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._chosen = ""
        self._group = QButtonGroup(self)
        self.buttons: dict = {name: self._button(name, choose) for name in OPERATIONS}
        layout = row(*self.buttons.values())
        layout.setSpacing(2)
        self.setLayout(layout)

    def _button(self, name: str, choose: Callable[[str], None]) -> QToolButton:
        made = QToolButton()
        made.setText(say(name))
        made.setAccessibleName(say(name))
        made.setCheckable(True)
        made.setIconSize(QSize(SIDE, SIDE))
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.setMinimumWidth(SIDE + 4)
        font = made.font()
        font.setPointSizeF(font.pointSizeF() * SMALLER)
        made.setFont(font)
        made.clicked.connect(lambda: choose(name))
        self._group.addButton(made)
        return made

    def draw(self, state: PanelState) -> None:
        for name, made in self.buttons.items():
            made.setChecked(name == state.form.operation)
            made.setEnabled(name not in state.cannot_operate)
            made.setToolTip(state.cannot_operate.get(name, f"{say(name)}: {say('tip-' + name)}"))
        if state.form.operation != self._chosen:
            self._chosen = state.form.operation
            self._color()
            self._fit()

    def changeEvent(self, event) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._color()

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def _color(self) -> None:
        for name, made in self.buttons.items():
            made.setPalette(chosen_palette() if name == self._chosen else QPalette())
            made.setIcon(icon(name, made))

    def _fit(self) -> None:
        metrics = next(iter(self.buttons.values())).fontMetrics()
        needed = sum(metrics.horizontalAdvance(say(name)) + EDGE for name in OPERATIONS)
        style = Qt.ToolButtonStyle
        for name, made in self.buttons.items():
            alone = style.ToolButtonTextBesideIcon if name == self._chosen else style.ToolButtonIconOnly
            made.setToolButtonStyle(style.ToolButtonTextUnderIcon if needed <= self.width() else alone)


def chosen_palette() -> QPalette:
    """No style sheet: Krita's themes would not reach it."""
    palette = QApplication.palette()
    palette.setColor(QPalette.ColorRole.Button, palette.color(QPalette.ColorRole.Highlight))
    palette.setColor(QPalette.ColorRole.ButtonText, palette.color(QPalette.ColorRole.HighlightedText))
    return palette
