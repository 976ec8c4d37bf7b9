"""GIMP as the panel sees it: the only file that touches documents.

A GIMP call on a picture that was closed doesn't raise: it answers 0 or nothing. So pictures are kept
by their id, and every turn asks first whether it is still there.
"""

# pyright: reportMissingImports=false
# GIMP's Python brings gi.
from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
import pixels as px  # noqa: E402
import preview_layer  # noqa: E402
from _client import masks, png  # noqa: E402
from _client.editor import (  # noqa: E402
    CANVAS,
    LAYER,
    Capture,
    DocumentFacts,
    Editor,
    Failed,
    LayerFacts,
    LayerRecipe,
    LayerResult,
    packing_level,
    require_fit,
)
from _client.geometry import Bounds, Extent, strips  # noqa: E402
from _client.imprints import OWN, Imprint  # noqa: E402
from _client.packing import packed  # noqa: E402
from _client.slices import WORKED, Slices, Steps, WorkError, elsewhere  # noqa: E402
from _client.wording import say  # noqa: E402
from gi.repository import Gegl, Gimp, GLib, GObject  # noqa: E402
from renewal import IMPRINT, Kept, digest  # noqa: E402
from renewal import kept as renewable  # noqa: E402

RECIPE = "palimpsest-recipe"  # the parasite that holds it
SESSION = "palimpsest-session"  # GIMP's own parasite that names this run of it
PLAIN = (Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)
TURN = 10  # ms between two turns of our work


class GimpEditor(Editor):
    """``chosen`` is the id of the picture that people work on; GIMP doesn't tell which window is in front."""

    def __init__(self, chosen: int | None = None) -> None:
        Gegl.init(None)
        self._chosen = chosen
        self._slices = Slices()
        self._wish = 0  # what was last to be looked at, or not any more
        self.inserted: Gimp.Layer | None = None  # the latest

    # What is open.

    def documents(self) -> list[tuple[str, str]]:
        """Key and name of every open picture, newest first. What has no name of its own is numbered, as
        in the title of its window."""
        found = [(str(image.get_id()), name_of(image)) for image in Gimp.get_images()]
        names = [name for _, name in found]
        return [(key, name if names.count(name) == 1 else f"{name}-{key}") for key, name in found]

    def choose(self, document: str) -> None:
        self._chosen = int(document)

    def document(self) -> DocumentFacts | None:
        """The chosen picture; if it is closed, the newest.

        While GIMP is asked it may hand on a menu item that chooses another picture: then it is asked anew.
        """
        while True:
            before, images = self._chosen, Gimp.get_images()
            chosen = [image for image in images if image.get_id() == before]
            found = facts(chosen[0] if chosen else images[0]) if images else None
            if self._chosen == before:
                return found

    def layers(self, document: str) -> list[LayerFacts]:
        if not is_open(document):
            return []
        image = opened(document)
        selected = {layer.get_id() for layer in image.get_selected_layers()}
        return [
            LayerFacts(str(layer.get_id()), layer.get_name(), layer.get_id() in selected)
            for layer in painted(image.get_layers())
            if not preview_layer.is_preview(layer)
        ]

    # Pixels out.

    def capture(
        self,
        document: str,
        source: str,
        within: Bounds | None,
        done: Callable[[Capture], None],
        failed: Failed,
    ) -> None:
        self.hide_result(document)
        self._begin(captured(document, source, within, self.address, done), failed)

    # Results in.

    def insert(self, document: str, result: LayerResult, done: Callable[[str], None], failed: Failed) -> None:
        self._wish += 1
        self._begin(self._inserted(document, result, done), failed)

    def select(
        self,
        document: str,
        mask: bytes,
        bounds: Bounds,
        canvas: Extent | None,
        done: Callable[[], None],
        failed: Failed,
    ) -> None:
        self._begin(selected(document, mask, bounds, canvas, done), failed)

    def holds(self, document: str, layer: str) -> bool:
        return is_open(document) and layer_of(opened(document), layer) is not None

    def recipe(self, document: str) -> LayerRecipe | None:
        layer = active_layer(opened(document)) if is_open(document) else None
        parasite = None if layer is None else layer.get_parasite(RECIPE)
        if layer is None or parasite is None:
            return None
        text = bytes(parasite.get_data()).decode("utf-8", "replace")
        return LayerRecipe(str(layer.get_id()), layer.get_name(), text)

    def remedy(self, document: str) -> None:
        """An RGB copy of an indexed picture, in a window of its own."""
        if not is_open(document):
            return
        copy = opened(document).duplicate()
        copy.convert_rgb()
        Gimp.Display.new(copy)
        Gimp.displays_flush()
        self._chosen = copy.get_id()

    def later(self, call: Callable[[], None]) -> None:
        GLib.idle_add(lambda: (call(), GLib.SOURCE_REMOVE)[1])

    def session(self) -> str:
        """Of GIMP itself, which outlives our windows: kept there, for as long as it runs."""
        if Gimp.get_parasite(SESSION) is None:
            Gimp.attach_parasite(Gimp.Parasite.new(SESSION, 0, super().session().encode()))
        return bytes(Gimp.get_parasite(SESSION).get_data()).decode("ascii", "replace").rstrip("\0")

    # Results to be looked at.

    def show_result(
        self, document: str, result: LayerResult, done: Callable[[], None], failed: Failed
    ) -> None:
        self._wish += 1
        self._begin(self._shown(document, result, self._wish, done), failed)

    def _shown(self, document: str, result: LayerResult, wish: int, done: Callable[[], None]) -> Steps[None]:
        layer = yield from made(document, result)
        if wish == self._wish:
            preview_layer.lay(opened(document), layer)
            done()

    def hide_result(self, document: str) -> None:
        self._wish += 1  # what is being made is not laid down any more
        if is_open(document):
            preview_layer.take_away(opened(document))

    def veil_result(self, document: str, veiled: bool) -> None:
        if is_open(document):
            preview_layer.veil(opened(document), veiled)

    def shows_result(self, document: str) -> bool:
        return is_open(document) and preview_layer.of(opened(document)) is not None

    def _inserted(self, document: str, result: LayerResult, done: Callable[[str], None]) -> Steps[None]:
        self.noted = ""
        old = None if result.updates is None else layer_of(opened(document), result.updates)
        kept = None
        if old is not None:
            kept = yield from renewable(old, lambda: opened(document))
            self.noted = say("layer-changed", layer=old.get_name()) if kept is None else ""
        layer = yield from inserted(document, result, kept)
        self.inserted = layer
        done(str(layer.get_id()))

    def _begin(self, steps: Steps[None], failed: Failed) -> None:
        if not self._slices.busy:
            GLib.timeout_add(TURN, self._turn)
        self._slices.add(steps, failed)

    def _turn(self) -> bool:
        self._slices.turn()
        return self._slices.busy


