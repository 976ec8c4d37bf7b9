"""Edits that are asked for during a job: read at once, sent at once, made in order, and taken out again."""

from __future__ import annotations

import pytest

from client.desk import SHOWS, Desk, fill
from client.scripted import Backend
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.panel.queue import MOST_WAITING


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path).ready()
    yield desk
    desk.panel.stop()


def ask(desk: Desk, *things: str) -> None:
    for thing in things:
        fill(desk.panel, second=f"a photo of a {thing} on grass")
        desk.panel.apply()


def names(desk: Desk) -> list[str]:
    return [waiting.name for waiting in desk.state.waiting]


def test_edits_wait_in_order_and_each_has_the_picture_as_it_was_when_asked(desk):
    ask(desk, "dog", "cow", "ship")
    assert names(desk) == ["cat → cow", "cat → ship"]
    assert len(desk.editor.captured) == 3, "read when asked for"
    desk.until(lambda s: len(desk.backend.submitted) == 3)
    images = [job["request"]["image"] for job in desk.backend.submitted]
    assert len(set(images)) == 3
    for number, left in ((0, ["cat → ship"]), (1, []), (2, [])):
        desk.backend.finish_edit(of=number)
        desk.until(lambda s, n=number: len(desk.editor.inserted) == n + 1)
        assert names(desk) == left
    desk.idle()
    assert [layer.name for layer in desk.editor.inserted] == ["cat → dog", "cat → cow", "cat → ship"]
    assert desk.state.outcome_text.startswith("New layer “cat → ship”.")


def test_updates_that_wait_renew_the_same_layer(desk):
    ask(desk, "dog")
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    ask(desk, "cow", "ship")
    desk.until(lambda s: len(desk.backend.submitted) == 3)
    desk.backend.finish_edit(of=1)
    desk.until(lambda s: len(desk.editor.inserted) == 2)
    desk.backend.finish_edit(of=2)
    desk.idle()
    assert [layer.updates for layer in desk.editor.inserted] == [None, "layer-1", "layer-2"]


def test_one_can_be_taken_out_and_all_be_cancelled(desk):
    ask(desk, "dog", "cow", "ship", "tree")
    desk.until(lambda s: len(desk.backend.submitted) == 4)
    ids = [job["id"] for job in desk.backend.submitted]
    desk.panel.cancel_waiting(desk.state.waiting[1].number)
    assert names(desk) == ["cat → cow", "cat → tree"]
    desk.until(lambda s: desk.backend.cancelled == [ids[2]])
    desk.panel.cancel_all()
    assert names(desk) == []
    desk.idle()
    assert sorted(desk.backend.cancelled) == sorted(ids)
    assert desk.state.outcome_text == "Cancelled."
    assert desk.editor.inserted == []


def test_cancel_ends_what_is_under_way_and_the_next_begins(desk):
    ask(desk, "dog", "cow")
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    desk.panel.cancel()
    desk.until(lambda s: s.progress is not None and names(desk) == [])
    desk.backend.finish_edit(of=1)
    desk.idle()
    assert [layer.name for layer in desk.editor.inserted] == ["cat → cow"]


def test_a_failure_is_told_while_the_next_is_made(desk):
    ask(desk, "dog", "cow")
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    desk.backend.tell("failed", 0, error={"code": "x", "message": "Broken.", "hint": "", "details": {}})
    desk.until(lambda s: names(desk) == [])
    assert desk.state.progress is not None
    assert desk.state.outcome_text == "Broken."
    desk.backend.finish_edit(of=1)
    desk.idle()
    assert len(desk.editor.inserted) == 1


def test_one_whose_picture_cannot_be_read_is_taken_out_with_the_reason(desk):
    ask(desk, "dog")
    desk.until(lambda s: desk.backend.submitted)
    desk.editor.refuses = "The canvas has nothing there."
    ask(desk, "cow")
    assert names(desk) == []
    assert desk.state.outcome_text == "The canvas has nothing there."
    assert desk.state.progress is not None


def test_while_a_picture_is_read_the_next_waits_for_the_editor(desk):
    desk.editor.hold = True
    ask(desk, "dog", "cow")
    assert len(desk.editor.captured) == 1, "an editor reads one picture at a time"
    desk.panel.cancel()
    assert desk.state.progress.text == "Reading the picture"
    desk.editor.hold = False
    desk.editor.release()
    desk.until(lambda s: desk.backend.submitted)
    (sent,) = desk.backend.submitted
    assert sent["request"]["target_prompt"] == "a photo of a cow on grass"
    desk.backend.finish_edit()
    desk.idle()
    assert [layer.name for layer in desk.editor.inserted] == ["cat → cow"]


LEFT, RIGHT = Bounds(10, 10, 40, 40), Bounds(900, 700, 40, 40)


@pytest.fixture
def large(desk):
    """A picture of which an edit needs a part only, and an editor that is told when to go on."""
    desk.editor.change(width=1000, height=800, selection=LEFT, mark="left")
    desk.editor.hold = True
    return desk


