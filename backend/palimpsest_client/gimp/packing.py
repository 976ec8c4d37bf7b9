"""What GIMP shows of a layer or a selection, to PNG: read in bands, packed on another thread."""

from __future__ import annotations

from typing import Callable, Tuple

from ..editor import masks, png
from ..editor.geometry import Bounds
from ..editor.packing import pack
from ..editor.picture_file import PictureFile
from ..editor.slices import Steps, WorkError
from ..text.wording import say
from .pasting import Kind, apply_mask

Read = Callable[[Bounds], bytes]  # of a part of the canvas


def pack_picture(
    part: Bounds, most: int, kind: Kind, file: PictureFile, pixels: Read, mask: Read | None = None
) -> Steps[bytes]:
    """A PNG of ``part``. ``mask``: what its opacity is multiplied with."""
    layout = png.Layout(part.extent, kind.channels, kind.depth)
    if mask is None:
        return (yield from pack(layout, part, most, pixels, file))

    def both(band: Bounds) -> Tuple[bytes, bytes]:
        return pixels(band), mask(band)

    def shown(read: Tuple[bytes, bytes]) -> bytes:
        return apply_mask(*read, kind)

    return (yield from pack(layout, part, most, both, file, shown))


def pack_selection(part: Bounds, most: int, read: Read) -> Steps[bytes]:
    """A grey PNG of ``part``. Raises WorkError where nothing of it is selected."""
    touched = False

    def noticed(band: Bounds) -> bytes:
        nonlocal touched
        values = read(band)
        touched = touched or not masks.is_empty(values)
        return values

    made = yield from pack(png.Layout(part.extent, 1), part, most, noticed, PictureFile())
    if not touched:
        raise WorkError(say("layer-untouched"))
    return made
