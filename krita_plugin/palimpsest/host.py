"""Krita's documents as the panel needs them: facts, pixels out, layers in.

Everything long is a generator that ``Slices`` takes a step further at each turn of a timer, so that one
call on Krita's thread lasts milliseconds at any size of picture. Pixels are read from a clone of the
document (which shares its memory): painting goes on, and what is read stays as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath

from krita import Document, Krita, Node, Selection

from ._client.editor import (
    CANVAS,
    LAYER,
    Capture,
    DocumentFacts,
    Editor,
    Failed,
    LayerFacts,
    LayerRecipe,
    LayerResult,
    require_fit,
)
from ._client.geometry import Bounds, Extent, spread
from ._client.imprints import OWN, Digest, digest_of
from ._client.krita_spaces import COPIED, DEPTHS, MODELS, Space, most, sent, sent_for
from ._client.packing import packed
from ._client.png import Layout
from ._client.renewing import Kept
from ._client.slices import WAITING, WORKED, Slices, Steps, WorkError, elsewhere
from ._client.wording import say
from .active_mask import activate_mask, active_mask
from .exchange import can_exchange, fill, flatten, mix_alike
from .nodes import active_layer, bounds_of, canvas_of, draw_all, id_of, layer_of, pictures, place
from .pairs import Pairs
from .pictures import LayerPicture, read_layer, read_mask
from .preview_layer import PreviewLayer, marked
from .qt import QByteArray, QTimer
from .renewal import Blank, content_of, copied_blank, keep_imprint, new_blank, write
from .renewal import kept as renewable
from .spaces import Backstage, Converter, discard, picture_png, space_of

ROWS = 32  # by which a selection is known
TURN = 5  # ms between two turns of the work: Krita's own share
RECIPE = "palimpsest-recipe:"  # + a layer's id: the annotation of the document that holds its recipe


@dataclass
class Opened:
    """A document that was seen. Krita hands out a new object each time, but they compare equal."""

    key: str
    document: Document


class KritaEditor(Editor):
    """``Slices`` runs what the methods start; none of them waits."""

    def __init__(self) -> None:
        self._opened: list[Opened] = []
        self._keys = itertools.count(1)
        self._backstage = Backstage()
        self._slices = Slices()
        self._pairs = Pairs()
        self._preview = PreviewLayer(self._require, self._quiet)
        self._timer = QTimer()
        self._timer.setInterval(TURN)
        self._timer.timeout.connect(self._turn)

    # Facts.

    def document(self) -> DocumentFacts | None:
        document = Krita.instance().activeDocument()
        if document is None:
            return None
        layer = active_layer(document)
        selection = selected(document)
        refusal, remedy = refused(document)
        if not refusal and selection is not None and selection.empty:
            refusal, selection = say("selection-outside"), None
        return DocumentFacts(
            key=self._entry_of(document).key,
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
        found = self._require(document)
        view = Krita.instance().activeWindow().activeView()
        chosen = [id_of(node) for node in view.selectedNodes()] if view.document() == found else []
        own = marked(found)
        nodes = [node for node in pictures(found) if id_of(node) != own]
        return [LayerFacts(id_of(node), node.name(), id_of(node) in chosen) for node in nodes]

    def holds(self, document: str, layer: str) -> bool:
        entry = next((entry for entry in self._opened if entry.key == document), None)
        return entry is not None and is_open(entry.document) and layer_of(entry.document, layer) is not None

    def recipe(self, document: str) -> LayerRecipe | None:
        found = self._require(document)
        layer = active_layer(found)
        text = "" if layer is None else recipe_of(found, layer)
        return LayerRecipe(id_of(layer), layer.name(), text) if text else None

    # Pixels out.

    def capture(
        self,
        document: str,
        source: str,
        within: Bounds | None,
        done: Callable[[Capture], None],
        failed: Failed,
    ) -> None:
        self._start(self._capture(document, source, within, done), failed)

    def _capture(
        self, key: str, source: str, within: Bounds | None, done: Callable[[Capture], None]
    ) -> Steps[None]:
        yield from self._preview.gone(key)
        document = self._require(key)
        layer = None if source == CANVAS else required_layer(document, None if source == LAYER else source)
        selection = document.selection()
        if selection is not None:
            selection = selection.duplicate()
            yield WORKED
        yield from self._quiet(key)
        canvas = canvas_of(document)
        part = canvas if within is None else canvas.intersect(within)
        copy = copy_of(document)
        try:
            yield WORKED
            if layer is None:
                node, read = copy, copy.pixelData
            else:
                node = required_layer(copy, id_of(layer))
                part, read = part.intersect(bounds_of(node)), node.projectionPixelData
            require_content(layer, part)
            image = yield from picture_png(self._backstage, space_of(node), part, read, self.address)
        finally:
            discard(copy)
        yield WORKED
        mask = None
        if selection is not None:
            grey = Layout(part.extent, 1)
            mask = yield from packed(grey, part, COPIED, lambda b: selection.pixelData(*b).data())
        of = CANVAS if layer is None else id_of(layer)
        done(Capture(key, image, mask, part, of, canvas.extent))

    # Layers and selections in.

    def insert(self, document: str, result: LayerResult, done: Callable[[str], None], failed: Failed) -> None:
        self._start(self._insert(document, result, done), failed)

    def _insert(self, key: str, result: LayerResult, done: Callable[[str], None]) -> Steps[None]:
        self.noted, kept, painted = "", None, None
        yield from self._preview.gone(key)
        old = None if result.updates is None else layer_of(self._require(key), result.updates)
        if old is not None:
            painted = active_mask(self._require(key), old)
            kept = yield from renewable(self._require(key), old)
            if kept is None:
                self.noted = say("layer-changed", layer=old.name())

        def put(blank: Blank, pixels: str, mask: str) -> Steps[None]:
            made = yield from self._place(key, blank.layer, result, kept is not None)
            document = self._require(key)
            recipe = QByteArray(result.recipe.encode())
            document.setAnnotation(RECIPE + id_of(made), "Palimpsest: how this layer was made", recipe)
            extent = canvas_of(document).extent
            keep_imprint(document, made, blank.imprint(made, result, extent, pixels, mask))
            done(id_of(made))
            yield from activate_mask(lambda: self._require(key), made, painted)

        yield from self._made(key, result, kept, put)

    def _made(
        self, key: str, result: LayerResult, kept: Kept | None, put: Callable[[Blank, str, str], Steps[None]]
    ) -> Steps[None]:
        """``put`` gets the layer with its mask, which is in no document yet, and digests of both. It is one
        of our own, or a copy of the one that is renewed."""
        self._require_fit(key, result.bounds, result.canvas)
        target = space_of(self._require(key))
        step = most(sent_for(target), target)
        picture = yield from elsewhere(lambda: read_layer(result.image, result.bounds, result.content, step))
        with self._backstage.clone() as backstage:
            if kept is None:
                blank = new_blank(backstage.topLevelNodes()[0].duplicate(), result.name, target)
            else:
                blank = yield from copied_blank(kept, result)
            yield WORKED
            pixels, mask = yield from self._fill(blank, picture, target)
            yield from self._quiet(key)
            yield from put(blank, pixels, mask)

    # Results to be looked at.

    def show_result(
        self, document: str, result: LayerResult, done: Callable[[], None], failed: Failed
    ) -> None:
        turn = self._preview.begin()
        self._start(self._show_result(document, result, turn, done), failed)

    def _show_result(self, key: str, result: LayerResult, turn: int, done: Callable[[], None]) -> Steps[None]:
        def put(blank: Blank, *_: str) -> Steps[None]:
            self._require_fit(key, result.bounds, result.canvas)
            if (yield from self._preview.lay(key, blank.layer, turn)):
                done()

        yield from self._made(key, result, None, put)

    def hide_result(self, document: str) -> None:
        self._start(self._preview.gone(document), lambda _: None)

    def veil_result(self, document: str, veiled: bool) -> None:
        self._preview.veil(document, veiled)

    def shows_result(self, document: str) -> bool:
        return self._preview.lies(document)

    def _fill(self, blank: Blank, picture: LayerPicture, target: Space) -> Steps[tuple[str, str]]:
        """Pixels and mask, and their digests. The layer is in no document yet, so nothing is drawn and
        nothing can be undone."""
        pixels, covered = Digest(), Digest()
        source = sent("GRAYA" if picture.grey else "RGBA", picture.depth > 8)
        with Converter(self._backstage, source, target) as converter:
            for piece in picture.pieces:
                converted = converter.convert(piece.pixels)
                write(blank.layer, piece.bounds.moved(*blank.shift), converted)
                pixels.add(converted)
                if blank.mask is not None:
                    write(blank.mask, piece.bounds.moved(*blank.mask_shift), piece.mask)
                    covered.add(piece.mask)
                yield WORKED
        return pixels.text, OWN if blank.mask is None else covered.text

    def _place(self, key: str, layer: Node, result: LayerResult, renews: bool) -> Steps[Node]:
        """One step in the history. Two that go together where a layer is renewed that can't be exchanged."""
        self._require_fit(key, result.bounds, result.canvas)
        document = self._require(key)
        old = None if result.updates is None else layer_of(document, result.updates)
        if renews and old is not None:
            made = yield from self._exchange(key, old, layer, content_of(result))
            if made is not None:
                return made
        parent, above = place(document, layer_below(document, result.source) if old is None else old)
        draw_all(document, layer)
        parent.addChildNode(layer, above)
        if renews and old is not None:
            yield WAITING  # Krita has its turn between the two, each of which draws all
            yield from self._quiet(key)
            self._take_away(key, old, layer)
        return layer

    def _exchange(self, key: str, old: Node, layer: Node, content: Bounds) -> Steps[Node | None]:
        """The node that holds what ``layer`` has, in the place of ``old``; None = Krita can't do that now."""
        document = self._require(key)
        if not can_exchange(document, old):
            return None
        parent, position, id = old.parentNode(), old.parentNode().childNodes().index(old), id_of(old)
        flatten(document, old)
        yield from self._quiet(key)
        if layer_of(document, id) is not None:
            return None
        made = parent.childNodes()[position]
        draw_all(document, layer)
        yield from fill(made, layer, content)
        mix_alike(made, layer)
        document.setActiveNode(made)
        document.refreshProjection()  # nothing smaller draws what was written
        return made

    def _take_away(self, key: str, old: Node, new: Node) -> None:
        """The layer that another one has replaced: a second step in the history, which goes with the first.
        Only when Krita has drawn the first: it waits for that."""
        document = self._require(key)
        before, after = (layer_of(document, id_of(node)) for node in (old, new))
        if before is not None and after is not None:
            before.remove()
            self._pairs.add(document, id_of(old), id_of(new))

    def select(
        self,
        document: str,
        mask: bytes,
        bounds: Bounds,
        canvas: Extent | None,
        done: Callable[[], None],
        failed: Failed,
    ) -> None:
        self._start(self._select(document, mask, bounds, canvas, done), failed)

    def _select(
        self, key: str, mask: bytes, bounds: Bounds, canvas: Extent | None, done: Callable[[], None]
    ) -> Steps[None]:
        picture = yield from elsewhere(lambda: read_mask(mask, bounds, COPIED))
        selection = Selection()
        selection.select(*picture.whole, 255)  # Krita draws rectangles' outline, not pixels'
        for gap in picture.gaps:
            selection.select(*gap, 0)
            yield WORKED
        for piece in picture.pieces:
            write(selection, piece.bounds, piece.mask)
            yield WORKED
        yield from self._quiet(key)
        self._require_fit(key, bounds, canvas)
        self._require(key).setSelection(selection)
        done()

    def _require_fit(self, key: str, bounds: Bounds, before: Extent | None) -> None:
        require_fit(canvas_of(self._require(key)).extent, bounds, before)

    # The rest.

    def remedy(self, document: str) -> None:
        """The RGB copy: all layers, in a window of its own, without a file. Krita itself converts it."""
        found = self._require(document)
        copy = copy_of(found)
        name = PurePath(found.fileName()).stem or found.name()
        copy.setName(f"{name} (RGB)")
        depth = found.colorDepth()
        copy.setColorSpace(*sent("RGBA", False)._replace(depth=depth if depth in DEPTHS else "U16"))
        Krita.instance().activeWindow().addView(copy)

    def later(self, call: Callable[[], None]) -> None:
        QTimer.singleShot(0, call)

    def _start(self, steps: Steps[None], failed: Failed) -> None:
        self._slices.add(steps, failed)
        self._timer.start()

    def _turn(self) -> None:
        self._slices.turn()
        if not self._slices.busy:
            self._timer.stop()

    def _quiet(self, key: str) -> Steps[None]:
        """Until Krita has drawn everything and no brush is down: whoever waits inside Krita stops it all."""
        while not self._require(key).tryBarrierLock():
            yield WAITING
        self._require(key).unlock()

    def _entry_of(self, document: Document) -> Opened:
        known = next((entry for entry in self._opened if entry.document == document), None)
        if known is None:
            known = Opened(str(next(self._keys)), document)
            self._opened = [entry for entry in self._opened if is_open(entry.document)] + [known]
            self.later(self._warm_up)
        return known

    def _warm_up(self) -> None:
        """It takes a moment, which nobody minds who has just opened a picture."""
        with suppress(WorkError):
            self._backstage.open()

    def _entry(self, key: str) -> Opened:
        """Raises WorkError when the document was closed."""
        for entry in self._opened:
            if entry.key == key and is_open(entry.document):
                return entry
        raise WorkError(say("closed"))

    def _require(self, key: str) -> Document:
        return self._entry(key).document


