"""Which part of a canvas a model works on: a box around the selection, with context, near its own size.

The backend chooses by this, and the panel knows by it what must be sent. Whole numbers of pixels only;
``core/picture/region.py`` says what becomes of them.
"""

from __future__ import annotations

import math
from typing import List, NamedTuple, Optional, Tuple

from .geometry import Bounds, Extent

LONGEST = 1.5  # a wide region's working side, in native sizes; beyond it models repeat themselves


class RegionSettings(NamedTuple):
    """How a model looks at a canvas."""

    native: int  # px: side of the squares that it was trained on
    granularity: int  # px: working sizes are multiples of it
    context: float = 0.5  # kept around the selection on each side, in its longer sides
    working_size: Optional[int] = None  # px: the long side that it works at; None = near ``native``
    reach: int = 0  # px of the canvas that the selection is grown by


class RegionPlan(NamedTuple):
    """``box`` of the canvas is scaled to ``inner``, the upper left of ``work``, which the model sees."""

    box: Bounds
    inner: Extent
    work: Extent


def plan_region(canvas: Extent, selected: Optional[Bounds], settings: RegionSettings) -> RegionPlan:
    """For what is selected of a canvas; None = all of it.

    The box is never smaller than ``native`` where the canvas has more to give. Where it would be more of one
    shape than working sizes allow, it is widened.
    """
    box = canvas.bounds if selected is None else with_context(selected, canvas, settings)
    work = working_size(box.extent, settings)
    scale = min(work.width / box.width, work.height / box.height)
    wanted = Extent(round(work.width / scale), round(work.height / scale))
    box = widened(box, wanted, canvas)
    scale = min(work.width / box.width, work.height / box.height)
    inner = Extent(
        min(work.width, max(1, round(box.width * scale))),
        min(work.height, max(1, round(box.height * scale))),
    )
    return RegionPlan(box, inner, work)


def with_context(selected: Bounds, canvas: Extent, settings: RegionSettings) -> Bounds:
    least = max(settings.granularity, settings.reach)
    margin = max(least, math.ceil(settings.context * max(selected.extent)))
    wanted = (max(settings.native, length + 2 * margin) for length in selected.extent)
    return widened(selected, Extent(*wanted), canvas)


def widened(box: Bounds, wanted: Extent, canvas: Extent) -> Bounds:
    """The box made at least ``wanted`` large around its centre, pushed inside the canvas, cut to it."""

    def span(start: int, length: int, wanted: int, limit: int) -> Tuple[int, int]:
        longer = min(limit, max(wanted, length))
        start = start - (longer - length) // 2
        return min(max(start, 0), limit - longer), longer

    x, width = span(box.x, box.width, wanted.width, canvas.width)
    y, height = span(box.y, box.height, wanted.height, canvas.height)
    return Bounds(x, y, width, height)


def working_size(size: Extent, settings: RegionSettings) -> Extent:
    """Of the lawful sizes around the wanted one, the one with little reflection and the right area."""
    longer, shorter = max(size), min(size)
    long_side = settings.working_size
    if long_side is None:
        long_side = round(min(settings.native * math.sqrt(longer / shorter), settings.native * LONGEST))
    scale = long_side / longer

    def around(length: int) -> List[int]:
        steps = length * scale / settings.granularity
        given = settings.working_size is not None and length == longer
        near = {round(steps)} if given else {math.floor(steps), math.ceil(steps)}
        return [max(1, count) * settings.granularity for count in sorted(near)]

    def cost(work: Extent) -> float:
        fit = min(work.width / size.width, work.height / size.height)
        area = work.width * work.height
        reflected = 1 - fit * fit * size.width * size.height / area
        return reflected + abs(math.log(area / (scale * scale * size.width * size.height))) / 2

    return min((Extent(w, h) for w in around(size.width) for h in around(size.height)), key=cost)


SOFT = [*range(65), 96, 128, 192, 256, 384, 512]  # px that a soft edge may be too faint to count


def crop_around(canvas: Extent, selected: Bounds, settings: RegionSettings) -> Bounds:
    """The part of the canvas that contains the box for a selection with these bounds, and for one whose soft
    edge doesn't count: the backend takes what is nearly black for black. On this part alone `planned` says
    the same as on the whole canvas."""
    part = plan_region(canvas, selected, settings).box
    for faint in SOFT:
        core = shrunk(selected, faint, canvas)
        if not core.empty:
            part = part.union(plan_region(canvas, core, settings).box)
    return part


def shrunk(selected: Bounds, faint: int, canvas: Extent) -> Bounds:
    """By ``faint`` on every side that isn't the canvas's own."""
    left = selected.x + faint * (selected.x > 0)
    top = selected.y + faint * (selected.y > 0)
    right = selected.right - faint * (selected.right < canvas.width)
    bottom = selected.bottom - faint * (selected.bottom < canvas.height)
    return Bounds(left, top, right - left, bottom - top)
