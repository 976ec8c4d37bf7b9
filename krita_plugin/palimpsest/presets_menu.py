"""A button with a menu of one's own settings."""

from __future__ import annotations

from ._client.panel import Panel
from ._client.presets import Entry, entries
from ._client.wording import say
from .layout import link
from .qt import QInputDialog, QMenu, QToolButton


def presets_button(panel: Panel) -> QToolButton:
    button = link(say("presets"), say("tip-presets"))
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    menu.aboutToShow.connect(lambda: fill(menu, panel))
    button.setMenu(menu)
    return button


def fill(menu: QMenu, panel: Panel) -> None:
    menu.clear()
    for entry in entries(panel):
        action = menu.addAction(entry.text.replace("&", "&&"))
        action.setCheckable(entry.chosen)
        action.setChecked(entry.chosen)
        action.triggered.connect(lambda _=False, entry=entry: do(menu, entry))


def do(menu: QMenu, entry: Entry) -> None:
    if not entry.ask:
        entry.do()
        return
    text, meant = QInputDialog.getText(menu, say("presets"), entry.ask, text=entry.value)
    if meant:
        entry.do(text)
