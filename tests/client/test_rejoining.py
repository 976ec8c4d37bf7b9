"""Jobs know which editor sent them, which follows them again after a restart."""

from __future__ import annotations

import pytest

from client.desk import Desk, fill
from client.scripted import Backend, concept
from palimpsest_client.learning.examples import draw_submission, learn_submission

EDIT = {"operation": "replace", "source_prompt": "a cat", "target_prompt": "a dog", "weights": {}}


def restarted(tmp_path, kind: str, request: dict) -> Desk:
    """A panel that finds its editor's job under way."""
    backend = Backend(past=[{"id": "krita-ab12", "kind": kind, "state": "running", "request": request}])
    backend.resume("krita-ab12")
    desk = Desk(tmp_path, backend)
    desk.panel.start()
    desk.until(lambda s: s.progress is not None and s.document is not None)
    backend.past = []
    return desk


def test_an_edit_of_before_a_restart_is_found_again(tmp_path):
    desk = restarted(tmp_path, "edit", EDIT)
    desk.backend.tell("started", device="cpu", attempt=1)
    desk.backend.tell("progressed", phase="editing", index=1, total=4, seconds_left=None)
    desk.until(lambda s: s.progress.text == "Editing · 1 of 4")
    desk.backend.tell("finished", artifacts={}, result={})
    desk.idle()
    assert desk.state.outcome_text == "An earlier edit is done: its result is under Results."
    desk.panel.stop()


def test_a_learning_of_before_a_restart_is_found_again(tmp_path):
    desk = restarted(tmp_path, "learn", {})
    desk.backend.the_concepts = [concept("my-toy")]
    desk.backend.tell("finished", artifacts={}, result={"name": "my-toy", "placeholder": "<my-toy>"})
    desk.until(lambda s: s.progress is None and s.concepts)
    assert desk.state.outcome_text == "<my-toy> is learned. Write it into a sentence like a word."
    desk.panel.stop()


@pytest.mark.parametrize("kind", ["invert", "attention", "describe", "draw"])
def test_an_answer_that_nobody_waits_for_any_more_is_no_result(tmp_path, kind):
    desk = restarted(tmp_path, kind, {})
    desk.backend.tell("finished", artifacts={}, result={})
    desk.idle()
    assert desk.state.outcome_text == ""
    desk.panel.stop()


def test_every_job_says_which_editor_sent_it(desk):
    asked = (
        desk.panel.apply,
        desk.panel.remember,
        desk.panel.describe,
        lambda: desk.panel.select_word("cat"),
    )
    fill(desk.panel)
    for number, ask in enumerate(asked, 1):
        ask()
        desk.until(lambda _, number=number: len(desk.backend.submitted) == number)
        desk.panel.cancel()
        desk.idle()
    sent = {job["kind"]: job["id"] for job in desk.backend.submitted}
    assert set(sent) == {"edit", "invert", "describe", "attention"}
    others = [learn_submission("krita", {}, []).id, draw_submission("krita", "a cat", "built-in").id]
    assert [id for id in [*sent.values(), *others] if not id.startswith("krita-")] == []
