"""What the places of *Keep structure* would make, under its slider: a click sets it there."""

from __future__ import annotations

from ._client.panel import Panel
from ._client.structure_strip import PLACES, SLIDER, Tile
from .layout import column, picture, row
from .qt import QIcon, QSize, QSizePolicy, QToolButton, QWidget

SIDE, HEIGHT = 40, 46  # px, of a picture and of its button


class StripPart(QWidget):
    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._drawn: tuple[Tile, ...] = ()
        self.tiles = [QToolButton() for _ in PLACES]
        for made, value in zip(self.tiles, PLACES):
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            made.setFixedHeight(HEIGHT)
            made.setIconSize(QSize(SIDE, SIDE))
            made.clicked.connect(lambda _=False, value=value: panel.draft.change(SLIDER.name, value))
        column(self, row(*self.tiles))

    def draw(self, tiles: tuple[Tile, ...]) -> None:
        self.setVisible(bool(tiles))
        if tiles == self._drawn:
            return
        self._drawn = tiles
        for made, tile in zip(self.tiles, tiles):
            made.setText(tile.text)  # seen where there is no picture
            made.setIcon(QIcon(picture(tile.picture, SIDE)))
            made.setAutoRaise(not tile.chosen)
            made.setToolTip(tile.tip)
            made.setAccessibleName(tile.tip)
