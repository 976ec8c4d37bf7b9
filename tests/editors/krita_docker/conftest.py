"""Krita with the docker, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editors.backend import Backend
from editors.krita import Krita
from editors.krita_panel import LONG, KritaPanel


@pytest.fixture
def panel(krita: Krita, backend: Backend) -> Iterator[KritaPanel]:
    panel = KritaPanel(krita, backend)
    yield panel
    if krita.alive:
        panel.call("leave_panel")
        panel.until("panel_at_rest", patience=LONG)
        panel.clean()
