"""What is selected in GIMP's pictures, read and set."""

from __future__ import annotations

import pixels as px
from _client.editor.editor import require_fit
from _client.editor.geometry import Bounds, Extent
from _client.editor.imprints import digest_of
from _client.editor.slices import WORKED, Steps, on_thread
from gi.repository import Gegl, Gimp
from images import PLAIN, canvas_of, discard, opened, write_in_turns

SIDE = 64  # px of the small picture by which something is known


def selection_bounds(image: Gimp.Image) -> Bounds | None:
    _, something, left, top, right, bottom = Gimp.Selection.bounds(image)
    return Bounds(left, top, right - left, bottom - top) if something else None


def mark_of(shown: Gimp.Image | Gimp.Drawable) -> str:
    """Of what is selected, painted or seen: another for another. GIMP keeps all of it in small too."""
    return digest_of(shown.get_thumbnail_data(SIDE, SIDE)[0].get_data())


def coverage_format(image: Gimp.Image) -> str:
    """Of a channel that holds a selection. Selections and masks themselves are always "Y"; channels of
    8 bits are encoded like the picture, and GIMP copies the bytes between them as they are."""
    return "Y' u8" if image.get_precision() in PLAIN else "Y u8"


def select(document: str, mask: bytes, bounds: Bounds, before: Extent | None) -> Steps[None]:
    """A rectangle is selected and the mask laid into it, one step of the history: GIMP works on as much of
    the canvas as the mask covers."""
    require_fit(canvas_of(opened(document)), bounds, before)
    values = yield from on_thread(lambda: px.coverage(mask, bounds))
    image = opened(document)
    channel = Gimp.Channel.new(image, "Palimpsest", *bounds.extent, 50.0, Gegl.Color.new("black"))
    try:
        yield from write_in_turns(document, channel, values, coverage_format(image))
        image, replace = opened(document), Gimp.ChannelOps.REPLACE
        require_fit(canvas_of(image), bounds, before)
        image.undo_group_start()
        try:
            image.select_rectangle(replace, *bounds)
            image.get_selection().combine_masks(channel, replace, bounds.x, bounds.y)
        finally:
            image.undo_group_end()
    finally:
        discard([channel])
    yield WORKED
    Gimp.displays_flush()
