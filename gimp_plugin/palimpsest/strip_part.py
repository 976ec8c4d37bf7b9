# pyright: reportMissingImports=false
# GIMP's Python brings gi.
"""What the places of *Keep structure* would make, under its slider: a click sets it there."""

from __future__ import annotations

import widgets as ui
from _client.panel import Panel
from _client.structure_strip import PLACES, SLIDER, Tile
from gi.repository import Gtk

SIDE, HEIGHT = 40, 46  # px, of a picture and of its button


class StripPart(Gtk.Box):
    def __init__(self, panel: Panel) -> None:
        super().__init__(homogeneous=True, spacing=2)
        self._drawn: tuple[Tile, ...] = ()
        change = panel.draft.change
        self.tiles = [ui.button("", lambda v=value: change(SLIDER.name, v), "strip") for value in PLACES]
        for made in self.tiles:
            made.set_size_request(-1, HEIGHT)
            self.pack_start(made, True, True, 0)

    def draw(self, tiles: tuple[Tile, ...]) -> None:
        ui.set_shown(self, bool(tiles))
        if tiles == self._drawn:
            return
        self._drawn = tiles
        for made, tile in zip(self.tiles, tiles):
            seen = ui.sight(tile.picture, SIDE) if tile.picture else ui.label(tile.text, "quiet", "small")
            seen.set_halign(Gtk.Align.CENTER)
            ui.cleared(made).add(seen)
            seen.show()
            made.set_relief(Gtk.ReliefStyle.NORMAL if tile.chosen else Gtk.ReliefStyle.NONE)
            made.set_tooltip_text(tile.tip)
            made.get_accessible().set_name(tile.tip)