def is_open(document: Document) -> bool:
    return document in Krita.instance().documents()


def copy_of(document: Document) -> Document:
    """Without a file: Krita's own copy has the original's, so that whoever saves it writes over that."""
    copy = document.clone()
    copy.setFileName("")
    return copy


def selected(document: Document) -> Bounds | None:
    """On the canvas: empty when all of the selection lies outside it, None without a selection."""
    selection = document.selection()
    if selection is None:
        return None
    whole = Bounds(selection.x(), selection.y(), selection.width(), selection.height())
    return whole.intersect(canvas_of(document))


def mark_of(document: Document, bounds: Bounds) -> str:
    """Of what is selected within ``bounds``: some of its rows, since all of them may be 64 MB."""
    selection, rows = document.selection(), spread(bounds, ROWS)
    return digest_of(b"".join([selection.pixelData(*row).data() for row in rows]))


def refused(document: Document) -> tuple[str, str]:
    """Why this document can't be edited and what would help, or two empty strings."""
    model = document.colorModel()
    if model in ("RGBA", "GRAYA"):
        return "", ""
    name = MODELS.get(model, model)
    return say("colour-model", name=name), say("rgb-copy")


def recipe_of(document: Document, layer: Node) -> str:
    return document.annotation(RECIPE + id_of(layer)).data().decode("utf-8", "replace")


def required_layer(document: Document, id: str | None) -> Node:
    """The layer with this id, or the active one for None. Raises WorkError."""
    layer = active_layer(document) if id is None else layer_of(document, id)
    if layer is None:
        raise WorkError(say("no-active-layer") if id is None else say("layer-gone"))
    return layer


def layer_below(document: Document, source: str) -> Node | None:
    """The one that a result belongs above: what it was made from, or the active layer if that is gone.
    None = what was seen, so above everything."""
    if source == CANVAS:
        return None
    return (None if source == LAYER else layer_of(document, source)) or active_layer(document)


def require_content(layer: Node | None, part: Bounds) -> None:
    if part.empty:
        raise WorkError(say("canvas-empty") if layer is None else say("layer-empty", layer=layer.name()))
