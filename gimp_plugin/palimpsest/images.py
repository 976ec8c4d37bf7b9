"""GIMP's pictures and layers: which one is meant, and what it is like.

A GIMP call on a picture that was closed doesn't raise: it answers 0 or nothing. So pictures are kept
by their id, and every turn asks first whether it is still there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pixels as px
from _client.editor import sources
from _client.editor.geometry import Bounds, Extent, strips
from _client.editor.slices import WORKED, Steps, WorkError
from _client.gimp.pasting import Kind
from _client.text.wording import say
from gi.repository import Gimp

RECIPE = "palimpsest-recipe"  # the parasite of a layer that says how it was made
PLAIN = (Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)
COMPONENTS = [getattr(Gimp.ChannelType, name) for name in ("RED", "GREEN", "BLUE", "ALPHA")]
ADDING = (Gimp.LayerCompositeMode.AUTO, Gimp.LayerCompositeMode.UNION)


def is_open(document: str) -> bool:
    return Gimp.Image.id_is_valid(int(document))


def opened(document: str) -> Gimp.Image:
    """Raises WorkError when it was closed."""
    if not is_open(document):
        raise WorkError(say("closed"))
    return Gimp.Image.get_by_id(int(document))


def file_of(image: Gimp.Image) -> str:
    """The path it was opened or imported from; "" = from nowhere."""
    file = image.get_xcf_file() or image.get_imported_file()
    return "" if file is None else file.get_path() or ""


def name_of(image: Gimp.Image) -> str:
    """As in the title of its window, where an imported file goes by its own name."""
    return os.path.basename(file_of(image)) or image.get_name() or ""


def refused(image: Gimp.Image, layer: Gimp.Layer | None) -> tuple[str, str]:
    """Why it can't be edited, and the remedy; empty if it can."""
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        return say("indexed"), say("rgb-copy")
    if layer is None:
        return say("nothing-to-edit"), ""
    return (say("floating"), "") if image.get_floating_sel() is not None else ("", "")


def require_editable(image: Gimp.Image) -> None:
    refusal, remedy = refused(image, active_layer(image))
    if refusal:
        raise WorkError(f"{refusal} {remedy}." if remedy else refusal)


def canvas_of(image: Gimp.Image) -> Extent:
    return Extent(image.get_width(), image.get_height())


def active_layer(image: Gimp.Image) -> Gimp.Layer | None:
    """The uppermost of the selected layers, else of all; None = there are no layers."""
    chosen = image.get_selected_layers() or image.get_layers()
    return chosen[0] if chosen else None


def painted(layers: list[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    """The layers that hold pixels themselves, out of their groups."""
    for layer in layers:
        if layer.is_group():
            yield from painted(layer.get_children())
        else:
            yield layer


def kind_of(image: Gimp.Image, alpha: bool) -> Kind:
    """8 bits where those hold every value exactly: plain sRGB and grey; 16 where a conversion rounds."""
    exact = image.get_precision() in PLAIN and image.get_color_profile() is None
    return Kind(image.get_base_type() == Gimp.ImageBaseType.GRAY, 8 if exact else 16, alpha)


def opaque_stack(image: Gimp.Image) -> list[Gimp.Layer]:
    """What is seen, if all of the canvas is opaque: the uppermost layer that hides everything below it, and
    those above, which only add to it. Empty: pixels may be transparent."""
    seen = [layer for layer in image.get_layers() if layer.get_visible()]
    hiding = next((place for place, layer in enumerate(seen) if hides(layer, canvas_of(image))), -1)
    stack = seen[: hiding + 1]
    return stack if all(map(adds, stack)) else []


def shows_layers_alone(image: Gimp.Image) -> bool:
    """No colour is switched off, and no channel lies over them."""
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    components = [Gimp.ChannelType.GRAY] if grey else COMPONENTS
    over = any(channel.get_visible() for channel in image.get_channels())
    return all(map(image.get_component_visible, components)) and not over


def hides(layer: Gimp.Layer, canvas: Extent) -> bool:
    bare = not (layer.is_group() or layer.has_alpha() or layer.get_mask() or layer.get_filters())
    return bare and layer.get_opacity() == 100 and placed_at(layer).contains(canvas.bounds)


def adds(layer: Gimp.Layer) -> bool:
    """It takes away nothing of what is opaque below it."""
    return layer.get_mode() == Gimp.LayerMode.NORMAL and layer.get_composite_mode() in ADDING


def source_in(image: Gimp.Image, source: str) -> tuple[Any, ...]:
    """As ``_client.editor.sources`` takes it."""
    return source, partial(layer_of, image), active_layer(image)


def required_layer(image: Gimp.Image, source: str) -> Gimp.Layer | None:
    """The active layer, or one by its id; None = what is seen. Raises WorkError."""
    layer = sources.required_layer(*source_in(image, source))
    if layer is not None and layer.is_group():
        raise WorkError(say("layer-is-group", layer=layer.get_name()))
    return layer


def layer_of(image: Gimp.Image, source: str) -> Gimp.Layer | None:
    """The layer of this id, if it is in this picture."""
    if not source.isdigit() or not Gimp.Item.id_is_layer(int(source)):
        return None
    layer = Gimp.Layer.get_by_id(int(source))
    return layer if layer.get_image().get_id() == image.get_id() else None


def placed_at(item: Gimp.Drawable) -> Bounds:
    _, x, y = item.get_offsets()
    return Bounds(x, y, item.get_width(), item.get_height())


def told_by(holder: Any, name: str) -> str:
    """What the parasite of this name says, of a picture, a layer or GIMP itself; "" = there is none."""
    parasite = holder.get_parasite(name)
    told = b"" if parasite is None else bytes(parasite.get_data())
    return told.decode("utf-8", "replace").rstrip("\0")


def keep(holder: Any, name: str, text: str, flags: int = 0) -> None:
    """Keep a text with it; with Gimp.PARASITE_PERSISTENT also in files."""
    holder.attach_parasite(Gimp.Parasite.new(name, flags, text.encode()))


def discard(copies: Iterable[Gimp.Drawable]) -> None:
    for copy in copies:
        if Gimp.Item.id_is_valid(copy.get_id()):  # not when the picture was closed
            copy.delete()


def write_in_turns(document: str, drawable: Gimp.Drawable, values: bytes, format: str) -> Steps[None]:
    """Fill the drawable, which has no document yet, with ``values``."""
    whole = Bounds(0, 0, drawable.get_width(), drawable.get_height())
    row = len(values) // whole.height
    buffer = drawable.get_buffer()
    for stripe in strips(whole, px.STRIPE):
        opened(document)
        part = values[stripe.y * row : stripe.bottom * row]
        buffer.set(px.rectangle(stripe), format, part)
        yield WORKED
    buffer.flush()
    yield WORKED
