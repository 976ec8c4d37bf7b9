"""GIMP as the panel sees it.

Everything long is a generator that ``Slices`` takes a step further at each turn of a timer.
"""

from __future__ import annotations

from collections.abc import Callable

import images
import laying
import preview_layer
from _client.editor.editor import Capture, DocumentFacts, LayerFacts, LayerRecipe, LayerResult
from _client.editor.geometry import Bounds, Extent
from _client.editor.picture_file import PictureFile
from _client.editor.sliced_editor import SlicedEditor
from _client.editor.slices import Steps
from _client.text.wording import say
from gi.repository import Gegl, Gimp, GLib
from reading import capture, content_of
from renewal import find_renewable
from selection import mark_of, select, selection_bounds

NOTE = "palimpsest-note"  # a picture's parasite that no file gets: what is filled in for it
SESSION = "palimpsest-session"  # GIMP's own parasite that names this run of it
TURN = 10  # ms between two turns of our work


class GimpEditor(SlicedEditor):
    """``chosen`` is the id of the picture that people work on; GIMP doesn't tell which window is in front."""

    def __init__(self, chosen: int | None = None) -> None:
        super().__init__()
        Gegl.init(None)
        self._chosen, self._follows = chosen, chosen is None
        self._filed: set[int] | None = None  # the pictures that had a file when looked at last
        self._turning = False  # a timer calls ``turn``
        self.last_layer: Gimp.Layer | None = None  # the latest

    # What is open.

    def documents(self) -> list[tuple[str, str]]:
        """Key and name of every open picture, newest first. What has no name of its own is numbered, as
        in the title of its window."""
        found = [(str(image.get_id()), images.name_of(image)) for image in Gimp.get_images()]
        names = [name for _, name in found]
        return [(key, name if names.count(name) == 1 else f"{name}-{key}") for key, name in found]

    def choose(self, document: str) -> None:
        self._chosen = int(document)

    def document(self) -> DocumentFacts | None:
        found = Gimp.get_images()
        meant = self._meant(found) if found else None
        self._chosen = None if meant is None else meant.get_id()
        return None if meant is None else facts(meant)

    def _meant(self, found: list[Gimp.Image]) -> Gimp.Image:
        """The chosen one, until another is opened from a file; if it is closed, the newest. What comes
        without a file may be GIMP's own copy, made to export a picture, which no window shows."""
        filed = {image.get_id() for image in found if self._follows and images.file_of(image)}
        fresh, self._filed = filed - (filed if self._filed is None else self._filed), filed
        wanted = max(fresh, default=self._chosen)
        return next((image for image in found if image.get_id() == wanted), found[0])

    def layers(self, document: str) -> list[LayerFacts]:
        if not images.is_open(document):
            return []
        image = images.opened(document)
        selected = {layer.get_id() for layer in image.get_selected_layers()}
        return [
            LayerFacts(str(layer.get_id()), layer.get_name(), layer.get_id() in selected)
            for layer in images.painted(image.get_layers())
            if not preview_layer.is_preview(layer)
        ]

    # Pixels out.

    def capture_steps(
        self, document: str, source: str, crop: Bounds | None, file: PictureFile
    ) -> Steps[Capture]:
        self.hide_result(document)
        return capture(document, source, crop, file)

    def content(self, document: str, source: str) -> str:
        return content_of(images.opened(document), source)

    # Results in.

    def insert_steps(self, document: str, result: LayerResult, done: Callable[[str], None]) -> Steps[None]:
        self.begin_turn()
        return self._insert(document, result, done)

    def select_steps(self, document: str, mask: bytes, bounds: Bounds, canvas: Extent | None) -> Steps[None]:
        return select(document, mask, bounds, canvas)

    def holds(self, document: str, layer: str) -> bool:
        return images.is_open(document) and images.layer_of(images.opened(document), layer) is not None

    def recipe(self, document: str) -> LayerRecipe | None:
        layer = images.active_layer(images.opened(document)) if images.is_open(document) else None
        text = "" if layer is None else images.told_by(layer, images.RECIPE)
        return LayerRecipe(str(layer.get_id()), layer.get_name(), text) if text else None

    def remedy(self, document: str) -> None:
        """An RGB copy of an indexed picture, in a window of its own."""
        if not images.is_open(document):
            return
        copy = images.opened(document).duplicate()
        copy.convert_rgb()
        Gimp.Display.new(copy)
        Gimp.displays_flush()
        self._chosen = copy.get_id()

    def keep_note(self, document: str, text: str) -> None:
        if images.is_open(document):
            images.keep(images.opened(document), NOTE, text)

    def note(self, document: str) -> str:
        return images.told_by(images.opened(document), NOTE) if images.is_open(document) else ""

    def later(self, call: Callable[[], None]) -> None:
        GLib.idle_add(lambda: (call(), GLib.SOURCE_REMOVE)[1])

    def session(self) -> str:
        """Of GIMP itself, which outlives our windows: kept there, for as long as it runs."""
        if not images.told_by(Gimp, SESSION):
            images.keep(Gimp, SESSION, super().session())
        return images.told_by(Gimp, SESSION)

    # Results to be looked at.

    def show_steps(self, document: str, result: LayerResult, turn: int) -> Steps[bool]:
        layer = yield from laying.make(document, result)
        if turn == self._wish:
            preview_layer.lay(images.opened(document), layer)
        return turn == self._wish

    def hide_result(self, document: str) -> None:
        self.begin_turn()
        if images.is_open(document):
            preview_layer.take_away(images.opened(document))

    def veil_result(self, document: str, veiled: bool) -> None:
        if images.is_open(document):
            preview_layer.veil(images.opened(document), veiled)

    def shows_result(self, document: str) -> bool:
        return images.is_open(document) and preview_layer.of(images.opened(document)) is not None

    def _insert(self, document: str, result: LayerResult, done: Callable[[str], None]) -> Steps[None]:
        self.noted = ""
        old = None if result.updates is None else images.layer_of(images.opened(document), result.updates)
        kept = None
        if old is not None:
            kept = yield from find_renewable(old, lambda: images.opened(document))
            self.noted = say("layer-changed", layer=old.get_name()) if kept is None else ""
        layer = yield from laying.insert(document, result, kept)
        self.last_layer = layer
        done(str(layer.get_id()))

    def wake(self) -> None:
        if not self._turning:
            self._turning = True
            GLib.timeout_add(TURN, self._turn)

    def _turn(self) -> bool:
        self._turning = self.turn()
        return self._turning


def facts(image: Gimp.Image) -> DocumentFacts:
    layer = images.active_layer(image)
    (refusal, remedy), selection = images.refused(image, layer), selection_bounds(image)
    return DocumentFacts(
        key=str(image.get_id()),
        name=images.name_of(image),
        width=image.get_width(),
        height=image.get_height(),
        selection=selection,
        layer="" if layer is None else layer.get_name(),
        active="" if layer is None else str(layer.get_id()),
        refusal=refusal,
        remedy=remedy,
        has_recipe=layer is not None and layer.get_parasite(images.RECIPE) is not None,
        file=images.file_of(image),
        mark="" if selection is None else mark_of(image.get_selection()),
    )
