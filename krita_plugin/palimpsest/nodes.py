"""Krita's tree of layers: which one is meant, and where a new one belongs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from krita import Document, Node

from ._client.editor.geometry import Bounds

MASK = "transparencymask"
PICTURES = ("paintlayer", "grouplayer", "filelayer", "vectorlayer", "clonelayer", "filllayer")


def id_of(node: Node) -> str:
    """Kept in the file, and by a clone of the document."""
    return node.uniqueId().toString()


def bounds_of(node: Node) -> Bounds:
    """What isn't empty of it, in pixels of the canvas; may reach beyond it."""
    found = node.bounds()
    return Bounds(found.x(), found.y(), found.width(), found.height())


def is_layer(node: Node) -> bool:
    return not node.type().endswith("mask")


def layers(parent: Node) -> Iterator[Node]:
    """Everything below ``parent`` but masks, topmost first."""
    for node in reversed(parent.childNodes()):
        if is_layer(node):
            yield node
            yield from layers(node)


def pictures(document: Document, but: Node | None = None) -> list[Node]:
    """The layers that hold pixels, topmost first, without one of them."""
    found = layers(document.rootNode())
    return [node for node in found if node != but and node.type() in PICTURES and not bounds_of(node).empty]


def layer_of(document: Document, id: str) -> Node | None:
    return next((node for node in layers(document.rootNode()) if id_of(node) == id), None)


def active_layer(document: Document) -> Node | None:
    """The active layer, or the one whose mask is active."""
    node = document.activeNode()
    while node is not None and not is_layer(node):
        node = node.parentNode()
    return None if node is None or node.parentNode() is None else node  # the root is no layer


def source_in(document: Document, source: str) -> tuple:
    """As ``_client.editor.sources`` takes it."""
    return source, partial(layer_of, document), active_layer(document)


def active_mask(document: Document, layer: Node) -> int | None:
    """Which of the layer's masks is active; None = none of them."""
    active, masks = document.activeNode(), [id_of(mask) for mask in layer.childNodes()]
    return masks.index(id_of(active)) if active is not None and id_of(active) in masks else None


def canvas_of(document: Document) -> Bounds:
    return Bounds(0, 0, document.width(), document.height())


def mask_of(layer: Node) -> Node | None:
    """The lowest: the one that came with the layer, unless it was removed."""
    return next((node for node in layer.childNodes() if node.type() == MASK), None)


def draw_all(document: Document, layer: Node) -> None:
    """See to it that Krita draws the whole canvas when this layer is added, now and whenever that is done
    again, and when a layer below it goes.

    Krita draws only as far as the tiles of the mask reach. That is too little where a group or the document
    had one layer, whose pixels it took for its own, and where a layer below goes after a crop, which may come
    later. So the tiles must always reach from corner to corner; what is in the corners stays.
    """
    mask = mask_of(layer) or layer
    for x, y in ((0, 0), (document.width() - 1, document.height() - 1)):
        mask.setPixelData(mask.pixelData(x, y, 1, 1), x, y, 1, 1)