def listen(plugin: Gimp.PlugIn, name: str, heard: Callable[[str], None]) -> Callable[[], None]:
    """Register a procedure through which others call ``heard`` with a text; returns what takes it out again.

    GIMP keeps every procedure of one name and calls the newest; each goes with its own process.

    GIMP hands a call on also while it is asked something, in the middle of drawing: so ``heard`` is called
    when that is done, before any key that comes after the call.
    """

    def called(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _: object) -> Gimp.ValueArray:
        GLib.idle_add(hear, config.get_property("command"), priority=GLib.PRIORITY_HIGH)
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())

    def hear(text: str) -> bool:
        heard(text)
        return GLib.SOURCE_REMOVE

    made = Gimp.Procedure.new(plugin, name, Gimp.PDBProcType.TEMPORARY, called, None)
    made.set_documentation("Palimpsest's window", "For Palimpsest's own menu items.", None)
    flags = GObject.ParamFlags.READWRITE
    made.add_string_argument("command", "Command", "A menu item and a picture's id", "", flags)
    plugin.add_temp_procedure(made)
    plugin.persistent_enable()  # from now on calls come in through the main loop
    return lambda: plugin.remove_temp_procedure(name)


class ProgressBar:
    """GIMP's own, under the picture, with a Cancel that ends this process. Not for a window that stays."""

    def __init__(self, text: str) -> None:
        self._told: tuple[str, float | None] | None = None
        Gimp.progress_init(text)

    def show(self, text: str, fraction: float | None) -> None:
        if (text, fraction) == self._told:
            return
        self._told = (text, fraction)
        Gimp.progress_set_text(text)
        if fraction is None:
            Gimp.progress_pulse()
        else:
            Gimp.progress_update(fraction)

    def end(self) -> None:
        Gimp.progress_end()


