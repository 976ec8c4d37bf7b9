"""Krita with the docker, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editors.backend import Backend
from editors.krita import Krita
from editors.krita_panel import LONG, Desk


@pytest.fixture
def desk(krita: Krita, backend: Backend) -> Iterator[Desk]:
    desk = Desk(krita, backend)
    yield desk
    if krita.alive:
        desk.call("leave_panel")
        desk.until("panel_at_rest", patience=LONG)
        desk.clean()
