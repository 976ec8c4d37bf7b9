"""The same cases by several methods: side by side, and against what they cost."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from palimpsest.bench.pictures import INK
from palimpsest.bench.quality_report import PHOTO, TRUTH, Outcome, compared, figures, plain

WIDE, TALL, ROOM = 420, 260, 46  # of one plot, and around it, in pixels
LABEL = (90, 12)  # width and height of a point's name, in pixels
DOT, LINE, GREY, BEST = 4, (150, 150, 150), (225, 225, 225), (40, 160, 60)


def side_by_side(outcomes: Sequence[Outcome], methods: Sequence[str]) -> dict[str, Any]:
    """By kind, by method: figures, and under ``against`` differences to the first method, case by case."""
    kinds = dict.fromkeys(outcome.kind for outcome in outcomes)
    return {
        kind: {
            method: _figures([o for o in outcomes if o.kind == kind], method, methods[0])
            for method in (*methods, TRUTH, PHOTO)
        }
        for kind in kinds
    }


def _figures(outcomes: Sequence[Outcome], method: str, first: str) -> dict[str, Any]:
    mine, theirs = ([o for o in outcomes if o.method == name] for name in (method, first))
    cases, earlier = ({"cases": [plain(outcome) for outcome in some]} for some in (mine, theirs))
    (gap,) = compared(cases, earlier).values()
    return {**figures(mine), "against": gap, **cases}


def pareto(kinds: Mapping[str, Any]) -> bytes:
    """A PNG: for each kind joint success and dB inside the selection over what an edit costs, evaluations
    and backward passes; a line through the methods that none beats in both."""
    sheet = Image.new("RGB", (2 * (WIDE + ROOM) + ROOM, len(kinds) * (TALL + ROOM) + ROOM), "white")
    for row, (kind, methods) in enumerate(kinds.items()):
        measured = {name: found for name, found in methods.items() if name not in (PHOTO, TRUTH)}
        cost = {name: _cost(found) for name, found in measured.items()}
        values = {
            "joint, %": {name: 100 * found["joint"]["rate"] for name, found in measured.items()},
            "inside, dB": {
                name: found["inside_psnr_against_truth"]["mean"] for name, found in measured.items()
            },
        }
        for column, (what, heights) in enumerate(values.items()):
            corner = (ROOM + column * (WIDE + ROOM), ROOM + row * (TALL + ROOM))
            points = {name: (cost[name], height) for name, height in heights.items()}
            _plot(ImageDraw.Draw(sheet), corner, f"{kind}: {what}", points)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _cost(found: Mapping[str, Any]) -> float:
    """Evaluations, each backward pass counted as one more."""
    return found["unet_evaluations"]["mean"] + found["backward_evaluations"]["mean"]


def best(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Those that no other is as good as for less, or better than for as much; the cheapest first."""
    found: list[str] = []
    for name in sorted(points, key=lambda name: (points[name][0], -points[name][1])):
        if not found or points[name][1] > points[found[-1]][1]:
            found.append(name)
    return found


def _plot(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    title: str,
    points: Mapping[str, tuple[float, float]],
) -> None:
    """Cost on a logarithmic scale to the right, goodness upwards."""
    left, top = corner
    font = ImageFont.load_default(11)
    costs, heights = ([point[i] for point in points.values()] for i in (0, 1))
    x_low, x_high = math.log(min(costs) / 1.2), math.log(max(costs) * 1.8)
    y_low, y_high = _around(heights)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x = left + WIDE * (math.log(point[0]) - x_low) / (x_high - x_low)
        return x, top + TALL * (y_high - point[1]) / (y_high - y_low)

    draw.rectangle((left, top, left + WIDE, top + TALL), outline=GREY)
    draw.text((left, top - 16), f"{title}, over evaluations", fill=INK, font=font)
    for height in {min(heights), max(heights)}:
        y = at((min(costs), height))[1]
        draw.text((left - 4, y), f"{height:.1f}", fill=INK, font=font, anchor="rm")
    for cost in (min(costs), max(costs)):
        draw.text((at((cost, y_low))[0], top + TALL + 3), f"{cost:.0f}", fill=INK, font=font, anchor="ma")
    front = best(points)
    draw.line([at(points[name]) for name in front], fill=BEST, width=2)
    for name, (x, y) in {name: at(point) for name, point in points.items()}.items():
        draw.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=BEST if name in front else LINE)
    for name, (x, y) in _apart({name: at(point) for name, point in points.items()}).items():
        draw.text((x + DOT + 3, y), name, fill=INK, font=font, anchor="lm")


def _apart(places: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Where each label goes: beside its point, lower where another one is in the way."""
    found: dict[str, tuple[float, float]] = {}
    for name, (x, y) in sorted(places.items(), key=lambda item: item[1][1]):
        while any(abs(x - other) < LABEL[0] and abs(y - at) < LABEL[1] for other, at in found.values()):
            y += 1
        found[name] = (x, y)
    return found


def _around(heights: Sequence[float]) -> tuple[float, float]:
    room = max(0.15 * (max(heights) - min(heights)), 0.5)
    return min(heights) - room, max(heights) + room
