"""The layer in hand: renewed by Update, followed through undo, and let go when something else is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from client.desk import Desk, fill
from client.paper import Paper, found
from client.scripted import SPEC, Backend, picture
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.text.wording import say
from palimpsest_client.views.panel_view import PanelView
from palimpsest_client.views.windows import Windows


class EditedPanel(Desk):
    """A picture with a selection and one edit made in it."""

    def __init__(self, folder, backend: Backend | None = None) -> None:
        super().__init__(folder, backend)
        self.ready()
        self.editor.select_bounds(Bounds(10, 10, 20, 12))
        self.seen()
        fill(self.panel)
        self.panel.apply()
        self.done(1)

    def seen(self) -> None:
        self.until(lambda s: s.document == self.editor.facts)

    def done(self, jobs: int, **result: Any) -> None:
        """The last of so many edits is made and placed."""
        self.until(lambda s: len(self.backend.submitted) == jobs)
        self.backend.finish_edit(**result)
        self.until(lambda s: s.progress is None and s.document == self.editor.facts)

    def update(self, jobs: int, **result: Any) -> None:
        self.panel.apply()
        self.done(jobs, **result)


@pytest.fixture
def edited(tmp_path):
    edited = EditedPanel(tmp_path)
    yield edited
    edited.panel.stop()


def test_what_was_made_stays_in_hand_and_is_renewed_twice(edited):
    assert edited.state.updating == "cat → dog"
    edited.panel.draft.set(structure=0.25)
    edited.update(2)
    edited.panel.draft.write_operand("a photo of a cow on grass")
    edited.update(3)
    assert [layer.updates for layer in edited.editor.inserted] == [None, "layer-1", "layer-2"]
    assert len(edited.editor.captured) == 1, "the photo is on the backend"
    assert edited.state.updating == "cat → cow"
    assert edited.state.outcome_text.startswith("Layer “cat → cow” updated.")


def test_an_edit_grows_from_its_selection_however_often_it_is_opened_again(edited):
    for jobs in (2, 3):
        edited.panel.reopen()
        edited.update(jobs, grown=3)
        assert edited.editor.inserted[-1].content == Bounds(7, 7, 26, 18)


def test_a_reopened_edit_is_updated_twice(edited):
    edited.editor.activate("layer-0")
    edited.seen()
    assert edited.state.updating == ""
    edited.editor.activate("layer-1", has_recipe=True)
    edited.seen()
    edited.panel.reopen()
    for jobs in (2, 3):
        edited.panel.draft.set(structure=0.1 * jobs)
        edited.update(jobs)
    assert [layer.updates for layer in edited.editor.inserted] == [None, "layer-1", "layer-2"]


def test_an_undone_update_gives_its_layer_back_into_the_hand(edited):
    edited.update(2)
    edited.panel.draft.write_operand("a photo of a cow on grass")
    edited.update(3)
    assert edited.state.updating == "cat → cow"
    edited.editor.activate("layer-2", has_recipe=True)
    edited.seen()
    assert edited.state.updating == "cat → dog"
    edited.update(4)
    assert edited.editor.inserted[-1].updates == "layer-2"
    edited.editor.activate("layer-0")  # all undone
    edited.seen()
    assert edited.state.updating == ""


def undone(edited: EditedPanel, *layers: str) -> None:
    edited.editor.undone = list(layers)
    edited.editor.activate("layer-0")
    edited.seen()
    edited.until(lambda s: s.updating == "")


def redone(edited: EditedPanel, layer: str, *still: str) -> None:
    edited.editor.undone = list(still)
    edited.editor.activate(layer, has_recipe=True)
    edited.seen()


def test_a_first_edit_that_is_redone_is_in_hand_again(edited):
    undone(edited, "layer-1")
    edited.panel.draft.set(structure=0.25)
    redone(edited, "layer-1")
    edited.until(lambda s: s.updating == "cat → dog")
    assert not edited.state.can_reopen
    edited.update(2)
    assert edited.editor.inserted[-1].updates == "layer-1"
    undone(edited, "layer-1", "layer-2")
    redone(edited, "layer-1", "layer-2")
    edited.until(lambda s: s.updating == "cat → dog")
    redone(edited, "layer-2")
    edited.update(3)
    assert edited.editor.inserted[-1].updates == "layer-2"


def test_an_editor_may_choose_another_layer_before_it_takes_the_undone_one_away(edited):
    edited.editor.activate("layer-0")
    edited.until(lambda s: s.updating == "")
    undone(edited, "layer-1")
    redone(edited, "layer-1")
    edited.until(lambda s: s.updating == "cat → dog")


@pytest.mark.parametrize("how", ["another layer", "New", "another selection", "another edit"])
def test_what_was_let_go_on_purpose_is_not_in_hand_by_a_redo(edited, how):
    if how == "another layer":
        edited.editor.activate("layer-0")
        edited.seen()
    elif how == "New":
        edited.panel.new_layer_instead()
    elif how == "another selection":
        undone(edited, "layer-1")
        edited.editor.select_bounds(Bounds(0, 0, 5, 5))
        edited.seen()
    else:
        undone(edited, "layer-1")
        edited.panel.apply()
        edited.done(2)
        undone(edited, "layer-1", "layer-2")
        edited.panel.new_layer_instead()
    redone(edited, "layer-1")
    edited.seen()
    assert (edited.state.updating, edited.state.can_reopen) == ("", True)


def test_settings_that_came_with_an_edit_come_again_with_its_redo(edited):
    reopened(edited, steps=50)
    undone(edited, "layer-1")
    assert edited.state.form.settings.steps is None
    redone(edited, "layer-1")
    edited.until(lambda s: s.updating == "cat → dog")
    assert edited.state.form.settings.steps == 50
    edited.panel.new_layer_instead()
    assert edited.state.form.settings.steps is None


def variations(edited: EditedPanel, count: int) -> None:
    """The layer is undone, and of an edit of several the results are there."""
    edited.panel.new_layer_instead()
    edited.panel.draft.set(variations=count, seed=7)
    edited.panel.apply()
    edited.until(lambda s: len(edited.backend.submitted) == 2)
    job = edited.backend.submitted[-1]
    edited.backend.finish_edit()
    edited.idle()
    report = edited.backend._events[job["id"]][-1]["result"]
    names = ["layer", *(f"layer:{number}" for number in range(2, count + 1))]
    artifacts = {name: edited.backend.keep(picture(64, 48, shade)) for shade, name in enumerate(names)}
    told = {"state": "finished", "artifacts": artifacts, "result": report, "preview": None, "created": 1e9}
    edited.backend.past.insert(0, {**job, **told})
    edited.panel.gallery.refresh()
    edited.until(lambda s: len(s.results) == count)


def test_a_variation_that_is_kept_is_in_hand_as_what_it_is(edited):
    """Another name than the first one's layer, and its own seed: Update renews this one."""
    variations(edited, 3)
    edited.panel.gallery.show(edited.state.results[1])
    edited.until(lambda s: s.strip.shown is not None)
    edited.panel.gallery.keep()
    edited.until(lambda s: s.progress is None and s.updating == "cat → dog (2 of 3)")
    assert [layer.name for layer in edited.editor.inserted[1:]] == ["cat → dog", "cat → dog (2 of 3)"]
    assert edited.state.outcome_text == "New layer “cat → dog (2 of 3)”."
    edited.panel.draft.set(structure=0.25)
    edited.update(3)
    assert edited.editor.inserted[-1].updates == "layer-3"
    request, first = (edited.backend.submitted[n]["request"] for n in (2, 1))
    assert (request["seed"], request["variations"]) == (8, 1)
    assert (request["image"], request["selection"]) == (first["image"], first["selection"])
    edited.panel.new_layer_instead()
    assert (edited.state.form.settings.seed, edited.state.form.settings.variations) == (7, 3)


