"""GIMP with its window, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editors.backend import Backend
from editors.display import Display
from editors.gimp_controls import Fields
from editors.gimp_panel import Desk
from editors.running import Gimps


@pytest.fixture
def desk(gimps: Gimps, display: Display, backend: Backend) -> Iterator[Desk]:
    gimp = gimps.get()
    backend.forget_concepts()
    desk = Desk(gimp, display, backend)
    yield desk
    if gimp.alive:
        for window in desk.windows("^Palimpsest$"):
            desk.close(window)
        gimp.call("close_documents")


@pytest.fixture
def fields(gimps: Gimps, display: Display) -> Iterator[Fields]:
    gimp = gimps.get()
    yield Fields(gimp, display)
    if gimp.alive:
        gimp.call("close_controls")
