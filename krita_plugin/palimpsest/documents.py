"""Krita's documents by keys, which outlive the objects that Krita hands out."""

from __future__ import annotations

import time

from krita import Document, Krita, Node

from ._client.editor.editor import require_fit
from ._client.editor.geometry import Bounds, Extent
from ._client.editor.keys import Keys
from ._client.editor.slices import WAITING, Steps
from .nodes import canvas_of, id_of
from .qt import QByteArray, QItemSelectionModel

MOST_SECONDS = 2.0  # that Krita's choice of a new layer is waited for


class Documents(Keys):
    def require_fit(self, key: str, bounds: Bounds, before: Extent | None) -> None:
        require_fit(canvas_of(self.require(key)).extent, bounds, before)

    def quiet(self, key: str) -> Steps[None]:
        """Until Krita has drawn everything and no brush is down: whoever waits inside Krita stops it all."""
        while not self.require(key).tryBarrierLock():
            yield WAITING
        self.require(key).unlock()

    def activate(self, key: str, layer: Node, wanted: Node) -> Steps[None]:
        """``wanted`` is made the active one in the place of a new ``layer``. Krita makes that the active one
        some turns of its own later, and knows its masks later still: until then it takes no notice. What
        people choose meanwhile stays."""
        came, end = False, time.monotonic() + MOST_SECONDS
        while time.monotonic() < end:
            node = self.require(key).activeNode()
            new = node is not None and id_of(node) == id_of(layer)
            if came and not new:
                return
            came = came or new
            if came:
                self.require(key).setActiveNode(wanted)
            yield WAITING


def is_open(document: Document) -> bool:
    return document in Krita.instance().documents()


def history() -> tuple[int, int]:
    """How many steps of the active document are done and how many there are."""
    return max([(at.currentIndex().row(), at.model().rowCount() - 1) for at in histories()], default=(0, 0))


def histories() -> list[QItemSelectionModel]:
    """Krita's own lists of the active document's steps; the chosen one was done last."""
    docks = [dock for dock in Krita.instance().dockers() if dock.objectName() == "History"]
    return [place for dock in docks for place in dock.findChildren(QItemSelectionModel)]


def told_by(document: Document, name: str) -> str:
    """What the document keeps under this name; "" = nothing."""
    return document.annotation(name).data().decode("utf-8", "replace")


def keep(document: Document, name: str, about: str, text: str) -> None:
    document.setAnnotation(name, "Palimpsest: " + about, QByteArray(text.encode()))


def copy_of(document: Document) -> Document:
    """Without a file: Krita's own copy has the original's, so that whoever saves it writes over that."""
    copy = document.clone()
    copy.setFileName("")
    return copy
