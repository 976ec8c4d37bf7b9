"""A result that lies on the canvas to be looked at: a locked layer that goes again.

Krita's history gets a step for every layer that comes or goes, and a new step ends what could be redone. So
the preview is taken away by undoing its own step where that is still the last one, and removed like any layer
where it isn't. The document notes the layer's id, by which a preview is found that was saved with the file or
came back by a redo.
"""

from __future__ import annotations

from krita import Document, Krita, Node

from ._client.editor.sliced_editor import SlicedEditor
from ._client.editor.slices import WAITING, Steps
from .documents import Documents, histories, history, keep, told_by
from .nodes import draw_all, id_of, layer_of

MARK = "palimpsest-preview"  # the annotation of the document that holds the layer's id


class PreviewingEditor(SlicedEditor):
    """As far as it shows results to be looked at: at most one in each document."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents
        self._coming = False  # it has come, and the layer that was active isn't so again yet
        self._step = ""  # what Krita's Undo says as long as laying it down is the last step
        self._own_redo: tuple = ()  # document and history when this step alone is there to be redone
        self._listened: list = []  # Krita's lists of the history; one that isn't kept takes its signals along

    def lay(self, key: str, layer: Node, turn: int) -> Steps[bool]:
        """In place of the one that lies there. Whether it was laid down."""
        if turn == self._wish:
            yield from self._take_away(key)
            yield from self._documents.quiet(key)
        if turn != self._wish:
            return False
        document = self._documents.require(key)
        active = document.activeNode()
        layer.setLocked(True)
        draw_all(document, layer)
        keep(document, MARK, "a preview", id_of(layer))
        self._coming = True
        try:
            document.rootNode().addChildNode(layer, None)
            yield from self._documents.quiet(key)
            if active is not None:
                yield from self._documents.activate(key, layer, active)
            self._step = undo().text()
            self._listen(key)
        finally:
            self._coming = False
        return True

    def _listen(self, key: str) -> None:
        for one in [one for one in histories() if one not in self._listened]:
            one.currentChanged.connect(self._stepped)
            self._listened.append(one)
        done, steps = history()
        self._own_redo = key, done - 1, steps

    def _stepped(self, *_: object) -> None:
        """When it is redone, or another step is in its place, what is to be redone is people's own."""
        done, steps = history()
        if done == steps or (steps,) != self._own_redo[-1:]:
            self._own_redo = ()

    def ends_redo(self, document: str) -> bool:
        done, steps = history()
        return done < steps and (document, done, steps) != self._own_redo

    def take_away(self, key: str) -> Steps[None]:
        """It is taken away, and what is being made is not laid down."""
        self.begin_turn()
        yield from self._take_away(key)

    def hide_result(self, document: str) -> None:
        self.start(self.take_away(document))

    def veil_result(self, document: str, veiled: bool) -> None:
        found = self._documents.require(document)
        layer = preview_of(found)
        if layer is not None:
            layer.setVisible(not veiled)
            found.refreshProjection()

    def shows_result(self, document: str) -> bool:
        return preview_of(self._documents.require(document)) is not None

    def _take_away(self, key: str) -> Steps[None]:
        while self._coming:  # it would make its layer active again above what comes next
            yield WAITING
        document = self._documents.require(key)
        if preview_of(document) is None:
            return
        yield from self._documents.quiet(key)
        if document == Krita.instance().activeDocument() and undo().text() == self._step != "":
            yield from self._undo(key)
        layer = preview_of(document)
        if layer is not None:
            layer.setLocked(False)
            layer.remove()
            yield from self._documents.quiet(key)

    def _undo(self, key: str) -> Steps[None]:
        """Krita undoes at its own time. A step that looks the same and was another is done again."""
        undo().trigger()
        yield WAITING
        yield from self._documents.quiet(key)
        if preview_of(self._documents.require(key)) is not None:
            Krita.instance().action("edit_redo").trigger()
            yield WAITING
            yield from self._documents.quiet(key)


def undo():  # of Qt, which this file doesn't know by name: QAction moved between its versions
    return Krita.instance().action("edit_undo")


def preview_of(document: Document) -> Node | None:
    """The layer, if it lies there."""
    return layer_of(document, told_by(document, MARK))
