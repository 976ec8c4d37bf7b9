"""Apply and what comes of it: why not, how far it is, what has been done."""

from __future__ import annotations

from typing import Optional

from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.settings import CONTROLS
from ._client.wording import say
from .inputs import field_of
from .layout import button, column, label, link, row
from .offers import Offers
from .qt import QProgressBar, QSizePolicy, QWidget


class WorkPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.updating = label(wrap=True)
        self.instead = link(say("new-layer-instead"))
        self.instead.clicked.connect(lambda: panel.new_layer_instead())
        self.reopen = link(say("reopen"))
        self.reopen.clicked.connect(lambda: panel.reopen())
        self.apply = button(say("apply"))
        self.apply.clicked.connect(lambda: panel.apply())
        self.variations = field_of(CONTROLS["variations"], panel)
        self.variations.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        times = label("×")
        times.setToolTip(self.variations.toolTip())
        self.phase = label(wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.cancel = button(say("cancel"))
        self.cancel.clicked.connect(lambda: panel.cancel())
        self.message = label(wrap=True)
        self.offers = Offers(panel)
        self.fidelity = label(wrap=True, muted=True)
        column(
            self,
            row(self.updating, self.instead, stretch=0),
            self.reopen,
            row(self.apply, times, self.variations, stretch=0),
            self.phase,
            row(self.bar, self.cancel, stretch=0),
            *(self.message, self.offers, self.fidelity),
        )

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        updating = bool(state.updating)
        self.updating.setText(say("updating", layer=state.updating))
        self.updating.setVisible(updating)
        self.instead.setVisible(updating)
        has_recipe = state.document is not None and state.document.has_recipe
        self.reopen.setVisible(has_recipe and not updating)
        self.apply.setText(say("update") if updating else say("apply"))
        self.apply.setEnabled(not state.cannot_apply)
        self.apply.setToolTip(state.cannot_apply)
        self.variations.put(state.controls["variations"])
        self._draw_progress(state)
        self.message.setText(state.message)
        told_above = state.message == state.status.text
        self.message.setVisible(bool(state.message) and state.progress is None and not told_above)
        self.offers.show_offers(state.offers)
        self.fidelity.setText(state.fidelity)
        self.fidelity.setVisible(bool(state.fidelity))

    def _draw_progress(self, state: PanelState) -> None:
        working = state.progress is not None
        for part in (self.phase, self.bar, self.cancel):
            part.setVisible(working)
        if state.progress is None:
            return
        self.phase.setText(state.progress.text)
        known = state.progress.fraction is not None
        self.bar.setRange(0, 1000 if known else 0)
        if state.progress.fraction is not None:
            self.bar.setValue(round(1000 * state.progress.fraction))
        self.cancel.setEnabled(state.progress.can_cancel)
