"""The first line: a light, what the backend does, and the settings."""

from __future__ import annotations

from typing import Optional

from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.wording import say
from .backend_dialog import open_backend_dialog, open_models_dialog
from .layout import column, label, link, row
from .learn_dialog import open_learn_dialog
from .offers import Offers
from .qt import QMenu, QToolButton, QWidget

LIGHTS = {"ready": "#4caf50", "busy": "#e0a030", "trouble": "#e05545"}


class StatusPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self.light, self.text = label("●"), label(wrap=True)
        self.menu = link("⚙", say("settings"))
        self.menu.setAccessibleName(say("settings"))
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu.setMenu(self._settings_menu())
        self.offers = Offers(panel)
        column(self, row(self.light, self.text, self.menu, stretch=1), self.offers)

    def _settings_menu(self) -> QMenu:
        menu = QMenu(self)
        for text, call in (
            (say("remember"), self._panel.remember),
            (say("reopen"), self._panel.reopen),
            (say("learn-action"), open_learn_dialog),
            (say("server-title") + "…", open_backend_dialog),
            (say("models-title") + "…", open_models_dialog),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, call=call: call())
        return menu

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        self.light.setStyleSheet(f"color: {LIGHTS[state.status.kind]}")
        self.text.setText(state.status.text)
        self.offers.show_offers(state.status.offers)