def test_what_is_selected_when_it_is_read_is_what_is_edited(large):
    ask(large, "dog", "cow")
    large.editor.change(selection=RIGHT, mark="right")
    large.editor.release()
    first, second = (crop for _, _, crop in large.editor.captured)
    assert first.contains(LEFT)
    assert not first.contains(RIGHT)
    assert second.contains(RIGHT)
    assert not second.contains(LEFT)
    large.editor.hold = False
    large.editor.release()
    large.until(lambda s: len(large.backend.submitted) == 2)
    for number, crop in enumerate((first, second)):
        large.backend.finish_edit(crop.width, crop.height, number)
        large.until(lambda s, n=number: len(large.editor.inserted) == n + 1)
    large.idle()
    assert [layer.covered.contains(RIGHT) for layer in large.editor.inserted] == [False, True]


def test_all_of_a_picture_is_read_that_another_one_has_come_before(large):
    """Nobody says what is selected in it by then."""
    ask(large, "dog", "cow")
    large.editor.change(key="d2", active="other")
    large.editor.release()
    assert [(document, crop is None) for document, _, crop in large.editor.captured] == [
        ("d1", False),
        ("d1", True),
    ]


def test_one_whose_picture_can_no_longer_be_edited_is_taken_out_with_the_reason(large):
    ask(large, "dog", "cow")
    large.editor.change(selection=None, mark="", refusal="Outside the canvas.")
    later = []
    large.editor.later = later.append
    large.editor.release()
    later.pop()()
    assert names(large) == []
    assert large.state.outcome_text == "Outside the canvas."
    assert len(large.editor.captured) == 1


def test_apply_looks_at_the_picture_first(desk):
    """Nothing has looked since the selection was made."""
    desk.editor.change(width=1000, height=800, selection=RIGHT, mark="right")
    ask(desk, "dog")
    assert desk.state.document.selection == RIGHT
    ((_, _, crop),) = desk.editor.captured
    assert crop.contains(RIGHT)
    assert not crop.contains(LEFT)


@pytest.mark.parametrize("leave", [False, True], ids=["cancelled", "another backend"])
def test_what_is_not_wanted_any_more_is_not_read(desk, leave):
    desk.editor.hold = True
    ask(desk, "dog", "cow", "ship")
    desk.panel.jobs.leave() if leave else desk.panel.cancel_all()
    ask(desk, "tree")
    assert len(desk.editor.captured) == 1, "the first is under way"
    desk.editor.hold = False
    desk.editor.release()
    assert len(desk.editor.captured) == 2, "the new one is next"
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    assert [layer.name for layer in desk.editor.inserted] == ["cat → tree"]


def test_one_that_is_taken_out_is_not_read(desk):
    desk.editor.hold = True
    ask(desk, "dog", "cow", "ship")
    desk.panel.cancel_waiting(desk.state.waiting[0].number)
    desk.editor.hold = False
    desk.editor.release()
    assert len(desk.editor.captured) == 2
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    things = [job["request"]["target_prompt"] for job in desk.backend.submitted]
    assert sorted(things) == ["a photo of a dog on grass", "a photo of a ship on grass"]


def test_so_many_may_wait_and_no_more(desk):
    ask(desk, "dog", *["cow"] * MOST_WAITING)
    assert len(desk.state.waiting) == MOST_WAITING
    assert desk.state.cannot_apply.startswith(f"{MOST_WAITING} edits wait already")
    desk.panel.apply()
    assert len(desk.state.waiting) == MOST_WAITING


def test_jobs_of_before_a_restart_are_found_again_in_order(tmp_path):
    request = {"operation": "replace", "source_prompt": SHOWS, "weights": {}}
    past = [
        {
            "id": f"krita-0-0-ab1{number}",
            "kind": "edit",
            "state": "queued",
            "request": {**request, "target_prompt": f"a photo of a {thing} on grass"},
        }
        for number, thing in ((2, "cow"), (1, "dog"))
    ]
    backend = Backend(past=past)
    for job in reversed(past):
        backend.resume(job["id"])
    desk = Desk(tmp_path, backend)
    desk.panel.start()
    desk.until(lambda s: s.progress is not None and s.document is not None)
    assert names(desk) == ["cat → cow"]
    backend.past = []
    for number in (0, 1):
        backend.tell("finished", number, artifacts={}, result={})
    desk.idle()
    assert desk.state.outcome_text == "An earlier edit is done: its result is under Results."
    assert desk.editor.inserted == []
    desk.panel.stop()


def test_a_backend_that_is_gone_gets_what_waits_when_it_is_back(desk):
    ask(desk, "dog")
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.down = True
    desk.until(lambda s: s.status.kind == "trouble")
    assert desk.state.cannot_apply, "nothing can be asked of it now"
    desk.backend.down = False
    desk.until(lambda s: s.status.kind == "ready")
    ask(desk, "cow")
    desk.backend.finish_edit(of=0)
    desk.until(lambda s: len(desk.backend.submitted) == 2 and len(desk.editor.inserted) == 1)
    desk.backend.finish_edit(of=1)
    desk.idle()
    assert len(desk.editor.inserted) == 2


def test_pictures_are_not_mixed_up(desk):
    """What waits goes to the document that it was asked for."""
    ask(desk, "dog", "cow")
    desk.editor.change(key="d2", active="other")
    desk.until(lambda s: s.document.key == "d2")
    assert desk.state.updating == ""
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    for number in (0, 1):
        desk.backend.finish_edit(of=number)
        desk.until(lambda s, n=number: len(desk.editor.inserted) == n + 1)
    desk.idle()
    assert desk.editor.placed_in == ["d1", "d1"]
