"""Contact sheets: pictures in a grid with a line or two of text under each."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]  # (height, width, 3)

GAP = 6
LINE = 11  # pixels per line of text
INK = (30, 30, 30)


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet. ``ok`` colours its frame: green, red, or none for None."""

    picture: Picture
    text: str = ""
    ok: bool | None = None


def contact_sheet(tiles: Sequence[Tile], columns: int = 6, side: int = 128) -> Image.Image:
    """Lay the tiles out row by row, each picture ``side`` pixels wide, room for three lines of text.

    The pictures are of one shape.
    """
    rows = -(-len(tiles) // columns)
    tall, wide = tiles[0].picture.shape[:2]
    size = (side, round(side * tall / wide))
    height = size[1] + 3 * LINE + GAP
    sheet = Image.new("RGB", (columns * (side + GAP) + GAP, rows * height + GAP), "white")
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        place(sheet, tile, (GAP + column * (side + GAP), GAP + row * height), size)
    return sheet


def place(sheet: Image.Image, tile: Tile, corner: tuple[int, int], size: tuple[int, int]) -> None:
    x, y = corner
    width, height = size
    draw = ImageDraw.Draw(sheet)
    if tile.ok is not None:
        draw.rectangle(
            (x - 2, y - 2, x + width + 1, y + height + 1), fill=(40, 160, 60) if tile.ok else (210, 50, 40)
        )
    sheet.paste(Image.fromarray(tile.picture).resize(size, Image.Resampling.LANCZOS), corner)
    lines = textwrap.wrap(tile.text, width=max(1, width // 5))[:3]
    for number, line in enumerate(lines):
        draw.text((x, y + height + 1 + number * LINE), line, fill=INK, font=ImageFont.load_default(9))
