"""The actions under Tools ▸ Scripts: each can be given a shortcut in Krita's settings."""

from __future__ import annotations

from collections.abc import Callable

from krita import Extension, Krita

from .qt import QTimer
from .shared_panel import shared_panel

DOCKER = "palimpsest"  # the docker's id in Krita
MENU = "tools/scripts"
GROUP, SEEN = "palimpsest", "panel-was-shown"  # of Krita's own settings


class PalimpsestExtension(Extension):
    """One for all windows."""

    def setup(self) -> None:
        """Krita asks for it; there is nothing to do before a window is there."""

    def createActions(self, window) -> None:  # noqa: N802
        for name, text, call in shared_panel().windows.actions(focus_words):
            action = window.createAction("palimpsest_" + name, "Palimpsest: " + text, MENU)
            action.triggered.connect(self._with_panel(call))
        QTimer.singleShot(0, show_once)

    def _with_panel(self, call: Callable[[], None]) -> Callable[..., None]:
        """What an action says is read in the panel, so it is shown first."""

        def run(_: bool = False) -> None:
            shared_panel().open()
            show_docker()
            shared_panel().panel.look()
            call()

        return run


def focus_words() -> None:
    for docker in shared_panel().front:
        docker.panel_view.words.begin()


def show_docker() -> None:
    for docker in Krita.instance().dockers():
        if docker.objectName() == DOCKER:
            docker.setVisible(True)
            docker.raise_()


def show_once() -> None:
    """Krita 5.2 and later hide a new docker: show it the first time, and never against the user's will."""
    krita = Krita.instance()
    if krita.readSetting(GROUP, SEEN, "") == "":
        krita.writeSetting(GROUP, SEEN, "yes")
        show_docker()
