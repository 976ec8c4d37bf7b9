"""A server over the home of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.process import starting


@pytest.fixture
def server(home: Path) -> Iterator[None]:
    """Runs until the test is done."""
    with starting(home):
        yield
