"""What all of Krita's windows share: the editor, the panel, its timer, and the dockers that show it."""

from __future__ import annotations

from krita import Krita

from ._client.editor.collector import Collector
from ._client.editor.editor import Editor
from ._client.panel.panel import Panel
from ._client.panel.state import PanelState
from ._client.views.windows import Windows
from .dialogs import Desktop
from .host import KritaEditor
from .qt import QTimer, isdeleted

TICK = 100  # ms


class SharedPanel:
    """The panel runs from the first time that it is looked at; before, nothing is asked of anyone."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.panel = Panel("krita", editor, self._show)
        self.desktop = Desktop(self.panel.session)
        self.windows = Windows(self.panel, editor, self.desktop, self._use)
        self._views: list = []
        self._timer = QTimer(interval=TICK, timeout=self.panel.tick)
        self._collector = Collector()
        self._timer.timeout.connect(self._collector.collect)
        self._notifier = Krita.instance().notifier()  # a notifier that is not kept takes its signals along

    def open(self) -> None:
        if not self._timer.isActive():
            self._notifier.setActive(True)
            self._notifier.applicationClosing.connect(self.close)
            self._collector.start()
            self.panel.start()
            self._timer.start()

    def close(self) -> None:
        """Krita goes. A running job goes on without it."""
        if self._timer.isActive():
            self._timer.stop()
            self._collector.stop()
            self.panel.stop()

    @property
    def views(self) -> list:
        """The dockers; with a closed window Qt has deleted its own."""
        self._views = [view for view in self._views if not isdeleted(view)]
        return self._views

    @property
    def front(self) -> list:
        """The docker that is worked in: of the active window, else the first; none if none is seen."""
        window = Krita.instance().activeWindow()
        main = None if window is None else window.qwindow()
        seen = [view for view in self.views if view.isVisible()]
        inside = main.findChildren(type(seen[0])) if main is not None and seen else []  # floating ones too
        return sorted(seen, key=lambda view: view not in inside)[:1]

    def add(self, view) -> None:
        self._views.append(view)
        view.show_state(self.panel.state)

    def _show(self, state: PanelState) -> None:
        for view in self.views:
            view.show_state(state)
        self.desktop.redraw()

    def _use(self, concept: str) -> None:
        """Once: all dockers show the same sentences."""
        for view in self.front:
            view.insert_concept(concept)


_shared: list = []


def shared_panel() -> SharedPanel:
    """The one of this Krita. Krita makes dockers itself, without arguments: they find it here."""
    if not _shared:
        _shared.append(SharedPanel(KritaEditor()))
    return _shared[0]
