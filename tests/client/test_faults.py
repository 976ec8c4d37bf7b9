"""A fault of the plug-in's own is a sentence in the panel: nothing stops and nothing crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.desk import Desk, fill
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.http.connection import Choice, check_choice


@pytest.fixture
def desk(tmp_path: Path):
    desk = Desk(tmp_path).ready()
    yield desk
    desk.panel.stop()


def test_an_answer_of_the_backend_that_nobody_understands(desk: Desk) -> None:
    """Lists that can't be read leave the ones that were there; the thread goes on and edits are possible."""
    desk.backend.the_models = [{"unheard": "of"}]
    desk.panel.refresh()
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    assert len(desk.editor.inserted) == 1


def test_a_result_that_nobody_understands(desk: Desk) -> None:
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish({"layer": b"no picture"})
    desk.idle()
    assert desk.state.outcome is not None
    assert desk.state.outcome.kind == "error"
    assert desk.state.outcome_text.startswith("Something went wrong in the plug-in (")
    assert desk.state.cannot_apply == ""


def test_a_job_that_breaks_on_its_way(desk: Desk) -> None:
    def broken(content: bytes) -> str:
        raise KeyError("content")

    desk.backend.upload = broken
    fill(desk.panel)
    desk.panel.apply()
    desk.idle()
    assert "KeyError" in desk.state.outcome_text
    assert desk.state.status.kind == "ready"


def test_an_editor_that_breaks_while_it_is_looked_at(desk: Desk) -> None:
    def broken() -> None:
        raise RuntimeError("gone")

    real, desk.editor.document = desk.editor.document, broken
    desk.until(lambda s: s.outcome is not None)
    assert "RuntimeError: gone" in desk.state.outcome_text
    desk.editor.document = real
    desk.editor.select_bounds(Bounds(0, 0, 5, 5))
    desk.until(lambda s: s.document == desk.editor.facts)


@pytest.mark.parametrize(
    "choice",
    [
        Choice("http://workstation:99999999", "a-token"),
        Choice("http://[::1", "a-token"),
        Choice("http://workstation:0", "a-token"),
        Choice("http://workstation:8391", "a-token\nHost: other"),
        Choice("http://workstation:8391", "“a-token”"),
    ],
)
def test_what_would_break_every_request_is_refused_before_it_is_kept(choice: Choice) -> None:
    assert check_choice(choice) != ""
