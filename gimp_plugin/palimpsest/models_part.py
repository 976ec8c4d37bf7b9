# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""The models that there are, and those that can be fetched: what each costs, and how far a download is."""

from __future__ import annotations

import widgets as ui
from _client.catalogue import ModelRow
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.wording import say
from gi.repository import Gtk


class ModelsPart(Gtk.Box):
    """A download begins, shows how far it is and ends in this place."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel = panel
        self._shown: tuple | None = None
        self._rows = ui.column()
        self._bar, self._doing = Gtk.ProgressBar(valign=Gtk.Align.CENTER), ui.label("", wrap=True)
        self._cancel = ui.button(say("cancel"), panel.cancel, "tight")
        self._work = ui.column(self._doing, ui.row(self._bar, self._cancel))
        for part in (self._rows, self._work):
            self.pack_start(part, False, False, 0)
        self.draw(panel.state)

    def draw(self, state: PanelState) -> None:
        if (state.catalogue, bool(state.cannot_learn)) != self._shown:
            self._shown = state.catalogue, bool(state.cannot_learn)
            ui.cleared(self._rows)
            for model in state.catalogue:
                self._rows.add(self._row(model, state))
            if not state.catalogue:
                self._rows.add(ui.label(say("model-loading"), "quiet", wrap=True))
            self._rows.show_all()
        progress = state.progress if state.downloading else None
        ui.set_shown(self._work, progress is not None)
        if progress is not None:
            self._doing.set_text(progress.text)
            self._cancel.set_sensitive(progress.can_cancel)
            if progress.fraction is None:
                self._bar.pulse()
            else:
                self._bar.set_fraction(progress.fraction)

    def _row(self, model: ModelRow, state: PanelState) -> Gtk.Widget:
        if model.installed:
            return ui.label(say("model-installed", model=model.title), wrap=True)
        get = ui.button(say("download"), lambda: self._panel.download(model.name), "tight")
        get.get_accessible().set_name(say("download-model", model=model.title))
        get.set_valign(Gtk.Align.START)
        get.set_sensitive(not state.cannot_learn)
        get.set_tooltip_text(state.cannot_learn or None)
        lines = (ui.label(line, "quiet", "small", wrap=True) for line in model.lines)
        return ui.row(ui.column(ui.label(model.title, wrap=True), *lines), get)
