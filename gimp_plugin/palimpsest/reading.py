"""Pixels of GIMP's pictures, read a band at a time."""

from __future__ import annotations

from collections.abc import Callable

import pixels as px
from _client import masks, png
from _client.editor import CANVAS, LAYER, Capture, packing_level
from _client.geometry import Bounds
from _client.packing import packed
from _client.pasting import Kind, masked
from _client.slices import WORKED, Steps, WorkError
from _client.wording import say
from gi.repository import Gimp
from images import canvas_of, discard, kind_of, opened, placed_at, require_editable, required_layer
from selection import coverage_format, mark_of, selection_bounds


def captured(
    document: str, source: str, within: Bounds | None, address: str, done: Callable[[Capture], None]
) -> Steps[None]:
    """Copies first, which takes no time, so that painting meanwhile doesn't tear the picture."""
    image = opened(document)
    require_editable(image)
    kind, canvas = kind_of(image), canvas_of(image)
    something = source in (CANVAS, LAYER) and selection_bounds(image) is not None
    layer = None if source == CANVAS else required_layer(image, source)
    copies: list[Gimp.Layer | Gimp.Channel] = [image.get_selection().copy()] if something else []
    selection = None
    try:
        yield WORKED
        copies.append(snapshot(opened(document), layer))
        content = content_of(opened(document), source)
        yield WORKED
        bounds = extent_of(copies[-1], image, within)
        if something:
            selection = yield from selection_png(document, copies[0], bounds, coverage_format(image))
        with_mask = layer is not None and layer.get_apply_mask()
        picture = yield from picture_png(document, copies[-1], with_mask, bounds, kind, address)
    finally:
        discard(copies)
    of = CANVAS if layer is None else str(layer.get_id())
    done(Capture(document, picture, selection, bounds, of, canvas, content))


def picture_png(
    document: str, layer: Gimp.Layer, with_mask: bool, bounds: Bounds, kind: Kind, address: str
) -> Steps[bytes]:
    """``bounds`` of the canvas of a layer, ``with_mask`` or not, packed for the backend at ``address``."""
    pixels, mask = reader(document, layer, kind.format), layer.get_mask() if with_mask else None
    layout = png.Layout(bounds.extent, kind.channels, kind.depth)
    level = packing_level(address, layout.size)
    if mask is None:
        return (yield from packed(layout, bounds, px.STRIPE, pixels, level))
    covered = reader(document, mask, kind.mask_format)

    def both(part: Bounds) -> tuple[bytes, bytes]:
        return pixels(part), covered(part)

    def shown(read: tuple[bytes, bytes]) -> bytes:
        return masked(read[0], read[1], kind)

    return (yield from packed(layout, bounds, px.STRIPE, both, level, shown))


def selection_png(document: str, selection: Gimp.Channel, bounds: Bounds, format: str) -> Steps[bytes]:
    """``bounds`` of the canvas. Raises WorkError where nothing of it is selected."""
    read, touched = reader(document, selection, format), []

    def noticed(part: Bounds) -> bytes:
        values = read(part)
        if not touched and not masks.is_empty(values):
            touched.append(part)
        return values

    made = yield from packed(png.Layout(bounds.extent, 1), bounds, px.STRIPE, noticed)
    if not touched:
        raise WorkError(say("layer-untouched"))
    return made


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
