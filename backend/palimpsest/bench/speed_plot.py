"""The picture of ``bench speed``: how a hot edit's seconds and evaluations grow."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from palimpsest.bench.pictures import INK

WIDE, TALL, ROOM = 300, 220, 50  # of one plot, and around it, in pixels
DOT, FRAME = 4, (225, 225, 225)
SECONDS, EVALUATIONS = (40, 110, 190), (170, 170, 170)


def scaling_picture(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A PNG with a plot for each series of ``rows``: seconds, and in grey evaluations, each as a multiple of
    the series' first row's."""
    names = list(dict.fromkeys(row["series"] for row in rows))
    sheet = Image.new("RGB", (len(names) * (WIDE + ROOM) + ROOM, TALL + 2 * ROOM), "white")
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        of_name = [row for row in rows if row["series"] == name]
        _plot(draw, (ROOM + column * (WIDE + ROOM), ROOM), name, of_name)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _plot(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """What grows to the right, the multiple upwards, both on logarithmic scales."""
    left, top = corner
    font, first = ImageFont.load_default(11), rows[0]
    lines = {
        EVALUATIONS: [row["evaluations"] / first["evaluations"] for row in rows],
        SECONDS: [row["times"] for row in rows],
    }
    widths = [math.log(row["at"]) for row in rows]
    heights = [math.log(value) for values in lines.values() for value in values]
    low, high = min(*heights, 0.0) - 0.4, max(*heights, math.log(2)) + 0.15

    def at(x: float, value: float) -> tuple[float, float]:
        across = (x - widths[0]) / max(widths[-1] - widths[0], 1e-9)
        return left + WIDE * (0.08 + 0.84 * across), top + TALL * (high - math.log(value)) / (high - low)

    draw.rectangle((left, top, left + WIDE, top + TALL), outline=FRAME)
    draw.text((left, top - 32), f"{name}: hot edit, times the first's", fill=INK, font=font)
    draw.text((left, top - 17), "seconds", fill=SECONDS, font=font)
    draw.text((left + 60, top - 17), "evaluations", fill=EVALUATIONS, font=font)
    for colour, values in lines.items():
        places = [at(x, value) for x, value in zip(widths, values, strict=True)]
        draw.line(places, fill=colour, width=2)
        for x, y in places:
            draw.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=colour)
    for x, row in zip(widths, rows, strict=True):
        over = at(x, row["times"])
        draw.text((over[0], over[1] + 7), f"{row['times']:.2f}", fill=SECONDS, font=font, anchor="ma")
        draw.text((over[0], top + TALL + 4), str(row["at"]), fill=INK, font=font, anchor="ma")
