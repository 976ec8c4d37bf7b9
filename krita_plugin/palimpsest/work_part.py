"""Apply and what comes of it: why not, how far it is, what has been done."""

from __future__ import annotations

from typing import Optional

from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.settings import CONTROLS
from ._client.wording import say
from .inputs import field_of
from .keyboard import apply
from .layout import Flow, button, column, label, line, link, picture, row
from .offers import Offers
from .qt import QMenu, QProgressBar, QSizePolicy, QToolButton, QWidget

NARROWEST, EDGE = 24, 12  # px, of the progress; beside a button's text
PREVIEW = 96  # px


class Queue(QToolButton):
    """How many edits wait, with a menu to take them out."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self.setAutoRaise(True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(QMenu(self))

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        self.setVisible(bool(state.waiting))
        if before is not None and before.waiting == state.waiting:
            return
        self.setText(f"+{len(state.waiting)}")
        self.setToolTip(say("queue", n=len(state.waiting)))
        self.setAccessibleName(self.toolTip())
        self.menu().clear()
        for waiting in state.waiting:
            out = self.menu().addAction(say("queue-take-out", name=waiting.name))
            out.triggered.connect(lambda _=False, n=waiting.number: self._panel.cancel_waiting(n))
        self.menu().addAction(say("cancel-all")).triggered.connect(lambda _=False: self._panel.cancel_all())


class WorkPart(QWidget):
    """Stands still below what scrolls; ``notes`` are put there. *Apply* is its last line: what comes and goes
    does so above it."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.message = label(wrap=True)
        self.reason = label(wrap=True, muted=True)
        self.offers = Offers(panel)
        self.fidelity = label(wrap=True, muted=True)
        self.phase = label(wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.bar.setMinimumWidth(NARROWEST)
        self.bar.setAccessibleName(say("progress"))
        self.preview, self.preview_text = label(), label(wrap=True, muted=True)
        self.cancel = button(say("cancel"))
        self.cancel.clicked.connect(lambda: panel.cancel())
        self.sight = label(wrap=True, muted=True)
        self.updating = label(wrap=True)
        self.reopen = link(say("reopen"))
        self.reopen.clicked.connect(lambda: panel.reopen())
        self.remember = link(say("remember"), say("tip-remember"))
        self.remember.clicked.connect(lambda: panel.remember())
        self.deeds = Flow(say("more"))
        self.deeds.refill([self.remember, self.reopen])
        self.apply = button(say("apply"))
        self.apply.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.apply.clicked.connect(lambda: apply(panel))
        self.new = button(say("new"))
        self.new.setToolTip(say("tip-new"))
        self.new.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.new.setMinimumWidth(self.new.fontMetrics().horizontalAdvance(say("new")) + EDGE)
        self.new.clicked.connect(lambda: apply(panel, new=True))
        self.queue = Queue(panel)
        self.variations = field_of(CONTROLS["variations"], panel.draft)
        self.variations.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.variations.setPrefix("× ")
        last = row(self.apply, self.new, self.variations)
        last.setStretch(0, 2)
        last.setStretch(1, 1)
        self.notes = QWidget()
        column(self.notes, self.updating, self.deeds, self.fidelity, self.sight)
        column(self, line(), self.message, self.offers, self._progress_part(), self.reason, last)

    def _progress_part(self) -> QWidget:
        """How far it is, beside the picture as it forms, or as it would be."""
        told, self.forming = QWidget(), QWidget()
        progress = row(self.bar, self.queue, self.cancel, stretch=0)
        column(told, self.preview_text, self.phase, progress).addStretch(1)
        self.forming.setLayout(row(self.preview, told, stretch=1))
        return self.forming

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        updating = bool(state.updating)
        self.updating.setText(say("updating", layer=state.updating))
        self.updating.setVisible(updating)
        self.new.setVisible(updating)
        deeds = {self.reopen: state.can_reopen, self.remember: state.can_remember}
        self.deeds.show_only([deed for deed, possible in deeds.items() if possible])
        self.apply.setText(say("update") if updating else say("apply"))
        self.apply.setEnabled(not state.cannot_apply)
        self.apply.setToolTip(state.cannot_apply)
        self.variations.put(state.controls["variations"])
        self.sight.setText(state.sight)
        self.sight.setToolTip(state.sight_tip)
        self.sight.setVisible(bool(state.sight) and state.progress is None)
        self._draw_progress(state)
        if before is None or state.preview != before.preview:
            pixmap = picture(state.preview, PREVIEW)
            self.preview.setPixmap(pixmap)
            self.preview.setVisible(not pixmap.isNull())
        self.preview.setAccessibleName(state.preview_text or say("preview"))
        self.preview_text.setText(state.preview_text)
        self.preview_text.setVisible(bool(state.preview_text))
        self.forming.setVisible(state.progress is not None or bool(state.preview or state.preview_text))
        for part, text in ((self.message, state.told), (self.reason, state.reason)):
            part.setText(text)
            part.setVisible(bool(text))
        self.message.setToolTip(state.told_tip)
        self.queue.draw(state, before)
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
