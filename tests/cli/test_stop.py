"""``palimpsest stop``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from palimpsest.cli import stop
from palimpsest.storage import announcement


def test_a_backend_that_ends_by_itself_meanwhile_is_stopped(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: int) -> None:
        raise ProcessLookupError(3, "No such process")

    holders = iter([4711, None])
    monkeypatch.setattr(announcement, "holder", lambda folder: next(holders))
    monkeypatch.setattr(stop, "os", SimpleNamespace(kill=gone))
    said = shell("stop", "--json")
    assert (said.code, said.json) == (0, {"stopped": True}), said.err