def test_a_kept_variation_is_opened_again_with_its_own_seed(edited):
    variations(edited, 3)
    edited.panel.draft.write_operand("a photo of a cow on grass")
    edited.panel.gallery.keep(edited.state.results[2])
    edited.until(lambda s: s.progress is None and s.can_reopen)
    assert edited.state.updating == "", "other words are filled in, and stay"
    assert edited.state.form.operand == "a photo of a cow on grass"
    edited.panel.reopen()
    form = edited.state.form
    assert (form.operand, form.settings.seed, form.settings.variations) == ("a photo of a dog on grass", 9, 1)


def test_the_layer_in_hand_is_called_what_its_user_calls_it(edited):
    edited.editor.change(layer="The dog")
    edited.seen()
    assert edited.state.updating == "The dog"


def test_another_operation_makes_a_layer_over_what_is_seen(edited):
    """To insert something where something was removed brings nothing back."""
    edited.panel.draft.choose_operation("insert")
    edited.panel.draft.write_operand("a ball")
    assert (edited.state.updating, edited.state.can_reopen) == ("", True)
    edited.panel.draft.choose_operation("replace")
    assert edited.state.updating == "cat → dog", "nothing was lost by looking"
    edited.panel.draft.choose_operation("insert")
    edited.panel.apply()
    edited.done(2)
    assert [layer.updates for layer in edited.editor.inserted] == [None, None]
    assert len(edited.editor.captured) == 2
    assert edited.state.updating == "+ ball"