def is_open(document: str) -> bool:
    return Gimp.Image.id_is_valid(int(document))


def opened(document: str) -> Gimp.Image:
    """Raises WorkError when it was closed."""
    if not is_open(document):
        raise WorkError(say("closed"))
    return Gimp.Image.get_by_id(int(document))


def facts(image: Gimp.Image) -> DocumentFacts:
    layer = active_layer(image)
    refusal, remedy = refused(image, layer)
    file = file_of(image)
    return DocumentFacts(
        key=str(image.get_id()),
        name=name_of(image),
        width=image.get_width(),
        height=image.get_height(),
        selection=selection_bounds(image),
        layer="" if layer is None else layer.get_name(),
        active="" if layer is None else str(layer.get_id()),
        refusal=refusal,
        remedy=remedy,
        has_recipe=layer is not None and layer.get_parasite(RECIPE) is not None,
        file=file,
    )


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


def selection_bounds(image: Gimp.Image) -> Bounds | None:
    _, something, left, top, right, bottom = Gimp.Selection.bounds(image)
    return Bounds(left, top, right - left, bottom - top) if something else None


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


def kind_of(image: Gimp.Image) -> px.Kind:
    """8 bits where those hold every value exactly: plain sRGB and grey; 16 where a conversion rounds."""
    exact = image.get_precision() in PLAIN and image.get_color_profile() is None
    return px.Kind(image.get_base_type() == Gimp.ImageBaseType.GRAY, 8 if exact else 16)


def coverage_format(image: Gimp.Image) -> str:
    """Of a channel that holds a selection. Selections and masks themselves are always "Y"; channels of
    8 bits are encoded like the picture, and GIMP copies the bytes between them as they are."""
    return "Y' u8" if image.get_precision() in PLAIN else "Y u8"


# Pixels out.


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
        yield WORKED
        bounds = extent_of(copies[-1], image, within)
        if something:
            selection = yield from selection_png(document, copies[0], bounds, coverage_format(image))
        masked = layer is not None and layer.get_apply_mask()
        picture = yield from picture_png(document, copies[-1], masked, bounds, kind, address)
    finally:
        discard(copies)
    of = CANVAS if layer is None else str(layer.get_id())
    done(Capture(document, picture, selection, bounds, of, canvas))


def picture_png(
    document: str, layer: Gimp.Layer, masked: bool, bounds: Bounds, kind: px.Kind, address: str
) -> Steps[bytes]:
    """``bounds`` of the canvas of a layer, with its mask, packed for the backend at ``address``."""
    pixels, mask = reader(document, layer, kind.format), layer.get_mask() if masked else None
    layout = png.Layout(bounds.extent, kind.channels, kind.depth)
    level = packing_level(address, layout.size)
    if mask is None:
        return (yield from packed(layout, bounds, px.STRIPE, pixels, level))
    covered = reader(document, mask, f"Y u{kind.depth}")

    def both(part: Bounds) -> tuple[bytes, bytes]:
        return pixels(part), covered(part)

    def shown(read: tuple[bytes, bytes]) -> bytes:
        return px.masked(read[0], read[1], kind)

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


def snapshot(image: Gimp.Image, layer: Gimp.Layer | None) -> Gimp.Layer:
    """A copy that belongs to nobody: of one layer, or of what is seen."""
    return Gimp.Layer.new_from_visible(image, image, "Palimpsest") if layer is None else layer.copy()


def required_layer(image: Gimp.Image, source: str) -> Gimp.Layer:
    """The active layer, or one by its id. Raises WorkError."""
    layer = active_layer(image) if source == LAYER else layer_of(image, source)
    if layer is None:
        raise WorkError(say("layer-gone"))
    if layer.is_group():
        raise WorkError(say("layer-is-group", layer=layer.get_name()))
    return layer


def layer_of(image: Gimp.Image, source: str) -> Gimp.Layer | None:
    """The layer of this id, if it is in this picture."""
    if not source.isdigit() or not Gimp.Item.id_is_layer(int(source)):
        return None
    layer = Gimp.Layer.get_by_id(int(source))
    return layer if layer.get_image().get_id() == image.get_id() else None


def discard(copies: list[Gimp.Layer | Gimp.Channel]) -> None:
    for copy in copies:
        if Gimp.Item.id_is_valid(copy.get_id()):  # not when the picture was closed
            copy.delete()


