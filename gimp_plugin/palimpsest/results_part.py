# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What came of it: the result as it forms, and the results of before."""

from __future__ import annotations

import widgets as ui
from _client.library import Result
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.wording import say
from gi.repository import Gtk

PREVIEW = 200  # px


class ResultsPart(Gtk.Box):
    def __init__(self, panel: Panel) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel = panel
        self._preview = Gtk.Image(tooltip_text=say("preview"))
        self._fidelity = ui.label("", "quiet", wrap=True)
        self._remember = ui.button(say("remember"), panel.remember, "tight", tip=say("tip-remember"))
        self._remember.set_halign(Gtk.Align.END)
        self._none = ui.label(say("no-results"), "quiet", wrap=True)
        self._results = ui.tiles()
        title = ui.label(say("results"))
        for part in (self._preview, self._fidelity, self._remember, title, self._none, self._results):
            self.pack_start(part, False, False, 0)

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        if before is None or before.preview is not state.preview:
            self._draw_preview(state.preview)
        self._remember.set_sensitive(not state.cannot_ask)
        self._fidelity.set_text(state.fidelity)
        ui.set_shown(self._fidelity, bool(self._fidelity.get_text()))
        if before is None or before.results != state.results:
            self._draw_results(state)

    def _draw_preview(self, content: bytes | None) -> None:
        pixbuf = ui.pixbuf_of(content, PREVIEW)
        if pixbuf is not None:
            self._preview.set_from_pixbuf(pixbuf)
        ui.set_shown(self._preview, pixbuf is not None)

    def _draw_results(self, state: PanelState) -> None:
        ui.cleared(self._results)
        for result in state.results:
            self._results.add(self._tile(result))
        ui.set_shown(self._results, bool(state.results))
        ui.set_shown(self._none, not state.results)

    def _tile(self, result: Result) -> Gtk.Widget:
        width, height = result.bounds.width, result.bounds.height
        made = Gtk.Button(image=ui.sight(result.thumbnail), always_show_image=True)
        made.set_tooltip_text(say("tip-result", name=result.name, width=width, height=height))
        made.connect("clicked", lambda _: self._panel.reapply(result))
        return made
