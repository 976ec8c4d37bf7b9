"""What changed outside the selection, counted on the files that were written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from palimpsest.cli.pictures import Pictures


@dataclass(frozen=True)
class Outside:
    """``pixels`` outside the selection, grown by ``grown`` pixels; how many ``changed``, and by how much at
    most, in levels of the picture's depth."""

    pixels: int
    changed: int
    most: int
    grown: int

    def to_json(self) -> dict[str, int]:
        return {"pixels": self.pixels, "changed": self.changed, "most": self.most}

    def said(self) -> str:
        """For people: ``0 of 5,210 pixels outside the selection changed``."""
        where = f"outside the selection, grown by {self.grown}," if self.grown else "outside the selection"
        return f"{self.changed:,} of {self.pixels:,} pixels {where} changed"


Box = tuple[int, int, int, int]  # left, top, right, bottom


def counting(
    pictures: Pictures, photo: Path, selection: bytes, grown_by: int, box: Box | None = None
) -> Callable[[Path], Outside]:
    """What counts in a written file, colours and transparency. Raises the ImageErrors.

    ``box``: which part of the photo the file is of; None = all of it.
    """
    import numpy as np

    from palimpsest.core.picture.selection import grown
    from palimpsest.storage.pictures import part_of, read_selection

    whole = pictures.read(photo)
    before = whole if box is None else part_of(whole, box)
    left, top, right, bottom = (0, 0, *whole.size) if box is None else box
    chosen = grown(read_selection(selection, whole.size, pictures.limits), grown_by)
    outside = chosen[top:bottom, left:right] == 0

    def differing(one: Any, other: Any) -> Any:
        """(outside,) the greatest difference of a pixel's samples."""
        return np.abs(one[outside].astype(np.int32) - other[outside])

    def count(file: Path) -> Outside:
        after = pictures.read(file)
        found = differing(before.pixels, after.pixels).max(axis=-1, initial=0)
        if before.alpha is not None and after.alpha is not None:
            found = np.maximum(found, differing(before.alpha, after.alpha))
        return Outside(found.size, int((found > 0).sum()), int(found.max(initial=0)), grown_by)

    return count
