"""Steps of Krita's history that belong together: a layer comes, the one that it replaces goes.

Krita's plug-ins can't put both into one step. So when people go back or forth by one of them, the other
follows. Whether it must is seen by the document itself: only between the two has it both layers.
"""

from __future__ import annotations

from dataclasses import dataclass

from krita import Document, Krita

from .nodes import layer_of
from .qt import QTimer

STEPS = ("edit_undo", "edit_redo")
LOOK = 20  # ms between two looks whether Krita has taken the step
PATIENCE = 500  # looks: it takes its steps when it has drawn


@dataclass(frozen=True)
class Pair:
    document: Document
    old: str  # ids of the layers
    new: str

    @property
    def halfway(self) -> bool:
        return all(layer_of(self.document, id) is not None for id in (self.old, self.new))


class Pairs:
    """Listens to the actions of all windows from the first pair on."""

    def __init__(self) -> None:
        self._pairs: list[Pair] = []
        self._heard: dict[str, object] = {}  # name → the action that is listened to
        self._timer = QTimer(interval=LOOK, timeout=self._look)
        self._step = ""  # that was taken
        self._looks = 0

    def add(self, document: Document, old: str, new: str) -> None:
        self._pairs = [pair for pair in self._pairs if pair.document in Krita.instance().documents()]
        self._pairs.append(Pair(document, old, new))
        self._listen()

    def _listen(self) -> None:
        for name in STEPS:
            action = Krita.instance().action(name)
            if action is not None and self._heard.get(name) != action:
                self._heard[name] = action
                action.triggered.connect(lambda *_, name=name: self._taken(name))

    def _taken(self, name: str) -> None:
        self._step, self._looks = name, PATIENCE
        self._timer.start()

    def _look(self) -> None:
        """Krita takes a step when nothing else is under way."""
        self._looks -= 1
        document = Krita.instance().activeDocument()
        if document is None or self._looks <= 0:
            self._timer.stop()
        elif document.tryBarrierLock():
            document.unlock()
            self._timer.stop()
            if any(pair.halfway for pair in self._pairs if pair.document == document):
                Krita.instance().action(self._step).trigger()
