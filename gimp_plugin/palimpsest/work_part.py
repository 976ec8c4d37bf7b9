# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""Apply, how far it is, and what came of it or why it can't be."""

from __future__ import annotations

from collections.abc import Callable

import widgets as ui
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.settings import CONTROLS
from _client.wording import say
from gi.repository import Gtk
from inputs import field_of


class WorkPart(Gtk.Box):
    """``take`` does what an offer's button says, ``apply`` what the large one says."""

    def __init__(self, panel: Panel, take: Callable[[str], None], apply: Callable[[], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel, self._take, self._do = panel, take, apply
        for part in (self._message_part(), self._progress_part(), self._apply_part()):
            self.pack_start(part, False, False, 0)

    def _message_part(self) -> Gtk.Widget:
        self._message = ui.label("", wrap=True)
        self._message.set_selectable(True)
        self._message.set_can_focus(False)
        self._helps = ui.tiles()
        self._fidelity = ui.label("", "quiet", wrap=True)
        return ui.column(self._message, self._helps, self._fidelity)

    def _progress_part(self) -> Gtk.Widget:
        self._doing = ui.label("", wrap=True)
        self._bar = Gtk.ProgressBar(valign=Gtk.Align.CENTER)
        self._cancel = ui.button(say("cancel"), self._panel.cancel, "tight")
        self._progress = ui.column(self._doing, ui.row(self._bar, self._cancel))
        return self._progress

    def _apply_part(self) -> Gtk.Widget:
        self._updating = ui.label("", "quiet", wrap=True)
        self._remember = ui.button(say("remember"), self._panel.remember, "tight", tip=say("tip-remember"))
        self._reopen = ui.button(say("reopen"), self._panel.reopen, "tight")
        self._instead = ui.button(say("new-layer-instead"), self._panel.new_layer_instead, "tight")
        self._deeds = ui.Flow()
        self._deeds.fill((self._remember, self._reopen, self._instead))
        self._apply = ui.button(say("apply"), self._do)
        self._apply.get_style_context().add_class("suggested-action")
        self._variations = field_of(CONTROLS["variations"], self._panel)
        self._variations.set_width_chars(2)
        last = ui.row(self._apply, ui.label("×"), self._variations)
        self._sight = ui.label("", "quiet", "small", wrap=True)
        return ui.column(self._updating, self._deeds, self._sight, last)

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        self._apply.set_sensitive(not state.cannot_apply)
        self._apply.set_label(say("update") if state.updating else say("apply"))
        self._apply.set_tooltip_text(state.cannot_apply or None)
        self._variations.put(state.controls["variations"])
        self._updating.set_text(say("updating", layer=state.updating) if state.updating else "")
        ui.set_shown(self._updating, bool(state.updating))
        deeds = ((self._remember, state.can_remember), (self._reopen, state.can_reopen))
        self._deeds.show_only((*deeds, (self._instead, bool(state.updating))))
        self._sight.set_text(state.sight)
        ui.set_shown(self._sight, bool(state.sight) and state.progress is None)
        ui.set_shown(self._progress, state.progress is not None)
        if state.progress is not None:
            self._doing.set_text(state.progress.text)
            self._bar.get_accessible().set_name(state.progress.text)
            self._cancel.set_sensitive(state.progress.can_cancel)
            self.draw_fraction(state)
        message = "" if state.progress is not None else state.message
        self._message.set_text(message)
        ui.set_shown(self._message, bool(message))
        self._fidelity.set_text(state.fidelity)
        ui.set_shown(self._fidelity, bool(state.fidelity))
        if before is None or (before.offers, before.progress is None) != (
            state.offers,
            state.progress is None,
        ):
            ui.show_offers(self._helps, () if state.progress is not None else state.offers, self._take)

    def draw_fraction(self, state: PanelState) -> None:
        """Also between two states: what has no known end moves on."""
        if state.progress is None:
            return
        if state.progress.fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(state.progress.fraction)
