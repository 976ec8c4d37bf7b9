"""What the panel has told goes when it isn't so any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client.desk import Desk, fill
from client.scripted import picture
from palimpsest_client.editor.geometry import Bounds


@pytest.fixture
def made(desk):
    """One edit has become a layer."""
    fill(desk.panel)
    desk.panel.apply()
    done(desk, 1)
    assert desk.state.outcome_text.startswith("New layer “cat → dog”.")
    return desk


def done(desk, jobs: int) -> None:
    desk.until(lambda s: len(desk.backend.submitted) == jobs)
    desk.backend.finish_edit()
    desk.until(lambda s: s.progress is None and s.document == desk.editor.facts)


def undo(desk, layer: str, active: str) -> None:
    desk.editor.undone.append(layer)
    desk.editor.activate(active)
    desk.until(lambda s: s.document == desk.editor.facts)


def test_a_layer_that_was_undone_is_not_said_to_be_new(made):
    undo(made, "layer-1", "layer-0")
    made.until(lambda s: s.outcome_text == "")


def test_a_layer_whose_update_was_undone_is_not_said_to_be_updated(made):
    made.panel.draft.write_operand("a photo of a cow on grass")
    made.panel.apply()
    done(made, 2)
    assert made.state.outcome_text.startswith("Layer “cat → cow” updated.")
    undo(made, "layer-2", "layer-1")
    made.until(lambda s: s.outcome_text == "")
    assert made.state.updating, "the version before is in hand"


def test_a_layer_stays_told_while_it_is_there_whichever_is_active(made):
    made.editor.activate("layer-0")
    made.until(lambda s: s.document == made.editor.facts)
    made.panel.look()
    assert made.state.outcome_text.startswith("New layer “cat → dog”.")


def test_a_layer_that_another_picture_got_stays_told(made):
    made.panel.apply_new()
    made.until(lambda s: len(made.backend.submitted) == 2)
    made.editor.hold = True
    made.backend.finish_edit(of=1)
    made.until(lambda s: len(made.editor.inserted) == 2)
    turn_to_another(made)
    made.editor.release()
    made.until(lambda s: s.outcome_text.startswith("New layer"))
    made.panel.look()
    assert made.state.outcome_text.startswith("New layer")


def turn_to_another(desk) -> None:
    desk.editor.change(key="d2", active="other")
    desk.until(lambda s: s.document == desk.editor.facts)


def result(desk):
    """The picture's only one."""
    desk.backend.past_edit("krita-1", desk.panel.jobs.origins.of(desk.editor.facts).note())
    desk.panel.gallery.refresh()
    return desk.until(lambda s: s.results)[0]


def test_a_result_that_was_kept_and_undone_is_not_said_to_be_there(made):
    made.panel.gallery.keep(result(made))
    made.until(lambda s: len(made.editor.inserted) == 2 and s.progress is None)
    assert made.state.outcome_text == "New layer “cat → dog”."
    undo(made, "layer-2", "layer-1")
    made.until(lambda s: s.outcome_text == "")


def test_a_preview_that_was_undone_is_not_offered_to_be_kept(made):
    made.panel.gallery.show(result(made))
    made.until(lambda s: s.outcome_text == "This is a preview. Keep it as a layer, or discard it.")
    made.editor.shown = None
    made.until(lambda s: s.strip.shown is None)
    assert made.state.outcome_text == ""


@pytest.mark.parametrize("now", [{"selection": None}, {"mark": "another shape of the same bounds"}])
def test_a_word_is_said_to_be_selected_as_long_as_that_is_selected(desk, now):
    fill(desk.panel)
    desk.panel.select_word("cat")
    desk.until(lambda s: desk.backend.submitted)
    desk.editor.select_bounds(Bounds(4, 4, 8, 8))  # what the editor makes of it
    desk.backend.finish({"selection": picture(64, 48)}, selected=0.25)
    desk.until(lambda s: s.outcome_text.startswith("“cat” is selected: 25 %"))
    desk.panel.look()
    assert desk.state.outcome_text
    desk.editor.change(**now)
    desk.until(lambda s: s.outcome_text == "")


def test_an_edit_is_said_to_be_open_as_long_as_its_layer_is_in_hand(made):
    made.panel.new_layer_instead()
    made.panel.reopen()
    assert made.state.outcome_text == "“cat → dog” is open again: Update changes it."
    made.editor.activate("layer-0")
    made.until(lambda s: s.updating == "")
    assert made.state.outcome_text == ""


@pytest.mark.parametrize("file", ["/photos/a.png", ""])
def test_that_a_picture_was_closed_is_said_until_it_is_open_again(tmp_path, file):
    desk = Desk(tmp_path)
    desk.editor.change(file=file)
    desk.ready()
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    closed, desk.editor.facts = desk.editor.opened, None
    desk.until(lambda s: s.document is None)
    desk.editor.refuses = "It was closed."
    desk.backend.finish_edit()
    desk.until(lambda s: s.progress is None)
    said = desk.state.outcome_text
    assert "It was closed." in said
    desk.editor.facts = replace(closed, key="d2", file="/photos/other.png")
    desk.until(lambda s: s.document is not None and s.document.key == "d2")
    assert desk.state.outcome_text == said, "another picture"
    desk.editor.facts = replace(closed, key="d3")
    desk.until(lambda s: s.document.key == "d3")
    assert desk.state.outcome_text == ("" if file else said)
    desk.panel.stop()
