"""The first line: a light, the model or what is the matter with the backend, and the settings."""

from __future__ import annotations

from typing import Optional

from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.wording import say
from .dialogs import windows
from .layout import column, icon, label, link, row
from .offers import Offers
from .qt import QEvent, QMenu, Qt, QToolButton, QWidget

LIGHTS = {"ready": "#4caf50", "busy": "#e0a030", "trouble": "#e05545"}
ROOM = 40  # px beside the model's name


class StatusPart(QWidget):
    """The model is a menu of those that there are; the gear leads to the settings."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._state: Optional[PanelState] = None
        self.light, self.text = label("●"), label(wrap=True)
        self.model = link("", say("model"))
        self.model.setMinimumWidth(ROOM)
        self.model.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.model.setMenu(QMenu(self))
        self.model.menu().aboutToShow.connect(self._fill_menu)
        self.settings = link("", say("settings"))
        self.settings.setAccessibleName(say("settings"))
        self.settings.setIcon(icon("settings", self))
        self.settings.clicked.connect(lambda: windows().settings())
        self.offers = Offers(panel)
        self._beside = QWidget()  # the model's name
        line = row(self.light, self.model, self._beside, self.text, self.settings)
        for place in (2, 3):
            line.setStretch(place, 1)
        column(self, line, self.offers)

    def changeEvent(self, event) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.settings.setIcon(icon("settings", self))

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._name_model()

    def _fill_menu(self) -> None:
        menu = self.model.menu()
        menu.clear()
        for model in self._panel.state.models:
            if model.installed:
                action = menu.addAction(model.title)
                action.setCheckable(True)
                action.setChecked(model == self._panel.state.model)
                action.triggered.connect(lambda _=False, name=model.name: self._panel.draft.set(model=name))
        menu.addSeparator()
        menu.addAction(say("get-model")).triggered.connect(lambda: windows().models())

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        self._state = state
        ready = state.status.kind == "ready"
        self.light.setStyleSheet(f"color: {LIGHTS[state.status.kind]}")
        self.text.setText(state.status.text)
        self.text.setVisible(not ready)
        for part in (self.model, self._beside):
            part.setVisible(ready)
        self.model.setToolTip(state.status.text)
        self.model.setAccessibleName(state.status.text)
        self._name_model()
        self.offers.show_offers(state.status.offers)

    def _name_model(self) -> None:
        if self._state is not None:
            model = self._state.model
            name = self._state.form.settings.model if model is None else model.title
            room = self.width() - self.light.sizeHint().width() - self.settings.sizeHint().width() - ROOM
            right = Qt.TextElideMode.ElideRight
            self.model.setText(self.fontMetrics().elidedText(name, right, max(room, ROOM)))
