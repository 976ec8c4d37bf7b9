"""The docker in a stand-in for Krita 6, with a scripted backend and picture."""

from __future__ import annotations

import os

import pytest

from client.scripted import Backend, ScriptedEditor
from jobs.shop import eventually
from krita_six import six


class Room:
    """A docker as wide as Krita's column, and all that it talks to."""

    def __init__(self, backend: Backend) -> None:
        self.application = six.application()
        self.plugin = six.load()
        self.krita = six.Krita.instance()
        self.backend, self.editor = backend, ScriptedEditor()
        module = six.part("shared_panel")
        self.shared = module.SharedPanel(self.editor)
        module._shared[:] = [self.shared]
        self.panel = self.shared.panel
        self.panel.session._connect = backend.connect
        self.docker = self.krita.factories[0].made()
        self.docker.setObjectName("palimpsest")
        self.krita.shown.append(self.docker)
        self.docker.resize(six.WIDTH, 900)

    def open(self) -> Room:
        self.docker.show()
        self.until(lambda s: s.status.kind == "ready" and s.models and s.document is not None)
        return self

    def until(self, holds):
        """The editor's own loop turns until it is so."""

        def turned():
            self.application.processEvents()
            self.panel._looked_at = float("-inf")
            return holds(self.panel.state)

        eventually(turned)
        self.application.processEvents()

    def resize(self, width: int) -> None:
        self.docker.resize(width, 900)
        self.application.processEvents()

    def close(self) -> None:
        self.shared.close()
        self.docker.close()
        self.docker.deleteLater()
        self.application.processEvents()


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def closed_room(tmp_path, backend, monkeypatch):
    """Nothing is shown yet."""
    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ImportError as error:
        if os.environ.get("PALIMPSEST_REQUIRE_EDITORS") == "1":
            raise
        pytest.skip(f"PyQt6 can't be loaded: {error}")
    monkeypatch.setenv("PALIMPSEST_HOME", str(tmp_path))
    room = Room(backend)
    yield room
    room.close()


@pytest.fixture
def room(closed_room):
    return closed_room.open()
