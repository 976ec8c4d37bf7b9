"""Sliders that the operation has, and what is folded away under them."""

from __future__ import annotations

from typing import Optional

from ._client.control import MAIN, Control
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.settings import controls_at
from ._client.structure_strip import SLIDER
from ._client.wording import say
from .advanced import Advanced
from .inputs import Slider, Sliders
from .layout import column, link, row
from .presets_menu import presets_button
from .qt import Qt, QWidget
from .strip_part import StripPart


class ControlsPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        self.sliders, self.strip = Sliders(), StripPart(panel)
        for control in controls_at(MAIN):
            self.sliders.add(control.name, control.label, self._slider(control), control.tip)
            if control is SLIDER:
                self.sliders.add_below(self.strip)
        self.unfold = link(say("advanced"))
        self.unfold.setCheckable(True)
        self.unfold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.advanced = Advanced(panel)
        self.unfold.toggled.connect(self._unfold)
        self.presets = presets_button(panel)
        column(self, self.sliders, row(self.unfold, QWidget(), self.presets, stretch=1), self.advanced)
        self._unfold(False)

    def _slider(self, control: Control) -> Slider:
        name = control.name
        change, recommend = self._panel.draft.change, self._panel.draft.recommend
        return Slider(control, lambda value: change(name, value), lambda: recommend(name))

    def _unfold(self, open: bool) -> None:
        self.advanced.setVisible(open)
        arrow = Qt.ArrowType.DownArrow if open else Qt.ArrowType.RightArrow
        self.unfold.setArrowType(arrow)

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        self.sliders.show_rows(state.shown)
        for name in self.sliders.names():
            self.sliders.put(name, state.controls[name])
        self.strip.draw(state.structures)
        self.advanced.draw(state)
