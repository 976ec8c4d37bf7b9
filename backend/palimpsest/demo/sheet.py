"""A contact sheet: rows of captioned pictures on one page."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

TILE = 224  # side of a picture on the sheet
GAP, MARGIN = 20, 36
CAPTION, HEADING, TITLE = 15, 20, 30  # font sizes
LINE = 20
PAPER, INK, GREY, LINE_COLOUR = (250, 249, 246), (28, 28, 30), (105, 105, 110), (214, 210, 202)
CHECKER = 8  # pixels of a checkerboard field, behind transparency


@dataclass(frozen=True)
class Tile:
    """A picture with one or more lines below it."""

    pixels: Pixels  # (h, w), (h, w, 3) or (h, w, 4)
    caption: str


@dataclass(frozen=True)
class Row:
    heading: str
    tiles: Sequence[Tile]


def contact_sheet(title: str, subtitle: str, rows: Sequence[Row]) -> Pixels:
    """(height, width, 3)."""
    wrapped = [[_lines(tile.caption) for tile in row.tiles] for row in rows]
    heights = [HEADING + 18 + TILE + 8 + LINE * max(map(len, lines)) + GAP for lines in wrapped]
    columns = max(len(row.tiles) for row in rows)
    width = 2 * MARGIN + columns * TILE + (columns - 1) * GAP
    top = MARGIN + TITLE + 2 * LINE + GAP
    page = Image.new("RGB", (width, top + sum(heights) + MARGIN // 2), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, MARGIN - 8), title, INK, ImageFont.load_default(TITLE))
    draw.text((MARGIN, MARGIN + TITLE + 6), subtitle, GREY, ImageFont.load_default(CAPTION))
    for row, lines, height in zip(rows, wrapped, heights, strict=True):
        draw.line((MARGIN, top - 10, width - MARGIN, top - 10), LINE_COLOUR)
        _row(page, draw, row, lines, top)
        top += height
    return np.asarray(page)


def _row(page: Image.Image, draw: ImageDraw.ImageDraw, row: Row, lines: list[list[str]], top: int) -> None:
    draw.text((MARGIN, top), row.heading, INK, ImageFont.load_default(HEADING))
    top += HEADING + 12
    small = ImageFont.load_default(CAPTION)
    for column, (tile, caption) in enumerate(zip(row.tiles, lines, strict=True)):
        left = MARGIN + column * (TILE + GAP)
        page.paste(_fit(tile.pixels), (left, top))
        for number, line in enumerate(caption):
            draw.text((left, top + TILE + 6 + LINE * number), line, INK if number == 0 else GREY, small)


def _lines(caption: str) -> list[str]:
    """Given lines stay; long ones are broken at about the tile's width."""
    return [part for line in caption.split("\n") for part in textwrap.wrap(line, 30) or [""]]


def _fit(pixels: Pixels) -> Image.Image:
    """Scaled to the tile without changing its shape, centred."""
    picture = Image.fromarray(on_checkerboard(pixels)).convert("RGB")
    scale = TILE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    scaled = picture.resize(size, Image.Resampling.BICUBIC)
    tile = Image.new("RGB", (TILE, TILE), PAPER)
    tile.paste(scaled, ((TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return tile


def on_checkerboard(pixels: Pixels) -> Pixels:
    """A picture with transparency laid on the usual checkerboard; others as they are."""
    if pixels.ndim == 2 or pixels.shape[2] != 4:
        return pixels
    rows, columns = np.indices(pixels.shape[:2]) // CHECKER
    ground = np.where((rows + columns) % 2, 204, 255)[..., None]
    alpha = pixels[..., 3:].astype(np.float64) / 255
    return np.rint(alpha * pixels[..., :3] + (1 - alpha) * ground).astype(np.uint8)


def outlined(pixels: Pixels, mask: Pixels, colour: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
    """A picture with the border of what is selected drawn on it, dashed black and ``colour``."""
    selected = np.pad(mask > 0, 1)
    inner = selected[1:-1, :-2] & selected[1:-1, 2:] & selected[:-2, 1:-1] & selected[2:, 1:-1]
    edge = selected[1:-1, 1:-1] & ~inner
    rows, columns = np.indices(mask.shape)
    dashes = ((rows + columns) // 3) % 2 == 0
    out = pixels.copy()
    out[edge & dashes] = colour
    out[edge & ~dashes] = (0, 0, 0)
    return out
