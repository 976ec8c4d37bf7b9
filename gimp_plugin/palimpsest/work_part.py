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
from gi.repository import Gdk, Gtk
from inputs import field_of

PREVIEW = 96  # px


class WorkPart(Gtk.Box):
    """Stands still below what scrolls; ``notes`` are put there. ``take`` does what an offer's button says,
    ``apply`` (with True: as a new layer) what the large one says."""

    def __init__(self, panel: Panel, take: Callable[[str], None], apply: Callable[[bool], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel, self._take, self._do = panel, take, apply
        self.notes = self._note_part()
        for part in (self._message_part(), self._progress_part(), self._apply_part()):
            self.pack_start(part, False, False, 0)

    def _message_part(self) -> Gtk.Widget:
        self._message = ui.label("", wrap=True)
        self._message.set_selectable(True)
        self._message.set_can_focus(False)
        self._helps = ui.tiles()
        return ui.column(self._message, self._helps)

    def _progress_part(self) -> Gtk.Widget:
        self._doing = ui.label("", wrap=True)
        self._bar = Gtk.ProgressBar(valign=Gtk.Align.CENTER)
        self._cancel = ui.button(say("cancel"), self._panel.cancel, "tight")
        self._queue = ui.button("", self._show_queue, "tight")
        self._preview = Gtk.Image(tooltip_text=say("preview"))
        self._preview_text = ui.label("", "quiet", "small", wrap=True)
        self._progress = ui.column(self._doing, ui.row(self._bar, self._queue, self._cancel))
        self._forming = ui.row(self._preview, ui.column(self._preview_text, self._progress), stretched=1)
        return self._forming

    def _note_part(self) -> Gtk.Widget:
        self._updating = ui.label("", "quiet", wrap=True)
        self._remember = ui.button(say("remember"), self._panel.remember, "tight", tip=say("tip-remember"))
        self._reopen = ui.button(say("reopen"), self._panel.reopen, "tight")
        self._deeds = ui.Flow()
        self._deeds.fill((self._remember, self._reopen))
        self._fidelity = ui.label("", "quiet", "small", wrap=True)
        self._sight = ui.label("", "quiet", "small", wrap=True)
        return ui.column(self._updating, self._deeds, self._fidelity, self._sight)

    def _apply_part(self) -> Gtk.Widget:
        self._reason = ui.label("", "quiet", wrap=True)
        self._apply = ui.button(say("apply"), lambda: self._do(False), "deed")
        self._apply.get_style_context().add_class("suggested-action")
        self._new = ui.button(say("new"), lambda: self._do(True), "deed", tip=say("tip-new"))
        self._variations = field_of(CONTROLS["variations"], self._panel.draft)
        self._variations.set_width_chars(2)
        return ui.column(self._reason, ui.row(self._apply, self._new, ui.label("×"), self._variations))

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        self._apply.set_sensitive(not state.cannot_apply)
        self._apply.set_label(say("update") if state.updating else say("apply"))
        self._apply.set_tooltip_text(state.cannot_apply or None)
        self._variations.put(state.controls["variations"])
        self._updating.set_text(say("updating", layer=state.updating) if state.updating else "")
        for part in (self._updating, self._new):
            ui.set_shown(part, bool(state.updating))
        self._deeds.show_only(((self._remember, state.can_remember), (self._reopen, state.can_reopen)))
        self._reason.set_text(state.reason)
        ui.set_shown(self._reason, bool(state.reason))
        self._queue.set_label(f"+{len(state.waiting)}")
        self._queue.set_tooltip_text(say("queue", n=len(state.waiting)))
        ui.set_shown(self._queue, bool(state.waiting))
        self._sight.set_text(state.sight)
        self._sight.set_tooltip_text(state.sight_tip or None)
        ui.set_shown(self._sight, bool(state.sight) and state.progress is None)
        ui.set_shown(self._progress, state.progress is not None)
        if state.progress is not None:
            self._doing.set_text(state.progress.text)
            self._bar.get_accessible().set_name(state.progress.text)
            self._cancel.set_sensitive(state.progress.can_cancel)
            self.draw_fraction(state)
        if before is None or before.preview is not state.preview:
            pixbuf = ui.pixbuf_of(state.preview, PREVIEW)
            self._preview.set_from_pixbuf(pixbuf)
            ui.set_shown(self._preview, pixbuf is not None)
        self._preview_text.set_text(state.preview_text)
        self._preview.get_accessible().set_name(state.preview_text or say("preview"))
        ui.set_shown(self._preview_text, bool(state.preview_text))
        ui.set_shown(self._forming, state.progress is not None or bool(state.preview or state.preview_text))
        self._message.set_text(state.told)
        self._message.set_tooltip_text(state.told_tip)
        ui.set_shown(self._message, bool(state.told))
        self._fidelity.set_text(state.fidelity)
        ui.set_shown(self._fidelity, bool(state.fidelity))
        if before is None or (before.offers, before.progress is None) != (
            state.offers,
            state.progress is None,
        ):
            ui.show_offers(self._helps, () if state.progress is not None else state.offers, self._take)

    def _show_queue(self) -> None:
        """A menu of the edits that wait: each can be taken out, or all with what is under way."""
        menu = Gtk.Menu()
        for waiting in self._panel.state.waiting:
            item = Gtk.MenuItem(label=say("queue-take-out", name=waiting.name))
            item.connect("activate", lambda _, n=waiting.number: self._panel.cancel_waiting(n))
            menu.append(item)
        item = Gtk.MenuItem(label=say("cancel-all"))
        item.connect("activate", lambda _: self._panel.cancel_all())
        menu.append(item)
        menu.show_all()
        menu.attach_to_widget(self._queue, None)
        menu.popup_at_widget(self._queue, Gdk.Gravity.NORTH_EAST, Gdk.Gravity.SOUTH_EAST, None)

    def draw_fraction(self, state: PanelState) -> None:
        """Also between two states: what has no known end moves on."""
        if state.progress is None:
            return
        if state.progress.fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(state.progress.fraction)
