"""Krita's documents as the panel needs them: facts, pixels out, layers in.

Everything long is a generator that ``Slices`` takes a step further at each turn of a timer, so that one
call on Krita's thread lasts milliseconds at any size of picture.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import PurePath

from krita import Krita

from ._client.editor.editor import Capture, DocumentFacts, LayerFacts, LayerRecipe, LayerResult
from ._client.editor.geometry import Bounds, Extent
from ._client.editor.picture_file import PictureFile
from ._client.editor.renewing import Blank
from ._client.editor.slices import Steps, WorkError
from ._client.krita.spaces import edited, refused
from ._client.text.wording import say
from .documents import Documents, copy_of, history, is_open, keep
from .laying import RECIPE, Laying, recipe_of
from .nodes import active_layer, active_mask, id_of, layer_of, pictures
from .pairs import Pairs
from .preview_layer import PreviewingEditor, preview_of
from .qt import QTimer
from .reading import capture, content_of
from .renewal import find_renewable, keep_imprint
from .selection import mark_of, select, selection_bounds
from .spaces import Backstage

TURN = 5  # ms between two turns of the work: Krita's own share


class KritaEditor(PreviewingEditor):
    def __init__(self) -> None:
        super().__init__(Documents(is_open, lambda: self.later(self._warm_up)))
        self._backstage = Backstage()
        self._laying = Laying(self._documents, self._backstage, Pairs(self._documents, self.start))
        self._timer = QTimer(interval=TURN, timeout=lambda: self.turn() or self._timer.stop())

    # Facts.

    def document(self) -> DocumentFacts | None:
        document = Krita.instance().activeDocument()
        if document is None:
            return None
        layer, selection = active_layer(document), selection_bounds(document)
        refusal, remedy = refused(document.colorModel())
        if not refusal and selection is not None and selection.empty:
            refusal, selection = say("selection-outside"), None
        return DocumentFacts(
            key=self._documents.key_of(document),
            name=PurePath(document.fileName()).name or document.name(),
            width=document.width(),
            height=document.height(),
            selection=selection,
            layer="" if layer is None else layer.name(),
            active="" if layer is None else id_of(layer),
            refusal=refusal,
            remedy=remedy,
            has_recipe=layer is not None and recipe_of(document, layer) != "",
            file=document.fileName(),
            mark="" if selection is None else mark_of(document, selection),
        )

    def layers(self, document: str) -> list[LayerFacts]:
        found = self._documents.find(document)
        if found is None:
            return []
        view = Krita.instance().activeWindow().activeView()
        chosen = [id_of(node) for node in view.selectedNodes()] if view.document() == found else []
        own = preview_of(found)
        return [LayerFacts(id_of(node), node.name(), id_of(node) in chosen) for node in pictures(found, own)]

    def holds(self, document: str, layer: str) -> bool:
        found = self._documents.find(document)
        return found is not None and layer_of(found, layer) is not None

    def recipe(self, document: str) -> LayerRecipe | None:
        found = self._documents.find(document)
        layer = None if found is None else active_layer(found)
        text = "" if layer is None else recipe_of(found, layer)
        return LayerRecipe(id_of(layer), layer.name(), text) if text else None

    # Pixels out.

    def capture_steps(
        self, document: str, source: str, crop: Bounds | None, file: PictureFile
    ) -> Steps[Capture]:
        yield from self.take_away(document)
        return (yield from capture(self._documents, self._backstage, document, source, crop, file))

    def content(self, document: str, source: str) -> str:
        return content_of(self._documents.require(document), source, history()[0])

    # Layers and selections in.

    def insert_steps(self, document: str, result: LayerResult, done: Callable[[str], None]) -> Steps[None]:
        self.noted, kept, painted = "", None, None
        require = partial(self._documents.require, document)
        yield from self.take_away(document)
        old = None if result.updates is None else layer_of(require(), result.updates)
        if old is not None:
            painted = active_mask(require(), old)
            kept = yield from find_renewable(require(), old)
            if kept is None:
                self.noted = say("layer-changed", layer=old.name())

        def put(blank: Blank, pixels: str, mask: str) -> Steps[None]:
            made = yield from self._laying.place(document, blank.layer, result, kept is not None)
            keep(require(), RECIPE + id_of(made), "how this layer was made", result.recipe)
            keep_imprint(require(), made, blank, result, pixels, mask)
            done(id_of(made))
            masks = made.childNodes()
            if painted is not None and painted < len(masks):
                yield from self._documents.activate(document, made, masks[painted])

        yield from self._laying.make(document, result, kept, put)

    # Results to be looked at.

    def show_steps(self, document: str, result: LayerResult, turn: int) -> Steps[bool]:
        def put(blank: Blank, *_: str) -> Steps[bool]:
            self._documents.require_fit(document, result.bounds, result.canvas)
            return (yield from self.lay(document, blank.layer, turn))

        return (yield from self._laying.make(document, result, None, put))

    def select_steps(self, document: str, mask: bytes, bounds: Bounds, canvas: Extent | None) -> Steps[None]:
        return select(self._documents, document, mask, bounds, canvas)

    # The rest.

    def remedy(self, document: str) -> None:
        """The RGB copy: all layers, in a window of its own, without a file. Krita itself converts it."""
        found = self._documents.find(document)
        if found is not None:
            copy = copy_of(found)
            copy.setName(f"{PurePath(found.fileName()).stem or found.name()} (RGB)")
            copy.setColorSpace(*edited(found.colorDepth()))
            Krita.instance().activeWindow().addView(copy)

    def wake(self) -> None:
        self._timer.start()

    def later(self, call: Callable[[], None]) -> None:
        QTimer.singleShot(0, call)

    def _warm_up(self) -> None:
        """It takes a moment, which nobody minds who has just opened a picture."""
        with suppress(WorkError):
            self._backstage.open()