def extent_of(layer: Gimp.Layer, image: Gimp.Image, within: Bounds | None) -> Bounds:
    """Where on the canvas ``layer`` gives pixels that are wanted."""
    bounds = placed_at(layer).intersect(canvas_of(image).bounds)
    bounds = bounds if within is None else bounds.intersect(within)
    if bounds.empty:
        raise WorkError(say("layer-outside"))
    return bounds


def placed_at(item: Gimp.Drawable) -> Bounds:
    _, x, y = item.get_offsets()
    return Bounds(x, y, item.get_width(), item.get_height())


def reader(document: str, drawable: Gimp.Drawable, format: str) -> Callable[[Bounds], bytes]:
    """What gives parts of the canvas of ``drawable`` in babl's ``format``. Raises WorkError."""
    at, buffer = placed_at(drawable), drawable.get_buffer()

    def read(part: Bounds) -> bytes:
        opened(document)
        return px.read(buffer, part.moved(-at.x, -at.y), format)

    return read


# Results in.


def inserted(document: str, result: LayerResult, kept: Kept | None) -> Steps[Gimp.Layer]:
    """Everything is made beside the picture; putting it in is one step."""
    pasted = yield from pasted_of(document, result)
    image = opened(document)
    layer = new_layer(image, pasted, result) if kept is None else kept.layer.copy()
    attach(layer, RECIPE, result.recipe)
    fits = (layer.get_width(), layer.get_height()) == pasted.bounds.extent
    if fits:
        imprint = yield from filled(document, layer, pasted, kept)
        attach(layer, IMPRINT, imprint._replace(name=result.name).text)
    image = opened(document)
    require_fit(canvas_of(image), result.bounds, result.canvas)
    preview_layer.take_away(image)
    image.undo_group_start()
    try:
        put_in(image, layer, result)
        if not fits:
            x, y = placed(pasted, kept)
            resize(layer, Bounds(x, y, *pasted.bounds.extent))  # which GIMP does only in a picture
            imprint = at_once(filled(document, layer, pasted, kept))
            layer.update(0, 0, *pasted.bounds.extent)
            with preview_layer.unrecorded(image):
                attach(layer, IMPRINT, imprint._replace(name=result.name).text)
        if kept is not None:
            replace(image, kept, layer, result.name)
    finally:
        image.undo_group_end()
    yield WORKED
    Gimp.displays_flush()
    return layer


def made(document: str, result: LayerResult) -> Steps[Gimp.Layer]:
    """A layer of its own with its mask, in no picture yet."""
    pasted = yield from pasted_of(document, result)
    layer = new_layer(opened(document), pasted, result)
    attach(layer, RECIPE, result.recipe)
    yield from filled(document, layer, pasted, None)
    require_fit(canvas_of(opened(document)), result.bounds, result.canvas)
    return layer


def pasted_of(document: str, result: LayerResult) -> Steps[px.Pasted]:
    """Raises WorkError for what doesn't belong here or shows nothing."""
    grey = opened(document).get_base_type() == Gimp.ImageBaseType.GRAY
    require_fit(canvas_of(opened(document)), result.bounds, result.canvas)
    pasted = yield from elsewhere(lambda: px.pasted(result, grey))
    if pasted is None:
        raise WorkError(say("result-empty"))
    require_editable(opened(document))
    return pasted


def placed(made: px.Pasted, kept: Kept | None) -> tuple[int, int]:
    """Where the layer belongs: moved as the one before was."""
    dx, dy = (0, 0) if kept is None else kept.shift
    return made.bounds.x + dx, made.bounds.y + dy


def at_once(steps: Steps[Imprint]) -> Imprint:
    """In one go: what lies between the beginning and the end of an undo step."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def filled(document: str, layer: Gimp.Layer, made: px.Pasted, kept: Kept | None) -> Steps[Imprint]:
    """Pixels and mask, unless that is people's own; and what they are like, to be known again."""
    yield from write_in_turns(document, layer, made.pixels, made.kind.format)
    own = kept is not None and kept.own_mask
    if not own:
        mask = layer.get_mask() or layer.create_mask(Gimp.AddMaskType.BLACK)
        yield from write_in_turns(document, mask, made.mask, f"Y u{made.kind.depth}")
        if layer.get_mask() is None:
            layer.add_mask(mask)
    x, y = placed(made, kept)
    layer.set_offsets(x, y)

    def still_open() -> Gimp.Image:
        return opened(document)

    pixels = yield from digest(layer, still_open)
    covered = OWN if own else (yield from digest(layer.get_mask(), still_open))
    at = made.bounds.x, made.bounds.y
    return Imprint("", canvas_of(opened(document)), made.bounds, at, at, pixels, covered)


