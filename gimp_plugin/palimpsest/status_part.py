# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""Top of the window: the backend's state, what can be done about it, and which picture is edited."""

from __future__ import annotations

from collections.abc import Callable

import host
import widgets as ui
from _client.panel_state import PanelState
from _client.wording import say
from gi.repository import Gtk

KINDS = ("ready", "busy", "trouble")


class StatusPart(Gtk.Box):
    """``take`` does what an offer's button says; ``settings`` opens the settings."""

    def __init__(
        self, editor: host.GimpEditor, take: Callable[[str], None], settings: Callable[[], None]
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=ui.SPACE)
        self._editor, self._take = editor, take
        self._dot = ui.label("●")
        self._dot.set_valign(Gtk.Align.START)
        self._text = ui.label(wrap=True)
        gear = ui.button("⚙", settings, "tight", tip=say("settings"))
        gear.set_valign(Gtk.Align.START)
        self._offers = ui.tiles()
        self._documents = ui.Choice(editor.choose)
        for part in (ui.row(self._dot, self._text, gear, stretched=1), self._offers, self._documents):
            self.pack_start(part, False, False, 0)

    def draw(self, state: PanelState, before: PanelState | None) -> None:
        context = self._dot.get_style_context()
        for kind in KINDS:
            context.remove_class("palimpsest-" + kind)
        context.add_class("palimpsest-" + state.status.kind)
        self._text.set_text(state.status.text)
        if before is None or before.status.offers != state.status.offers:
            ui.show_offers(self._offers, state.status.offers, self._take)
        self.draw_documents(state)

    def draw_documents(self, state: PanelState) -> None:
        """Also when the panel has nothing new: a picture may be opened beside the one that is chosen."""
        documents = self._editor.documents()
        key = "" if state.document is None else state.document.key
        self._documents.show_entries(documents, key)
        ui.set_shown(self._documents, len(documents) > 1)
