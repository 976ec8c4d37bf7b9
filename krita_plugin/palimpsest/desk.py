"""What all of Krita's windows share: the editor, the panel, its timer, and the dockers that show it."""

from __future__ import annotations

from collections.abc import Callable

from krita import Krita

from ._client.editor import Editor
from ._client.panel import Panel
from ._client.panel_state import PanelState
from .host import KritaEditor
from .qt import QTimer

TICK = 100  # ms


class Desk:
    """The panel runs from the first time that it is looked at; before, nothing is asked of anyone."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.panel = Panel("krita", self.editor, self._show)
        self.views: list = []  # of the dockers
        self.redraw: Callable[[], None] = lambda: None  # the windows beside them
        self._timer = QTimer()
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self.panel.tick)
        self._notifier = Krita.instance().notifier()  # a notifier that is not kept takes its signals along

    def open(self) -> None:
        if not self._timer.isActive():
            self._notifier.setActive(True)
            self._notifier.applicationClosing.connect(self.close)
            self.panel.start()
            self._timer.start()

    def close(self) -> None:
        """Krita goes. A running job goes on without it."""
        if self._timer.isActive():
            self._timer.stop()
            self.panel.stop()

    def add(self, view) -> None:
        self.views.append(view)
        view.show_state(self.panel.state)

    def _show(self, state: PanelState) -> None:
        for view in list(self.views):
            try:
                view.show_state(state)
            except RuntimeError:  # its window was closed, and Qt has deleted it
                self.views.remove(view)
        self.redraw()


_desks: list = []


def desk() -> Desk:
    """The one of this Krita. Krita makes dockers itself, without arguments: they find it here."""
    if not _desks:
        _desks.append(Desk(KritaEditor()))
    return _desks[0]
