"""A layer's content exchanged in one undo step.

Krita has no such step for plug-ins: adding the new layer and removing the old one are two. But *Flatten
Layer* is one step that puts another node in a layer's place, and undoing it brings the old one back as it
was. What is written into the new node afterwards is no step of its own, and is there when it is done again.
"""

from __future__ import annotations

from krita import Document, Krita, Node

from ._client.geometry import Bounds, tiles
from ._client.slices import WORKED, Steps
from .nodes import active_layer, bounds_of
from .qt import QByteArray

MIXED = ("colorLabel", "alphaLocked", "inheritAlpha", "opacity", "blendingMode")  # what Krita's nodes tell
SIDE = 1024  # px of a piece that is copied at once
MOST = 1 << 20  # pixels of a canvas: Krita draws all of it, and measures layers as large, while it waits


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
