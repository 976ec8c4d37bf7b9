"""GIMP with its window, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editors.backend import Backend
from editors.display import Display
from editors.gimp_controls import Fields
from editors.gimp_panel import GimpUser
from editors.running import Gimps


@pytest.fixture
def user(gimps: Gimps, display: Display, backend: Backend) -> Iterator[GimpUser]:
    gimp = gimps.get()
    backend.forget_concepts()
    user = GimpUser(gimp, display, backend)
    yield user
    if gimp.alive:
        for window in user.windows("^Palimpsest$"):
            user.close(window)
        gimp.call("close_documents")


@pytest.fixture
def fields(gimps: Gimps, display: Display) -> Iterator[Fields]:
    gimp = gimps.get()
    yield Fields(gimp, display)
    if gimp.alive:
        gimp.call("close_controls")
