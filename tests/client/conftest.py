"""What most tests of the panel begin with."""

from __future__ import annotations

import pytest

from client.desk import Desk


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path).ready()
    yield desk
    desk.panel.stop()
