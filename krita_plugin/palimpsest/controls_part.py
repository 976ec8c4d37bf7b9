"""Sliders that the operation has, and what is folded away under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from ._client.controls import growth
from ._client.limits import MOST_FEATHER, MOST_GROWTH
from ._client.panel import Panel
from ._client.panel_state import PanelState
from ._client.wording import say
from .advanced import Advanced
from .fields import Sliders
from .layout import column, link
from .qt import Qt, QWidget


class ControlsPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.sliders = Sliders()
        ends = (say("free"), say("exact"))
        set_ = panel.set
        add = self.sliders.add
        add("structure", say("structure"), say("tip-structure"), ends, lambda at: set_(structure=at))
        ends = (say("gentle"), say("strong"))
        add("strength", say("strength"), say("tip-strength"), ends, lambda at: set_(strength=at))
        self._add_pixels("grow", say("tip-grow"), MOST_GROWTH, lambda pixels: set_(grow=pixels))
        self._add_pixels("feather", say("tip-feather"), MOST_FEATHER, lambda pixels: set_(feather=pixels))
        self.unfold = link(say("advanced"))
        self.unfold.setCheckable(True)
        self.unfold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.advanced = Advanced(panel)
        self.unfold.toggled.connect(self._unfold)
        column(self, self.sliders, self.unfold, self.advanced)
        self._unfold(False)

    def _add_pixels(self, name: str, tip: str, most: int, changed: Callable[[int], None]) -> None:
        """A slider of whole pixels, 0 … ``most``."""
        self.sliders.add(name, say(name), tip, ("", ""), lambda at: None)
        slider = self.sliders.slider(name)
        slider.valueChanged.disconnect()
        slider.setRange(0, most)
        slider.setTickInterval(most // 4)
        slider.valueChanged.connect(changed)

    def _put_pixels(self, name: str, pixels: int) -> None:
        slider = self.sliders.slider(name)
        before = slider.blockSignals(True)
        slider.setValue(pixels)
        slider.blockSignals(before)
        self.sliders.caption(name, say("pixels", n=pixels))

    def _unfold(self, open: bool) -> None:
        self.advanced.setVisible(open)
        arrow = Qt.ArrowType.DownArrow if open else Qt.ArrowType.RightArrow
        self.unfold.setArrowType(arrow)

    def draw(self, state: PanelState, before: Optional[PanelState]) -> None:
        settings = state.form.settings
        self.sliders.show_rows(state.shown)
        self.sliders.put("structure", settings.structure)
        self.sliders.put("strength", settings.strength)
        self._put_pixels("grow", growth(state.form.operation, settings))
        self._put_pixels("feather", settings.feather)
        self.advanced.draw(state)
