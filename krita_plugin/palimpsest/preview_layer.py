"""A result that lies on the canvas to be looked at: a locked layer that goes again.

Krita's history gets a step for every layer that comes or goes, and a new step ends what could be redone. So
the preview is taken away by undoing its own step where that is still the last one, and removed like any layer
where it isn't. The document notes the layer's id, by which a preview is found that was saved with the file or
came back by a redo.
"""

from __future__ import annotations

from collections.abc import Callable

from krita import Document, Krita, Node

from ._client.slices import WAITING, WORKED, Steps
from .documents import histories, history
from .nodes import draw_all, id_of, layer_of
from .qt import QByteArray

MOST_TURNS = 50
MARK = "palimpsest-preview"  # the annotation of the document that holds the layer's id


class PreviewLayer:
    """At most one in each document. ``require``: the open document of a key; ``quiet``: until Krita rests."""

    def __init__(self, require: Callable[[str], Document], quiet: Callable[[str], Steps[None]]) -> None:
        self._require, self._quiet = require, quiet
        self._turn = 0  # of the last wish; what was begun for another is not laid down
        self._laying = False  # it has come, and the layer that was active isn't so again yet
        self._step = ""  # what Krita's Undo says as long as laying it down is the last step
        self._own_redo: tuple = ()  # document and history when this step alone is there to be redone
        self._listened: list = []  # Krita's lists of the history; one that isn't kept takes its signals along

    def begin(self) -> int:
        """The turn in which one is made that ``lay`` may lay down, unless another wish comes."""
        self._turn += 1
        return self._turn

    def lay(self, key: str, layer: Node, turn: int) -> Steps[bool]:
        """In place of the one that lies there. Whether it was laid down."""
        if turn == self._turn:
            yield from self._taken_away(key)
            yield from self._quiet(key)
        if turn != self._turn:
            return False
        document = self._require(key)
        active = document.activeNode()
        layer.setLocked(True)
        draw_all(document, layer)
        document.setAnnotation(MARK, "Palimpsest: a preview", QByteArray(id_of(layer).encode()))
        self._laying = True
        try:
            document.rootNode().addChildNode(layer, None)
            yield from self._quiet(key)
            yield from self._given_back(key, layer, active)
            self._step = undo().text()
            self._listen(key)
        finally:
            self._laying = False
        return True

    def _listen(self, key: str) -> None:
        for one in [one for one in histories() if one not in self._listened]:
            one.currentChanged.connect(self._stepped)
            self._listened.append(one)
        done, steps = history()
        self._own_redo = key, done - 1, steps

    def _stepped(self, *_: object) -> None:
        """Any other step than back by the one: what is to be redone from now on is people's own."""
        if history() != self._own_redo[1:]:
            self._own_redo = ()

    def ends_redo(self, key: str) -> bool:
        """Whether the next one would end what people can redo in this document, which is the active one."""
        done, steps = history()
        return done < steps and (key, done, steps) != self._own_redo

    def _given_back(self, key: str, layer: Node, active: Node | None) -> Steps[None]:
        """Krita makes a new layer the active one, some turns of its own later."""
        for _ in range(MOST_TURNS):
            if active is None or self._require(key).activeNode() == layer:
                break
            yield WAITING
        if active is not None:
            self._require(key).setActiveNode(active)
        yield WORKED

    def gone(self, key: str) -> Steps[None]:
        """It is taken away, and what is being made is not laid down."""
        self._turn += 1
        yield from self._taken_away(key)

    def veil(self, key: str, veiled: bool) -> None:
        document = self._require(key)
        layer = layer_of(document, marked(document))
        if layer is not None:
            layer.setVisible(not veiled)
            document.refreshProjection()

    def lies(self, key: str) -> bool:
        document = self._require(key)
        return layer_of(document, marked(document)) is not None

    def _taken_away(self, key: str) -> Steps[None]:
        while self._laying:  # it would make its layer active again above what comes next
            yield WAITING
        document = self._require(key)
        id = marked(document)
        if layer_of(document, id) is None:
            return
        yield from self._quiet(key)
        if document == Krita.instance().activeDocument() and undo().text() == self._step != "":
            yield from self._undone(key, id)
        layer = layer_of(document, id)
        if layer is not None:
            layer.setLocked(False)
            layer.remove()
            yield from self._quiet(key)

    def _undone(self, key: str, id: str) -> Steps[None]:
        """Krita undoes at its own time. A step that looks the same and was another is done again."""
        undo().trigger()
        yield WAITING
        yield from self._quiet(key)
        if layer_of(self._require(key), id) is not None:
            Krita.instance().action("edit_redo").trigger()
            yield WAITING
            yield from self._quiet(key)


def undo():  # of Qt, which this file doesn't know by name: QAction moved between its versions
    return Krita.instance().action("edit_undo")


def marked(document: Document) -> str:
    """The id of the layer that is, or was, a preview."""
    return document.annotation(MARK).data().decode("utf-8", "replace")
