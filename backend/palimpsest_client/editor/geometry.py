"""Sizes and rectangles of the canvas, in pixels; y grows downwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, List, NamedTuple, Sequence


class Extent(NamedTuple):
    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def bounds(self) -> Bounds:
        return Bounds(0, 0, self.width, self.height)


class Bounds(NamedTuple):
    """The pixels x … x + width - 1, y … y + height - 1. Empty when a side is 0."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def extent(self) -> Extent:
        return Extent(self.width, self.height)

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def contains(self, other: Bounds) -> bool:
        return other.empty or self.union(other) == self

    def intersect(self, other: Bounds) -> Bounds:
        """What both cover; empty (0, 0, 0, 0) when they don't meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width, height = min(self.right, other.right) - x, min(self.bottom, other.bottom) - y
        return Bounds(x, y, width, height) if width > 0 and height > 0 else Bounds(0, 0, 0, 0)

    def union(self, other: Bounds) -> Bounds:
        """The smallest that covers both."""
        if self.empty or other.empty:
            return other if self.empty else self
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Bounds(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def grown(self, margin: int, within: Extent | None = None) -> Bounds:
        """Larger by ``margin`` on every side, cut at the canvas."""
        grown = Bounds(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin)
        return grown if within is None else grown.intersect(within.bounds)

    def moved(self, dx: int, dy: int) -> Bounds:
        return self._replace(x=self.x + dx, y=self.y + dy)


def tiles(bounds: Bounds, side: int) -> Iterator[Bounds]:
    """``bounds`` cut into pieces of at most ``side`` × ``side``, row by row, without overlap."""
    for y in range(bounds.y, bounds.bottom, side):
        for x in range(bounds.x, bounds.right, side):
            yield Bounds(x, y, min(side, bounds.right - x), min(side, bounds.bottom - y))


def strips(bounds: Bounds, most: int) -> Iterator[Bounds]:
    """``bounds`` cut into bands of whole rows with at most ``most`` pixels each, and at least one row."""
    rows = max(1, most // max(1, bounds.width))
    for y in range(bounds.y, bounds.bottom, rows):
        yield Bounds(bounds.x, y, bounds.width, min(rows, bounds.bottom - y))


def spread(bounds: Bounds, most: int) -> List[Bounds]:
    """At most so many rows of ``bounds``, each one pixel high, evenly spread, the first and the last among
    them."""
    count = min(most, bounds.height)
    places = [row * (bounds.height - 1) // max(1, count - 1) for row in range(count)]
    return [Bounds(bounds.x, bounds.y + place, bounds.width, 1) for place in places]


def in_rows(
    widths: Sequence[int], height: Callable[[int, int], int], room: int, gap: int, one_row: bool = False
) -> List[Bounds]:
    """Places of things side by side that go on in the next row where ``room`` ends, in px; one that is wider
    is cut. ``height``: of the thing of this number at this width. ``one_row``: those that fit into the first
    row, no others."""
    places: List[Bounds] = []
    x = y = row = 0
    for number, wanted in enumerate(widths):
        width = min(wanted, max(1, room))
        if x > 0 and x + width > room:
            if one_row:
                break
            x, y, row = 0, y + row + gap, 0
        places.append(Bounds(x, y, width, height(number, width)))
        x, row = x + width + gap, max(row, places[-1].height)
    return places
