# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""How it is done: the sliders, and below them what most people never touch."""

from __future__ import annotations

import advanced
import widgets as ui
from _client.control import MAIN, Control
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.settings import controls_at
from _client.structure_strip import SLIDER
from _client.wording import say
from gi.repository import Gtk
from inputs import Slider
from presets_menu import presets_button
from strip_part import StripPart


class ControlsPart(Gtk.Box):
    def __init__(self, panel: Panel) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel = panel
        self.sliders = {control.name: self._slider(control) for control in controls_at(MAIN)}
        self.advanced = advanced.Advanced(panel)
        self.expander = Gtk.Expander(label=say("advanced"))
        self.expander.connect("notify::expanded", lambda *_: self._unfold())
        self.expander.set_valign(Gtk.Align.CENTER)
        line = ui.row(self.expander, presets_button(panel))
        self.strip = StripPart(panel)
        for part in (*self.sliders.values(), line, self.advanced):
            self.pack_start(part, False, False, 0)
            if part is self.sliders[SLIDER.name]:
                self.pack_start(self.strip, False, False, 0)
        self._unfold()

    def _unfold(self) -> None:
        ui.set_shown(self.advanced, self.expander.get_expanded())

    def _slider(self, control: Control) -> Slider:
        name = control.name
        change, recommend = self._panel.draft.change, self._panel.draft.recommend
        return Slider(control, lambda value: change(name, value), lambda: recommend(name))

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        for name, slider in self.sliders.items():
            ui.set_shown(slider, name in state.shown)
            slider.put(state.controls[name])
        self.strip.draw(state.structures)
        self.advanced.draw(state)
