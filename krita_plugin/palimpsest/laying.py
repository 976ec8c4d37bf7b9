"""Results as layers of Krita's documents: made beside the document, and put in when Krita rests.

To exchange a layer's content, Krita has no single step for plug-ins: adding the new layer and removing the
old one are two. But *Flatten Layer* is one step that puts another node in a layer's place, and undoing it
brings the old one back as it was. What is written into the new node afterwards is no step of its own, and is
there when it is done again.
"""

from __future__ import annotations

from contextlib import closing
from typing import Callable, TypeVar

from krita import Document, Krita, Node

from ._client.editor.editor import LayerResult
from ._client.editor.geometry import Bounds, tiles
from ._client.editor.imprints import OWN, Digest
from ._client.editor.renewing import Blank, OldLayer
from ._client.editor.slices import WAITING, WORKED, Steps, on_thread
from ._client.editor.sources import layer_below
from ._client.krita.pictures import LayerPicture, read_layer
from ._client.krita.spaces import Space, most, sent, sent_for
from .documents import Documents, told_by
from .nodes import active_layer, bounds_of, draw_all, id_of, layer_of, source_in
from .pairs import Pairs
from .pictures import decode
from .qt import QByteArray
from .renewal import copy_blank, new_blank, write
from .spaces import Backstage, Converter, space_of

Made = TypeVar("Made")
Putting = Callable[[Blank, str, str], Steps[Made]]
RECIPE = "palimpsest-recipe:"  # + a layer's id: the annotation of the document that holds its recipe
MIXED = ("colorLabel", "alphaLocked", "inheritAlpha", "opacity", "blendingMode")  # what Krita's nodes tell
SIDE = 1024  # px of a piece that is copied at once
MOST = 1 << 20  # pixels of a canvas: Krita draws all of it, and measures layers as large, while it waits


class Laying:
    def __init__(self, documents: Documents, backstage: Backstage, pairs: Pairs) -> None:
        self._documents, self._backstage, self._pairs = documents, backstage, pairs

    def make(self, key: str, result: LayerResult, kept: OldLayer | None, put: Putting[Made]) -> Steps[Made]:
        """``put`` gets the layer with its mask, which is in no document yet, and digests of both. It is one
        of our own, or a copy of the one that is renewed. Comes to what ``put`` comes to."""
        self._documents.require_fit(key, result.bounds, result.canvas)
        target = space_of(self._documents.require(key))
        step = most(sent_for(target), target)
        picture = yield from on_thread(lambda: read_layer(decode, result, step))
        with self._backstage.clone() as backstage:
            if kept is None:
                blank = new_blank(backstage.topLevelNodes()[0].duplicate(), result.name, target)
            else:
                blank = yield from copy_blank(kept, result)
            yield WORKED
            pixels, mask = yield from self._fill(blank, picture, target)
            yield from self._documents.quiet(key)
            return (yield from put(blank, pixels, mask))

    def _fill(self, blank: Blank, picture: LayerPicture, target: Space) -> Steps[tuple[str, str]]:
        """Pixels and mask, and their digests. The layer is in no document yet, so nothing is drawn and
        nothing can be undone."""
        pixels, covered = Digest(), Digest()
        source = sent("GRAYA" if picture.grey else "RGBA", picture.depth > 8)
        with closing(Converter(self._backstage, source, target)) as converter:
            for piece in picture.pieces:
                converted = converter.convert(piece.pixels)
                write(blank.layer, piece.bounds.moved(*blank.shift), converted)
                pixels.add(converted)
                if blank.mask is not None:
                    write(blank.mask, piece.bounds.moved(*blank.mask_shift), piece.mask)
                    covered.add(piece.mask)
                yield WORKED
        return pixels.text, OWN if blank.mask is None else covered.text

    def place(self, key: str, layer: Node, result: LayerResult, renews: bool) -> Steps[Node]:
        """One step in the history. Two that go together where a layer is renewed that can't be exchanged."""
        self._documents.require_fit(key, result.bounds, result.canvas)
        document = self._documents.require(key)
        old = None if result.updates is None else layer_of(document, result.updates)
        if renews and old is not None:
            made = yield from self._exchange(key, old, layer, result.covered)
            if made is not None:
                return made
        below = layer_below(*source_in(document, result.source)) if old is None else old
        draw_all(document, layer)
        (document.rootNode() if below is None else below.parentNode()).addChildNode(layer, below)
        if renews and old is not None:
            yield WAITING  # Krita has its turn between the two, each of which draws all
            yield from self._documents.quiet(key)
            self._take_away(key, old, layer)
        return layer

    def _exchange(self, key: str, old: Node, layer: Node, content: Bounds) -> Steps[Node | None]:
        """The node that holds what ``layer`` has, in the place of ``old``; None = Krita can't do that now."""
        document = self._documents.require(key)
        if not can_exchange(document, old):
            return None
        parent, position, id = old.parentNode(), old.parentNode().childNodes().index(old), id_of(old)
        flatten(document, old)
        yield from self._documents.quiet(key)
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
        document = self._documents.require(key)
        before, after = (layer_of(document, id_of(node)) for node in (old, new))
        if before is not None and after is not None:
            before.remove()
            self._pairs.add(document, id_of(old), id_of(new))


def can_exchange(document: Document, old: Node) -> bool:
    """Flatten acts on the active layer of the picture in front, if it is shown, free, and has a mask. What it
    makes is as large as the canvas, and Krita must draw all of that while it waits."""
    small = document.width() * document.height() <= MOST
    in_front = Krita.instance().activeDocument() == document
    return small and in_front and old.visible() and not old.locked() and bool(old.childNodes())


def flatten(document: Document, old: Node) -> None:
    """Begin it: when Krita is quiet again, another node is in the place of ``old``."""
    document.setActiveNode(old)
    if active_layer(document) == old:
        Krita.instance().action("flatten_layer").trigger()


def fill(node: Node, layer: Node, content: Bounds) -> Steps[None]:
    """The pixels of ``layer`` and its masks into ``node``, which has other pixels and no mask. ``content``:
    where it was written; what is transparent there may have a colour, and Krita's bounds leave it out."""
    for part in tiles(bounds_of(node).union(bounds_of(layer)).union(content), SIDE):
        node.setPixelData(QByteArray(layer.pixelData(*part)), *part)
        yield WORKED
    node.setChildNodes([mask.duplicate() for mask in layer.childNodes()])


def mix_alike(node: Node, other: Node) -> None:
    """Named and mixed as ``other``. To set how it is mixed is a step in the history even where that stays
    the same."""
    node.setName(other.name())
    for name in MIXED:
        value = getattr(other, name)()
        if getattr(node, name)() != value:
            getattr(node, f"set{name[0].upper()}{name[1:]}")(value)


def recipe_of(document: Document, layer: Node) -> str:
    return told_by(document, RECIPE + id_of(layer))
