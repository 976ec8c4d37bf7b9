"""Steps of Krita's history that belong together: a layer comes, the one that it replaces goes.

Krita's plug-ins can't put both into one step. So when people go back or forth by one of them, the other
follows. Whether it must is seen by the document itself: only between the two has it both layers.
"""

from __future__ import annotations

from collections.abc import Callable

from krita import Document, Krita

from ._client.editor.slices import WAITING, Steps
from .documents import Documents, is_open
from .nodes import layer_of

STEPS = ("edit_undo", "edit_redo")


def halfway(document: Document, *pair: str) -> bool:
    return all(layer_of(document, id) is not None for id in pair)


class Pairs:
    """Listens to the actions of all windows from the first pair on. ``start`` takes work that is done in
    steps."""

    def __init__(self, documents: Documents, start: Callable[[Steps[None]], None]) -> None:
        self._documents, self._start = documents, start
        self._pairs: list[tuple] = []  # a document and the ids of its two layers
        self._heard: dict[str, object] = {}  # name → the action that is listened to
        self._taken = 0  # steps, each of which is followed unless another one comes

    def add(self, document: Document, old: str, new: str) -> None:
        self._pairs = [pair for pair in self._pairs if is_open(pair[0])]
        self._pairs.append((document, old, new))
        for name in STEPS:
            action = Krita.instance().action(name)
            if action is not None and self._heard.get(name) != action:
                self._heard[name] = action
                action.triggered.connect(lambda *_, name=name: self._follow(name))

    def _follow(self, name: str) -> None:
        document = Krita.instance().activeDocument()
        if document is not None:
            self._taken += 1
            self._start(self._follow_step(name, document, self._taken))

    def _follow_step(self, name: str, document: Document, step: int) -> Steps[None]:
        """Krita takes a step when nothing else is under way."""
        yield WAITING
        yield from self._documents.quiet(self._documents.key_of(document))
        open = any(halfway(*pair) for pair in self._pairs if pair[0] == document)
        if open and step == self._taken and document == Krita.instance().activeDocument():
            Krita.instance().action(name).trigger()
