"""Pixels of GIMP's pictures, read a band at a time."""

from __future__ import annotations

from collections.abc import Callable

import images
import pixels as px
from _client.editor.editor import CANVAS, LAYER, Capture
from _client.editor.geometry import Bounds
from _client.editor.picture_file import PictureFile
from _client.editor.slices import WORKED, Steps, WorkError
from _client.gimp.packing import pack_picture, pack_selection
from _client.text.wording import say
from gi.repository import Gimp
from images import discard, opened, placed_at
from selection import coverage_format, mark_of, selection_bounds


def capture(document: str, source: str, crop: Bounds | None, file: PictureFile) -> Steps[Capture]:
    """Copies first, which takes no time, so that painting meanwhile doesn't tear the picture."""
    image = opened(document)
    images.require_editable(image)
    canvas = images.canvas_of(image)
    something = source in (CANVAS, LAYER) and selection_bounds(image) is not None
    layer = images.required_layer(image, source)
    copies: list[Gimp.Layer | Gimp.Channel] = [image.get_selection().copy()] if something else []
    selection = None
    try:
        yield WORKED
        copy, alpha = snapshot(opened(document), layer)
        copies.append(copy)
        content = content_of(opened(document), source)
        yield WORKED
        bounds = extent_of(copies[-1], image, crop)
        if something:
            covered = reader(document, copies[0], coverage_format(image))
            selection = yield from pack_selection(bounds, px.STRIPE, covered)
        seen = copies[-1].get_mask() if layer is not None and layer.get_apply_mask() else None
        kind = images.kind_of(opened(document), alpha or seen is not None)
        mask = None if seen is None else reader(document, seen, kind.mask_format)
        pixels = reader(document, copies[-1], kind.format)
        picture = yield from pack_picture(bounds, px.STRIPE, kind, file, pixels, mask)
    finally:
        discard(copies)
    of = CANVAS if layer is None else str(layer.get_id())
    return Capture(document, picture, selection, bounds, of, canvas, content, file.arrived)


def content_of(image: Gimp.Image, source: str) -> str:
    """Of a layer, which is seen elsewhere when it is moved, too."""
    return mark_of(image) + ("" if source == CANVAS else mark_of(images.required_layer(image, source)))


def snapshot(image: Gimp.Image, layer: Gimp.Layer | None) -> tuple[Gimp.Layer, bool]:
    """A copy that belongs to nobody, of one layer or of what is seen, and whether it may be transparent."""
    if layer is not None:
        return layer.copy(), layer.has_alpha()
    stack = images.opaque_stack(image)
    if len(stack) == 1 and images.shows_layers_alone(image):
        return stack[0].copy(), False  # what is seen, and no work to copy: layers share their tiles
    return Gimp.Layer.new_from_visible(image, image, "Palimpsest"), not stack


def extent_of(layer: Gimp.Layer, image: Gimp.Image, crop: Bounds | None) -> Bounds:
    """Where on the canvas ``layer`` gives pixels that are wanted."""
    bounds = placed_at(layer).intersect(images.canvas_of(image).bounds)
    bounds = bounds if crop is None else bounds.intersect(crop)
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
