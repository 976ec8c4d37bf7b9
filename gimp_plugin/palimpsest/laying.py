"""Results as layers of GIMP's pictures: made beside the picture, and put in by one undo step."""

from __future__ import annotations

import json

import images
import pixels as px
import preview_layer
from _client.editor.editor import LayerResult, require_fit
from _client.editor.geometry import Bounds
from _client.editor.imprints import OWN, Imprint
from _client.editor.renewing import OldLayer
from _client.editor.slices import WORKED, Steps, WorkError, finish, on_thread
from _client.editor.sources import layer_below
from _client.gimp.pasting import LayerContent, layer_bounds, space_of
from _client.text.wording import say
from gi.repository import Gimp
from renewal import IMPRINT, digest_of


def insert(document: str, result: LayerResult, kept: OldLayer | None) -> Steps[Gimp.Layer]:
    """Everything is made beside the picture; putting it in is one step."""
    content = yield from content_of_result(document, result)
    image = images.opened(document)
    layer = new_layer(image, content, result) if kept is None else kept.layer.copy()
    attach(layer, images.RECIPE, result.recipe)
    fits = (layer.get_width(), layer.get_height()) == content.bounds.extent
    if fits:
        imprint = yield from fill(document, layer, content, kept)
        attach(layer, IMPRINT, imprint._replace(name=result.name).text)
    image = images.opened(document)
    require_fit(images.canvas_of(image), result.bounds, result.canvas)
    preview_layer.take_away(image)
    image.undo_group_start()
    try:
        put_in(image, layer, result)
        if not fits:
            resize(layer, layer_bounds(content, kept))  # which GIMP does only in a picture
            imprint = finish(fill(document, layer, content, kept))
            layer.update(0, 0, *content.bounds.extent)
            with preview_layer.unrecorded(image):
                attach(layer, IMPRINT, imprint._replace(name=result.name).text)
        if kept is not None:
            replace(image, kept, layer, result.name)
    finally:
        image.undo_group_end()
    yield WORKED
    Gimp.displays_flush()
    return layer


def make(document: str, result: LayerResult) -> Steps[Gimp.Layer]:
    """A layer of its own with its mask, in no picture yet."""
    content = yield from content_of_result(document, result)
    layer = new_layer(images.opened(document), content, result)
    attach(layer, images.RECIPE, result.recipe)
    yield from fill(document, layer, content, None)
    require_fit(images.canvas_of(images.opened(document)), result.bounds, result.canvas)
    return layer


def content_of_result(document: str, result: LayerResult) -> Steps[LayerContent]:
    """Raises WorkError for what doesn't belong here or shows nothing."""
    grey = images.opened(document).get_base_type() == Gimp.ImageBaseType.GRAY
    require_fit(images.canvas_of(images.opened(document)), result.bounds, result.canvas)
    content = yield from on_thread(lambda: px.read_content(result, grey))
    if content is None:
        raise WorkError(say("result-empty"))
    images.require_editable(images.opened(document))
    return content


def fill(document: str, layer: Gimp.Layer, made: LayerContent, kept: OldLayer | None) -> Steps[Imprint]:
    """Pixels and mask, unless that is people's own; and what they are like, to be known again."""
    yield from images.write_in_turns(document, layer, made.pixels, made.kind.format)
    own = kept is not None and kept.own_mask
    if not own:
        mask = layer.get_mask() or layer.create_mask(Gimp.AddMaskType.BLACK)
        yield from images.write_in_turns(document, mask, made.mask, made.kind.mask_format)
        if layer.get_mask() is None:
            layer.add_mask(mask)
    layer.set_offsets(*layer_bounds(made, kept)[:2])
    pixels = yield from digest_of(layer, lambda: images.opened(document))
    covered = OWN if own else (yield from digest_of(layer.get_mask(), lambda: images.opened(document)))
    at = made.bounds.x, made.bounds.y
    return Imprint("", images.canvas_of(images.opened(document)), made.bounds, at, at, pixels, covered)


def new_layer(image: Gimp.Image, made: LayerContent, result: LayerResult) -> Gimp.Layer:
    """Mixed in the picture's own encoding: another one would convert what lies below, not exactly back."""
    type = Gimp.ImageType.GRAYA_IMAGE if made.kind.grey else Gimp.ImageType.RGBA_IMAGE
    layer = Gimp.Layer.new(image, result.name, *made.bounds.extent, type, 100.0, Gimp.LayerMode.NORMAL)
    layer.set_blend_space(own_space(image))
    layer.set_composite_space(own_space(image))
    return layer


def attach(layer: Gimp.Layer, name: str, told: str) -> None:
    """JSON that stays with a layer which is in no picture yet: in one, GIMP makes of it a step that can't be
    undone, and says so to people at each undo. GIMP 3.0 takes no byte above 127 from us."""
    images.keep(layer, name, json.dumps(json.loads(told)), Gimp.PARASITE_PERSISTENT)


def resize(layer: Gimp.Layer, bounds: Bounds) -> None:
    """So that it covers ``bounds`` of the canvas."""
    at = images.placed_at(layer)
    layer.resize(*bounds.extent, at.x - bounds.x, at.y - bounds.y)


def own_space(image: Gimp.Image) -> Gimp.LayerColorSpace:
    return getattr(Gimp.LayerColorSpace, space_of(image.get_precision().value_nick))


def put_in(image: Gimp.Image, layer: Gimp.Layer, result: LayerResult) -> None:
    """Above what it was made from, or above the one that it updates."""
    old = None if result.updates is None else images.layer_of(image, result.updates)
    below = layer_below(*images.source_in(image, result.source)) if old is None else old
    parent, position = (None, 0) if below is None else (below.get_parent(), image.get_item_position(below))
    image.insert_layer(layer, parent, position)
    layer.set_edit_mask(False)  # whatever is done next is done to the layer, not to its mask


def replace(image: Gimp.Image, kept: OldLayer, layer: Gimp.Layer, given: str) -> None:
    """``layer`` in place of the old one, whose name is free when it is gone."""
    own = kept.layer.get_name() if kept.own_name else ""
    old = images.layer_of(image, str(kept.layer.get_id()))
    if old is not None:
        image.remove_layer(old)
    layer.set_name(own or given)
