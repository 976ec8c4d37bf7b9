"""What changed outside the selection, counted on the files that were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from palimpsest.cli.pictures import Pictures

BAND = 1 << 20  # pixels compared at a time: in most of a large picture nothing differs
Box = tuple[int, int, int, int]  # left, top, right, bottom


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

    pixels, rows = int(np.count_nonzero(outside)), max(1, BAND // outside.shape[1])

    def count(file: Path) -> Outside:
        after = pictures.read(file)
        pairs = [(before.pixels, after.pixels)]
        if before.alpha is not None and after.alpha is not None:
            pairs.append((before.alpha[..., None], after.alpha[..., None]))
        changed, most = 0, 0
        for top in range(0, len(outside), rows):
            band = slice(top, top + rows)
            found = _differences([(one[band], other[band]) for one, other in pairs], outside[band])
            changed, most = changed + int(np.count_nonzero(found)), max(most, int(found.max(initial=0)))
        return Outside(pixels, changed, most, grown_by)

    return count


def _differences(pairs: Sequence[tuple[Any, Any]], outside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The greatest difference of the samples (h, w, channels) of each pixel that is outside."""
    import numpy as np

    found = np.zeros(np.count_nonzero(outside), np.int32)
    for one, other in pairs:
        if not np.array_equal(one, other):
            levels = np.abs(one.astype(np.int32) - other).max(axis=-1)
            found = np.maximum(found, levels[outside])
    return found
