# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""Top of the window: the backend's state, what can be done about it, and which picture is edited."""

from __future__ import annotations

from collections.abc import Callable

import host
import widgets as ui
from _client.panel import Panel
from _client.panel_state import PanelState
from _client.status import MODELS
from _client.wording import say
from gi.repository import Gdk, Gtk, Pango

KINDS = ("ready", "busy", "trouble")


class StatusPart(Gtk.Box):
    """The model is a menu of those that there are. ``take`` does what an offer's button says; ``settings``
    opens the settings."""

    def __init__(
        self,
        panel: Panel,
        editor: host.GimpEditor,
        take: Callable[[str], None],
        settings: Callable[[], None],
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._panel, self._editor, self._take = panel, editor, take
        self._dot, self._text = ui.label("●"), ui.label(wrap=True)
        self._name = ui.label()
        self._name.set_ellipsize(Pango.EllipsizeMode.END)
        self._model = ui.button("", self._show_models, "tight")
        self._model.set_relief(Gtk.ReliefStyle.NONE)
        self._model.remove(self._model.get_child())
        self._model.add(ui.row(self._name, ui.label("▾"), stretched=None))
        self._model.set_halign(Gtk.Align.START)
        gear = ui.icon_button("settings", say("settings"), settings)
        self._offers = ui.tiles()
        self._documents = ui.Choice(editor.choose)
        told = ui.column(self._model, self._text)
        told.set_valign(Gtk.Align.CENTER)
        line = ui.row(self._dot, told, gear, stretched=1)
        for part in (self._dot, gear):
            part.set_valign(Gtk.Align.START)
        for part in (line, self._offers, self._documents):
            self.pack_start(part, False, False, 0)

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        context = self._dot.get_style_context()
        for kind in KINDS:
            context.remove_class("palimpsest-" + kind)
        context.add_class("palimpsest-" + state.status.kind)
        self._text.set_text(state.status.text)
        self._name.set_text(state.form.settings.model if state.model is None else state.model.title)
        self._model.set_tooltip_text(state.status.text)
        self._model.get_accessible().set_name(state.status.text)
        ui.set_shown(self._model, state.status.kind == "ready")
        ui.set_shown(self._text, state.status.kind != "ready")
        if before is None or before.status.offers != state.status.offers:
            ui.show_offers(self._offers, state.status.offers, self._take)
        self.draw_documents(state)

    def _show_models(self) -> None:
        menu = Gtk.Menu(attach_widget=self._model)
        for model in self._panel.state.models:
            if model.installed:
                item = Gtk.CheckMenuItem(label=model.title, draw_as_radio=True)
                item.set_active(model == self._panel.state.model)
                item.connect("activate", lambda _, name=model.name: self._panel.draft.set(model=name))
                menu.append(item)
        menu.append(Gtk.SeparatorMenuItem())
        more = Gtk.MenuItem(label=say("get-model"))
        more.connect("activate", lambda _: self._take(MODELS))
        menu.append(more)
        menu.show_all()
        menu.popup_at_widget(self._model, Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST, None)

    def draw_documents(self, state: PanelState) -> None:
        """Also when the panel has nothing new: a picture may be opened beside the one that is chosen."""
        documents = self._editor.documents()
        key = "" if state.document is None else state.document.key
        self._documents.show_entries(documents, key)
        ui.set_shown(self._documents, len(documents) > 1)
