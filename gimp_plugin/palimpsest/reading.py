"""Pixels of GIMP's pictures, read a band at a time."""

from __future__ import annotations

from collections.abc import Callable

import pixels as px
from _client.editor.editor import CANVAS, LAYER, Capture
from _client.editor.geometry import Bounds
from _client.editor.packing import Outgoing, packed_picture, packed_selection
from _client.editor.slices import WORKED, Steps, WorkError
from _client.text.wording import say
from gi.repository import Gimp
from images import canvas_of, discard, kind_of, opened, placed_at, require_editable, required_layer
from selection import coverage_format, mark_of, selection_bounds


def captured(document: str, source: str, within: Bounds | None, file: Outgoing) -> Steps[Capture]:
    """Copies first, which takes no time, so that painting meanwhile doesn't tear the picture."""
    image = opened(document)
    require_editable(image)
    kind, canvas = kind_of(image), canvas_of(image)
    something = source in (CANVAS, LAYER) and selection_bounds(image) is not None
    layer = required_layer(image, source)
    copies: list[Gimp.Layer | Gimp.Channel] = [image.get_selection().copy()] if something else []
    selection = None
    try:
        yield WORKED
        copies.append(snapshot(opened(document), layer))
        content = content_of(opened(document), source)
        yield WORKED
        bounds = extent_of(copies[-1], image, within)
        if something:
            covered = reader(document, copies[0], coverage_format(image))
            selection = yield from packed_selection(bounds, px.STRIPE, covered)
        seen = copies[-1].get_mask() if layer is not None and layer.get_apply_mask() else None
        mask = None if seen is None else reader(document, seen, kind.mask_format)
        pixels = reader(document, copies[-1], kind.format)
        picture = yield from packed_picture(bounds, px.STRIPE, kind, file, pixels, mask)
    finally:
        discard(copies)
    of = CANVAS if layer is None else str(layer.get_id())
    return Capture(document, picture, selection, bounds, of, canvas, content, file.arrived)


def content_of(image: Gimp.Image, source: str) -> str:
    """Of a layer, which is seen elsewhere when it is moved, too."""
    return mark_of(image) + ("" if source == CANVAS else mark_of(required_layer(image, source)))


def snapshot(image: Gimp.Image, layer: Gimp.Layer | None) -> Gimp.Layer:
    """A copy that belongs to nobody: of one layer, or of what is seen."""
    return Gimp.Layer.new_from_visible(image, image, "Palimpsest") if layer is None else layer.copy()


def extent_of(layer: Gimp.Layer, image: Gimp.Image, within: Bounds | None) -> Bounds:
    """Where on the canvas ``layer`` gives pixels that are wanted."""
    bounds = placed_at(layer).intersect(canvas_of(image).bounds)
    bounds = bounds if within is None else bounds.intersect(within)
    if bounds.empty:
        raise WorkError(say("layer-outside"))
    return bounds


def reader(document: str, drawable: Gimp.Drawable, format: str) -> Callable[[Bounds], bytes]:
    """What gives parts of the canvas of ``drawable`` in babl's ``format``. Raises WorkError."""
    at, buffer = placed_at(drawable), drawable.get_buffer()

    def read(part: Bounds) -> bytes:
        opened(document)
        return px.read(buffer, part.moved(-at.x, -at.y), format)

    return read
