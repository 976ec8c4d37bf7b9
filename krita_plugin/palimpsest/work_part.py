"""Apply and what comes of it: why not, how far it is, what has been done."""

from __future__ import annotations

from typing import Optional

from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.settings import CONTROLS
from ._client.wording import say
from .inputs import field_of
from .keyboard import apply
from .layout import Flow, button, column, label, line, link, row
from .offers import Offers
from .qt import QProgressBar, QSizePolicy, QWidget


class WorkPart(QWidget):
    """Stands still below what scrolls. *Apply* is its last line: what comes and goes does so above it."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.message = label(wrap=True)
        self.offers = Offers(panel)
        self.fidelity = label(wrap=True, muted=True)
        self.phase = label(wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.bar.setAccessibleName(say("progress"))
        self.cancel = button(say("cancel"))
        self.cancel.clicked.connect(lambda: panel.cancel())
        self.sight = label(wrap=True, muted=True)
        self.updating = label(wrap=True)
        self.instead = link(say("new-layer-instead"))
        self.instead.clicked.connect(lambda: panel.new_layer_instead())
        self.reopen = link(say("reopen"))
        self.reopen.clicked.connect(lambda: panel.reopen())
        self.remember = link(say("remember"), say("tip-remember"))
        self.remember.clicked.connect(lambda: panel.remember())
        self.deeds = Flow(say("more"))
        self.deeds.refill([self.remember, self.reopen, self.instead])
        self.apply = button(say("apply"))
        self.apply.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.apply.clicked.connect(lambda: apply(panel))
        self.variations = field_of(CONTROLS["variations"], panel)
        self.variations.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.variations.setPrefix("× ")
        column(
            self,
            *(line(), self.message, self.offers, self.fidelity),
            *(self.phase, row(self.bar, self.cancel, stretch=0)),
            *(self.updating, self.deeds, self.sight),
            row(self.apply, self.variations, stretch=0),
        )

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        updating = bool(state.updating)
        self.updating.setText(say("updating", layer=state.updating))
        self.updating.setVisible(updating)
        deeds = {self.instead: updating, self.reopen: state.can_reopen, self.remember: state.can_remember}
        self.deeds.show_only([deed for deed, possible in deeds.items() if possible])
        self.apply.setText(say("update") if updating else say("apply"))
        self.apply.setEnabled(not state.cannot_apply)
        self.apply.setToolTip(state.cannot_apply)
        self.variations.put(state.controls["variations"])
        self.sight.setText(state.sight)
        self.sight.setVisible(bool(state.sight) and state.progress is None)
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
        self.bar.setAccessibleDescription(state.progress.text)
        known = state.progress.fraction is not None
        self.bar.setRange(0, 1000 if known else 0)
        if state.progress.fraction is not None:
            self.bar.setValue(round(1000 * state.progress.fraction))
        self.cancel.setEnabled(state.progress.can_cancel)
