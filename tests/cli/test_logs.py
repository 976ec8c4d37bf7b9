"""``palimpsest logs``, of logs that go away while it looks at them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from palimpsest.cli import INTERRUPTED, logs

GONE, THERE = Path("gone.log"), Path("there.log")


@pytest.fixture(autouse=True)
def found(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the logs is removed after it was found."""
    THERE.write_text("a line\n")
    monkeypatch.setattr(logs, "places", lambda: iter([GONE, THERE]))


def test_a_log_that_is_removed_meanwhile_is_passed_over(shell: Any) -> None:
    assert shell("logs", "--json").json == {"logs": {"there.log": ["a line"]}}


def test_a_log_that_is_removed_while_it_is_followed_is_begun_anew(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    GONE.write_text("before\n")

    def change() -> Any:
        GONE.unlink()
        yield
        GONE.write_text("longer than before\n")
        yield
        raise KeyboardInterrupt

    changes = change()
    monkeypatch.setattr(logs, "time", SimpleNamespace(sleep=lambda seconds: next(changes)))
    said = shell("logs", "--follow")
    assert said.code == INTERRUPTED, said.err
    gone, there = "==> gone.log <==", "==> there.log <=="
    assert said.out.splitlines() == [gone, "before", there, "a line", gone, "longer than before"]


def test_a_log_that_cannot_be_read_is_told(shell: Any) -> None:
    GONE.mkdir()
    said = shell("logs")
    assert (said.code, said.err.startswith("Error: gone.log can't be read: ")) == (1, True), said.err