@pytest.mark.parametrize(
    "change",
    [
        {"selection": Bounds(0, 0, 5, 5)},
        {"mark": "an ellipse's"},
        {"active": "layer-0", "layer": "Background"},
        {"key": "d2"},
    ],
    ids=["a new selection", "one of the same bounds", "another layer", "another document"],
)
def test_something_else_that_is_meant_lets_go(edited, change):
    edited.editor.change(**change)
    edited.seen()
    assert edited.state.updating == ""
    fill(edited.panel)
    edited.panel.apply()
    edited.until(lambda s: len(edited.editor.captured) == 2)


def test_to_deselect_is_no_other_selection(edited):
    edited.panel.draft.choose_operation("remove")
    edited.update(2)
    edited.editor.select_bounds(None)
    edited.seen()
    assert edited.state.updating == "removed"
    assert edited.state.cannot_apply == "", "the layer has its own"
    edited.update(3)
    assert edited.backend.submitted[2]["request"]["selection"] is not None


def test_new_makes_another_layer_and_that_is_in_hand(edited):
    edited.panel.apply_new()
    edited.done(2)
    assert [layer.updates for layer in edited.editor.inserted] == [None, None]
    assert len(edited.editor.captured) == 2
    edited.update(3)
    assert edited.editor.inserted[-1].updates == "layer-2"
    edited.panel.draft.choose_operation("insert")
    edited.panel.draft.write_operand("a ball")
    edited.panel.apply_new()
    edited.done(4)
    edited.editor.select_bounds(None)
    edited.seen()
    edited.panel.apply_new()
    assert edited.state.outcome_text == "Select where it should go."
    assert edited.state.updating == "+ ball", "nothing was made, so nothing is let go"


def test_an_editor_may_take_a_moment_to_make_the_new_layer_active(edited):
    edited.editor.hold = True
    edited.panel.apply()
    edited.until(lambda s: len(edited.backend.submitted) == 2)
    edited.backend.finish_edit()
    edited.until(lambda s: len(edited.editor.inserted) == 2)
    edited.editor.release()
    edited.editor.activate("layer-0")  # the one below, for a moment
    edited.until(lambda s: s.progress is None)
    edited.editor.hold = False
    assert edited.state.updating == "cat → dog"
    edited.editor.activate("layer-2", has_recipe=True)
    edited.seen()
    edited.update(3)
    assert edited.editor.inserted[-1].updates == "layer-2"


