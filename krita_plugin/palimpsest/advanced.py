"""What is folded away: the technical settings, each with what it is called in the papers."""

from __future__ import annotations

from ._client.control import ADVANCED, Control
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.settings import controls_at
from ._client.wording import say
from .inputs import field_of
from .layout import label, link, row
from .qt import QFormLayout, QWidget

ROOM = 116  # px of a field; its name stands above it where both don't fit beside each other


class Advanced(QWidget):
    """``draw`` shows a state; changes go to the panel."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(3)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.fields: dict = {}
        self._rows: dict = {}
        for control in controls_at(ADVANCED):
            self._add(control)
        defaults = link(say("defaults"))
        defaults.clicked.connect(lambda: panel.draft.reset_settings())
        self._form.addRow(defaults)

    def _add(self, control: Control) -> None:
        caption, field = label(control.label), field_of(control, self._panel.draft)
        caption.setToolTip(control.tip)
        caption.setBuddy(field)
        within = field
        if control.dice:
            another = link(say("dice"), control.tip)
            another.clicked.connect(lambda: self._panel.draft.draw_lots(control.name))
            within = QWidget()
            within.setLayout(row(field, another, stretch=0))
        within.setMinimumWidth(ROOM)
        self._form.addRow(caption, within)
        self.fields[control.name] = field
        self._rows[control.name] = (caption, within)

    def draw(self, state: PanelState) -> None:
        for name, field in self.fields.items():
            field.put(state.controls[name])
            for part in self._rows[name]:
                part.setVisible(name in state.shown)
