"""The models that there are, and those that can be fetched: what each costs, and how far a download is."""

from __future__ import annotations

from typing import Optional

from ._client.catalogue import ModelRow
from ._client.panel_state import PanelState
from ._client.wording import say
from .desk import desk
from .layout import button, column, label, row
from .qt import QProgressBar, QWidget


class Models(QWidget):
    """Follows the panel while it is shown: a download begins, shows how far it is and ends in this place."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Optional[tuple] = None
        self._rows = QWidget()
        self.bar, self.doing = QProgressBar(), label(wrap=True)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(say("progress"))
        self.cancel = button(say("cancel"))
        self.cancel.clicked.connect(lambda: desk().panel.cancel())
        self.work = QWidget()
        column(self.work, self.doing, row(self.bar, self.cancel, stretch=0))
        self.fetches: dict = {}  # model → its button
        self._column = column(self, self._rows, self.work)
        desk().add(self)

    def show_state(self, state: PanelState) -> None:
        if (state.catalogue, bool(state.cannot_learn)) != self._shown:
            self._shown = state.catalogue, bool(state.cannot_learn)
            self._refill(state)
        progress = state.progress if state.downloading else None
        self.work.setVisible(progress is not None)
        if progress is not None:
            self.doing.setText(progress.text)
            self.bar.setRange(0, 1000 if progress.fraction is not None else 0)
            self.bar.setValue(round(1000 * (progress.fraction if progress.fraction is not None else 0)))
            self.cancel.setEnabled(progress.can_cancel)

    def _refill(self, state: PanelState) -> None:
        self._column.removeWidget(self._rows)
        self._rows.deleteLater()
        self._rows, self.fetches = QWidget(), {}
        rows = [self._row(model, state) for model in state.catalogue]
        column(self._rows, *(rows if rows else [label(say("model-loading"), wrap=True)]))
        self._column.insertWidget(0, self._rows)

    def _row(self, model: ModelRow, state: PanelState):
        if model.installed:
            return label(say("model-installed", model=model.title), wrap=True)
        fetch = self.fetches[model.name] = button(say("download"))
        fetch.setAccessibleName(say("download-model", model=model.title))
        fetch.setEnabled(not state.cannot_learn)
        fetch.setToolTip(state.cannot_learn)
        fetch.clicked.connect(lambda: desk().panel.download(model.name))
        text = QWidget()
        column(text, label(model.title), *(label(line, wrap=True, muted=True) for line in model.lines))
        return row(text, fetch, stretch=0)