def test_a_new_layer_that_never_becomes_the_active_one_is_let_go(edited):
    edited.editor.hold = True
    edited.panel.apply()
    edited.until(lambda s: len(edited.backend.submitted) == 2)
    edited.backend.finish_edit()
    edited.until(lambda s: len(edited.editor.inserted) == 2)
    edited.editor.release()
    edited.editor.activate("layer-0")
    edited.until(lambda s: s.progress is None and s.updating == "")


def test_a_stale_outcome_does_not_hide_why_apply_is_grey(edited):
    assert edited.state.outcome_text.startswith("New layer")
    edited.editor.change(refusal="This picture is CMYK.")
    edited.seen()
    assert edited.state.reason == "This picture is CMYK."
    assert edited.state.outcome_text.startswith("New layer")


def test_what_was_just_told_is_not_said_twice(edited):
    edited.editor.activate("layer-0")
    edited.seen()
    edited.panel.draft.write_source_prompt("")
    edited.panel.remember()
    assert (edited.state.outcome_text, edited.state.reason) == ("Say what the picture shows.", "")


def test_a_stale_outcome_does_not_hide_the_remedy(edited):
    refusal, remedy = "This picture has indexed colours.", "Make an RGB copy"
    edited.editor.change(refusal=refusal, remedy=remedy)
    edited.seen()
    assert edited.state.outcome_text.startswith("New layer")
    assert [offer.text for offer in edited.state.offers] == [remedy]


def seen_active(**inversion):
    """What the backend fills in of a request."""
    return {"method": "direct", "steps": 30, "guidance": 3.0, "working_size": None, **inversion}


def reopened(edited: EditedPanel, **inversion) -> None:
    """The edit's layer, as the backend made it: every default filled in."""
    edited.editor.activate("layer-0")
    edited.seen()
    made = edited.editor.inserted[-1].recipe
    whole = made.replace(
        '"steps": null, "guidance": null',
        '"steps": {steps}, "guidance": {guidance}'.format(**seen_active(**inversion)),
    )
    assert whole != made
    assert edited.editor.the_recipe is not None
    edited.editor.the_recipe = replace(edited.editor.the_recipe, text=whole)
    edited.editor.activate("layer-1", has_recipe=True)
    edited.seen()
    edited.panel.reopen()


def test_what_the_model_recommends_is_not_pinned_by_opening_an_edit(edited):
    assert (SPEC["steps"], SPEC["guidance"]) == (30, 3.0)
    reopened(edited)
    assert (edited.state.form.settings.steps, edited.state.form.settings.guidance) == (None, None)


def test_what_an_opened_edit_had_of_its_own_goes_with_it(edited, tmp_path):
    reopened(edited, steps=50)
    assert (edited.state.form.settings.steps, edited.state.form.settings.guidance) == (50, None)
    edited.panel.draft.set(feather=3)
    edited.editor.change(key="d2", active="x", has_recipe=False)
    edited.seen()
    assert (edited.state.form.settings.steps, edited.state.form.settings.feather) == (None, 3)
    edited.panel.stop()
    later = Desk(tmp_path).ready()
    assert later.state.form.settings.steps is None
    later.panel.stop()


def test_what_is_set_while_an_edit_is_open_is_ones_own(edited):
    reopened(edited, steps=50)
    edited.panel.draft.set(steps=12)
    edited.panel.new_layer_instead()
    assert edited.state.form.settings.steps == 12


def test_only_new_is_grey_where_only_new_is_impossible(edited):
    """The layer in hand has its selection; another one needs what is selected now."""
    edited.panel.draft.choose_operation("remove")
    edited.update(2)
    assert edited.state.updating
    assert (edited.state.cannot_apply, edited.state.cannot_apply_new) == ("", "")
    edited.editor.select_bounds(None)
    edited.seen()
    assert edited.state.updating
    assert edited.state.cannot_apply == ""
    assert edited.state.cannot_apply_new == say("select-remove")
    paper = Paper()
    windows = Windows(edited.panel, edited.editor, paper, print)
    view = PanelView(edited.panel, windows, paper, print).describe()
    new = found(view, "new")
    assert found(view, "apply").enabled
    assert (new.enabled, new.tip) == (False, say("select-remove"))
