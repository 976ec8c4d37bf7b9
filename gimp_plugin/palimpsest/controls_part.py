# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""How it is done: the sliders, and below them what most people never touch."""

from __future__ import annotations

from collections.abc import Callable

import advanced
import widgets as ui
from _client.controls import growth
from _client.limits import MOST_FEATHER, MOST_GROWTH
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.wording import say
from gi.repository import Gtk


class ControlsPart(Gtk.Box):
    def __init__(self, panel: Panel) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel = panel
        set_ = panel.set
        self._structure = self._slider("structure", ("free", "exact"))
        self._strength = self._slider("strength", ("gentle", "strong"))
        self._grow = self._pixels("grow", MOST_GROWTH, lambda at: set_(grow=round(at)))
        self._feather = self._pixels("feather", MOST_FEATHER, lambda at: set_(feather=round(at)))
        self._advanced = advanced.Advanced(panel)
        expander = Gtk.Expander(label=say("advanced"))
        expander.add(self._advanced)
        for part in (self._structure, self._strength, self._grow, self._feather, expander):
            self.pack_start(part, False, False, 0)

    def _pixels(self, name: str, most: int, changed: Callable[[float], None]) -> ui.Slider:
        def told(value: float) -> str:
            return say("pixels", n=round(value))

        return ui.Slider(say(name), ("", ""), (0, most), changed, told, say("tip-" + name), digits=0)

    def _slider(self, name: str, ends: tuple[str, str]) -> ui.Slider:
        words = (say(ends[0]), say(ends[1]))
        return ui.Slider(
            say(name), words, (0, 1), lambda value: self._panel.set(**{name: value}), tip=say("tip-" + name)
        )

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        settings = state.form.settings
        self._structure.show_value(settings.structure)
        self._strength.show_value(settings.strength)
        self._grow.show_value(growth(state.form.operation, settings))
        self._feather.show_value(settings.feather)
        for name, slider in (("structure", self._structure), ("strength", self._strength)):
            ui.set_shown(slider, name in state.shown)
        self._advanced.draw(state)
