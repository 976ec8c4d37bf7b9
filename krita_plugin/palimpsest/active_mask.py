"""The mask that people paint on stays the active one when another layer takes the place of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from krita import Document, Node

from ._client.slices import WAITING, Steps
from .nodes import id_of

MOST_TURNS = 50


def active_mask(document: Document, layer: Node) -> Optional[int]:
    """Which of the layer's masks is active; None = none of them."""
    active = document.activeNode()
    masks = [id_of(mask) for mask in layer.childNodes()]
    return masks.index(id_of(active)) if active is not None and id_of(active) in masks else None


def activate_mask(require: Callable[[], Document], layer: Node, mask: Optional[int]) -> Steps[None]:
    """Krita makes a new layer the active one some turns of its own later, and knows its masks later still:
    until then it takes no notice. ``require``: the open document."""
    if mask is None or mask >= len(layer.childNodes()):
        return
    wanted = layer.childNodes()[mask]
    for _ in range(MOST_TURNS):
        active = require().activeNode()
        if active == wanted:
            return
        if active == layer:
            require().setActiveNode(wanted)
        yield WAITING
