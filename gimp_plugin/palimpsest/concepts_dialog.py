# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""All learned words: searched, written into the sentence, renamed, deleted."""

from __future__ import annotations

from collections.abc import Callable

import widgets as ui
from _client.library import Concept
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.vocabulary import matching
from _client.wording import say
from gi.repository import Gdk, Gtk, Pango

SIDE, WIDTH, HEIGHT = 40, 320, 420  # px


class ConceptsDialog(Gtk.Window):
    """Stays open beside the picture; ``use`` writes a word into the sentence."""

    def __init__(self, parent: Gtk.Window, panel: Panel, use: Callable[[str], None]) -> None:
        super().__init__(title=say("concepts"), transient_for=parent)
        self.set_default_size(WIDTH, HEIGHT)
        self._panel, self._use = panel, use
        self._search = Gtk.SearchEntry(placeholder_text=say("search"))
        self._search.get_accessible().set_name(say("search"))
        self._search.connect("changed", lambda _: self._fill(panel.state))
        self._list = Gtk.ListBox()
        self._list.get_accessible().set_name(say("concepts"))
        self._list.connect("row-selected", lambda *_: self._enable())
        self._list.connect("row-activated", lambda *_: self._act(use))
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(self._list)
        acts = (("use", use), ("rename", self._rename), ("delete", self._delete))
        self._acts = [ui.button(say(key), lambda act=act: self._act(act), "tight") for key, act in acts]
        self._message = ui.label("", wrap=True)
        parts = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE, border_width=10)
        parts.pack_start(self._search, False, False, 0)
        parts.pack_start(scrolled, True, True, 0)
        parts.pack_start(ui.row(*self._acts, stretched=None), False, False, 0)
        parts.pack_start(self._message, False, False, 0)
        self.add(parts)
        self.connect("key-press-event", lambda _, event: self._pressed(event))
        self._fill(panel.state)
        parts.show_all()

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        if before is None or (before.concepts, before.model) != (state.concepts, state.model):
            self._fill(state)

    def _fill(self, state: PanelState) -> None:
        """What was chosen stays chosen; else it is the first."""
        chosen, found = self._name(), matching(state.concepts, self._search.get_text())
        ui.cleared(self._list)
        for concept in found:
            self._list.add(self._row(concept, state))
        self._list.show_all()
        names = [concept.name for concept in found]
        if names:
            at = names.index(chosen) if chosen in names else 0
            self._list.select_row(self._list.get_row_at_index(at))
        self._enable()

    def _row(self, concept: Concept, state: PanelState) -> Gtk.ListBoxRow:
        text = ui.label(concept.line)
        text.set_ellipsize(Pango.EllipsizeMode.END)
        text.set_sensitive(not state.foreign(concept))
        made = Gtk.ListBoxRow(name=concept.name, tooltip_text=state.foreign(concept) or None)
        made.add(ui.row(ui.sight(concept.thumbnail, SIDE), text, stretched=1) if concept.thumbnail else text)
        return made

    def _name(self) -> str:
        chosen = self._list.get_selected_row()
        return "" if chosen is None else chosen.get_name()

    def _enable(self) -> None:
        """One that the model can't use may still be renamed or deleted."""
        chosen = [concept for concept in self._panel.state.concepts if concept.name == self._name()]
        usable = bool(chosen) and not self._panel.state.foreign(chosen[0])
        for made, possible in zip(self._acts, (usable, bool(chosen), bool(chosen))):
            made.set_sensitive(possible)

    # What people do.

    def _act(self, act: Callable[[str], None]) -> None:
        self._message.set_text("")
        if self._name() and (act is not self._use or self._acts[0].get_sensitive()):
            act(self._name())

    def _rename(self, name: str) -> None:
        new = (ui.asked_for_text(self, say("concepts"), say("new-name", name=name), name) or "").strip("<> ")
        if new not in ("", name):
            self._panel.rename_concept(name, new, self._message.set_text)

    def _delete(self, name: str) -> None:
        ask = Gtk.MessageDialog(
            transient_for=self,
            modal=True,
            buttons=Gtk.ButtonsType.OK_CANCEL,
            text=say("really-delete", name=name),
        )
        if ask.run() == Gtk.ResponseType.OK:
            self._panel.backend.remove_concept(name, self._message.set_text)
        ask.destroy()

    def _pressed(self, event: Gdk.EventKey) -> bool:
        if event.keyval == Gdk.KEY_Escape:
            self.destroy()
        return event.keyval == Gdk.KEY_Escape