def new_layer(image: Gimp.Image, made: px.Pasted, result: LayerResult) -> Gimp.Layer:
    """Mixed in the picture's own encoding: another one would convert what lies below, not exactly back."""
    type = Gimp.ImageType.GRAYA_IMAGE if made.kind.grey else Gimp.ImageType.RGBA_IMAGE
    layer = Gimp.Layer.new(image, result.name, *made.bounds.extent, type, 100.0, Gimp.LayerMode.NORMAL)
    layer.set_blend_space(own_space(image))
    layer.set_composite_space(own_space(image))
    return layer


def attach(layer: Gimp.Layer, name: str, told: str) -> None:
    """JSON that stays with a layer which is in no picture yet: in one, GIMP makes of it a step that can't be
    undone, and says so to people at each undo. GIMP 3.0 takes no byte above 127 from us."""
    ascii = json.dumps(json.loads(told)).encode("ascii")
    layer.attach_parasite(Gimp.Parasite.new(name, Gimp.PARASITE_PERSISTENT, ascii))


def resize(layer: Gimp.Layer, bounds: Bounds) -> None:
    """So that it covers ``bounds`` of the canvas."""
    at = placed_at(layer)
    layer.resize(*bounds.extent, at.x - bounds.x, at.y - bounds.y)


def own_space(image: Gimp.Image) -> Gimp.LayerColorSpace:
    encoding = image.get_precision().value_nick
    if encoding.endswith("non-linear"):
        return Gimp.LayerColorSpace.RGB_NON_LINEAR
    perceptual = encoding.endswith("perceptual")
    return Gimp.LayerColorSpace.RGB_PERCEPTUAL if perceptual else Gimp.LayerColorSpace.RGB_LINEAR


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


def put_in(image: Gimp.Image, layer: Gimp.Layer, result: LayerResult) -> None:
    """Above what it was made from, or above the one that it updates."""
    old = None if result.updates is None else layer_of(image, result.updates)
    below = layer_below(image, result.source) if old is None else old
    parent, position = (None, 0) if below is None else (below.get_parent(), image.get_item_position(below))
    image.insert_layer(layer, parent, position)
    layer.set_edit_mask(False)  # whatever is done next is done to the layer, not to its mask


def layer_below(image: Gimp.Image, source: str) -> Gimp.Layer | None:
    """The one that a result belongs above: what it was made from, or the active layer if that is gone.
    None = what was seen, so above everything."""
    if source == CANVAS:
        return None
    return (None if source == LAYER else layer_of(image, source)) or active_layer(image)


def replace(image: Gimp.Image, kept: Kept, layer: Gimp.Layer, given: str) -> None:
    """``layer`` in place of the old one, whose name is free when it is gone."""
    own = kept.layer.get_name() if kept.own_name else ""
    old = layer_of(image, str(kept.layer.get_id()))
    if old is not None:
        image.remove_layer(old)
    layer.set_name(own or given)


def selected(
    document: str, mask: bytes, bounds: Bounds, before: Extent | None, done: Callable[[], None]
) -> Steps[None]:
    """GIMP selects by a channel of the picture: one is there for a moment, within one undo step."""
    image = opened(document)
    canvas = canvas_of(image)
    require_fit(canvas, bounds, before)
    values = yield from elsewhere(lambda: px.selection(mask, bounds, canvas))
    image = opened(document)
    channel = Gimp.Channel.new(image, "Palimpsest", *canvas, 50.0, Gegl.Color.new("black"))
    yield from write_in_turns(document, channel, values, coverage_format(image))
    image = opened(document)
    layers = image.get_selected_layers()
    image.undo_group_start()
    try:
        image.insert_channel(channel, None, 0)
        image.select_item(Gimp.ChannelOps.REPLACE, channel)
        image.remove_channel(channel)
        image.set_selected_layers(layers)
    finally:
        image.undo_group_end()
    yield WORKED
    Gimp.displays_flush()
    done()
