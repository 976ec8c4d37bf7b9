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


class Hand(Desk):
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
def hand(tmp_path):
    hand = Hand(tmp_path)
    yield hand
    hand.panel.stop()


def test_what_was_made_stays_in_hand_and_is_renewed_twice(hand):
    assert hand.state.updating == "cat → dog"
    hand.panel.draft.set(structure=0.25)
    hand.update(2)
    hand.panel.draft.write_operand("a photo of a cow on grass")
    hand.update(3)
    assert [layer.updates for layer in hand.editor.inserted] == [None, "layer-1", "layer-2"]
    assert len(hand.editor.captured) == 1, "the photo is on the backend"
    assert hand.state.updating == "cat → cow"
    assert hand.state.outcome_text.startswith("Layer “cat → cow” updated.")


def test_an_edit_grows_from_its_selection_however_often_it_is_opened_again(hand):
    for jobs in (2, 3):
        hand.panel.reopen()
        hand.update(jobs, grown=3)
        assert hand.editor.inserted[-1].content == Bounds(7, 7, 26, 18)


def test_a_reopened_edit_is_updated_twice(hand):
    hand.editor.activate("layer-0")
    hand.seen()
    assert hand.state.updating == ""
    hand.editor.activate("layer-1", has_recipe=True)
    hand.seen()
    hand.panel.reopen()
    for jobs in (2, 3):
        hand.panel.draft.set(structure=0.1 * jobs)
        hand.update(jobs)
    assert [layer.updates for layer in hand.editor.inserted] == [None, "layer-1", "layer-2"]


def test_an_undone_update_gives_its_layer_back_into_the_hand(hand):
    hand.update(2)
    hand.panel.draft.write_operand("a photo of a cow on grass")
    hand.update(3)
    assert hand.state.updating == "cat → cow"
    hand.editor.activate("layer-2", has_recipe=True)
    hand.seen()
    assert hand.state.updating == "cat → dog"
    hand.update(4)
    assert hand.editor.inserted[-1].updates == "layer-2"
    hand.editor.activate("layer-0")  # all undone
    hand.seen()
    assert hand.state.updating == ""


def undone(hand: Hand, *layers: str) -> None:
    hand.editor.undone = list(layers)
    hand.editor.activate("layer-0")
    hand.seen()
    hand.until(lambda s: s.updating == "")


def redone(hand: Hand, layer: str, *still: str) -> None:
    hand.editor.undone = list(still)
    hand.editor.activate(layer, has_recipe=True)
    hand.seen()


def test_a_first_edit_that_is_redone_is_in_hand_again(hand):
    undone(hand, "layer-1")
    hand.panel.draft.set(structure=0.25)
    redone(hand, "layer-1")
    hand.until(lambda s: s.updating == "cat → dog")
    assert not hand.state.can_reopen
    hand.update(2)
    assert hand.editor.inserted[-1].updates == "layer-1"
    undone(hand, "layer-1", "layer-2")
    redone(hand, "layer-1", "layer-2")
    hand.until(lambda s: s.updating == "cat → dog")
    redone(hand, "layer-2")
    hand.update(3)
    assert hand.editor.inserted[-1].updates == "layer-2"


def test_an_editor_may_choose_another_layer_before_it_takes_the_undone_one_away(hand):
    hand.editor.activate("layer-0")
    hand.until(lambda s: s.updating == "")
    undone(hand, "layer-1")
    redone(hand, "layer-1")
    hand.until(lambda s: s.updating == "cat → dog")


@pytest.mark.parametrize("how", ["another layer", "New", "another selection", "another edit"])
def test_what_was_let_go_on_purpose_is_not_in_hand_by_a_redo(hand, how):
    if how == "another layer":
        hand.editor.activate("layer-0")
        hand.seen()
    elif how == "New":
        hand.panel.new_layer_instead()
    elif how == "another selection":
        undone(hand, "layer-1")
        hand.editor.select_bounds(Bounds(0, 0, 5, 5))
        hand.seen()
    else:
        undone(hand, "layer-1")
        hand.panel.apply()
        hand.done(2)
        undone(hand, "layer-1", "layer-2")
        hand.panel.new_layer_instead()
    redone(hand, "layer-1")
    hand.seen()
    assert (hand.state.updating, hand.state.can_reopen) == ("", True)


def test_settings_that_came_with_an_edit_come_again_with_its_redo(hand):
    reopened(hand, steps=50)
    undone(hand, "layer-1")
    assert hand.state.form.settings.steps is None
    redone(hand, "layer-1")
    hand.until(lambda s: s.updating == "cat → dog")
    assert hand.state.form.settings.steps == 50
    hand.panel.new_layer_instead()
    assert hand.state.form.settings.steps is None


def variations(hand: Hand, count: int) -> None:
    """The layer is undone, and of an edit of several the results are there."""
    hand.panel.new_layer_instead()
    hand.panel.draft.set(variations=count, seed=7)
    hand.panel.apply()
    hand.until(lambda s: len(hand.backend.submitted) == 2)
    job = hand.backend.submitted[-1]
    hand.backend.finish_edit()
    hand.idle()
    report = hand.backend._events[job["id"]][-1]["result"]
    names = ["layer", *(f"layer:{number}" for number in range(2, count + 1))]
    artifacts = {name: hand.backend.keep(picture(64, 48, shade)) for shade, name in enumerate(names)}
    told = {"state": "finished", "artifacts": artifacts, "result": report, "preview": None, "created": 1e9}
    hand.backend.past.insert(0, {**job, **told})
    hand.panel.gallery.refresh()
    hand.until(lambda s: len(s.results) == count)


def test_a_variation_that_is_kept_is_in_hand_as_what_it_is(hand):
    """Another name than the first one's layer, and its own seed: Update renews this one."""
    variations(hand, 3)
    hand.panel.gallery.show(hand.state.results[1])
    hand.until(lambda s: s.strip.shown is not None)
    hand.panel.gallery.keep()
    hand.until(lambda s: s.progress is None and s.updating == "cat → dog (2 of 3)")
    assert [layer.name for layer in hand.editor.inserted[1:]] == ["cat → dog", "cat → dog (2 of 3)"]
    assert hand.state.outcome_text == "New layer “cat → dog (2 of 3)”."
    hand.panel.draft.set(structure=0.25)
    hand.update(3)
    assert hand.editor.inserted[-1].updates == "layer-3"
    request, first = (hand.backend.submitted[n]["request"] for n in (2, 1))
    assert (request["seed"], request["variations"]) == (8, 1)
    assert (request["image"], request["selection"]) == (first["image"], first["selection"])
    hand.panel.new_layer_instead()
    assert (hand.state.form.settings.seed, hand.state.form.settings.variations) == (7, 3)


def test_a_kept_variation_is_opened_again_with_its_own_seed(hand):
    variations(hand, 3)
    hand.panel.draft.write_operand("a photo of a cow on grass")
    hand.panel.gallery.keep(hand.state.results[2])
    hand.until(lambda s: s.progress is None and s.can_reopen)
    assert hand.state.updating == "", "other words are filled in, and stay"
    assert hand.state.form.operand == "a photo of a cow on grass"
    hand.panel.reopen()
    form = hand.state.form
    assert (form.operand, form.settings.seed, form.settings.variations) == ("a photo of a dog on grass", 9, 1)


def test_the_layer_in_hand_is_called_what_its_user_calls_it(hand):
    hand.editor.change(layer="The dog")
    hand.seen()
    assert hand.state.updating == "The dog"


def test_another_operation_makes_a_layer_over_what_is_seen(hand):
    """To insert something where something was removed brings nothing back."""
    hand.panel.draft.choose_operation("insert")
    hand.panel.draft.write_operand("a ball")
    assert (hand.state.updating, hand.state.can_reopen) == ("", True)
    hand.panel.draft.choose_operation("replace")
    assert hand.state.updating == "cat → dog", "nothing was lost by looking"
    hand.panel.draft.choose_operation("insert")
    hand.panel.apply()
    hand.done(2)
    assert [layer.updates for layer in hand.editor.inserted] == [None, None]
    assert len(hand.editor.captured) == 2
    assert hand.state.updating == "+ ball"


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
def test_something_else_that_is_meant_lets_go(hand, change):
    hand.editor.change(**change)
    hand.seen()
    assert hand.state.updating == ""
    fill(hand.panel)
    hand.panel.apply()
    hand.until(lambda s: len(hand.editor.captured) == 2)


def test_to_deselect_is_no_other_selection(hand):
    hand.panel.draft.choose_operation("remove")
    hand.update(2)
    hand.editor.select_bounds(None)
    hand.seen()
    assert hand.state.updating == "removed"
    assert hand.state.cannot_apply == "", "the layer has its own"
    hand.update(3)
    assert hand.backend.submitted[2]["request"]["selection"] is not None


def test_new_makes_another_layer_and_that_is_in_hand(hand):
    hand.panel.apply_new()
    hand.done(2)
    assert [layer.updates for layer in hand.editor.inserted] == [None, None]
    assert len(hand.editor.captured) == 2
    hand.update(3)
    assert hand.editor.inserted[-1].updates == "layer-2"
    hand.panel.draft.choose_operation("insert")
    hand.panel.draft.write_operand("a ball")
    hand.panel.apply_new()
    hand.done(4)
    hand.editor.select_bounds(None)
    hand.seen()
    hand.panel.apply_new()
    assert hand.state.outcome_text == "Select where it should go."
    assert hand.state.updating == "+ ball", "nothing was made, so nothing is let go"


def test_an_editor_may_take_a_moment_to_make_the_new_layer_active(hand):
    hand.editor.hold = True
    hand.panel.apply()
    hand.until(lambda s: len(hand.backend.submitted) == 2)
    hand.backend.finish_edit()
    hand.until(lambda s: len(hand.editor.inserted) == 2)
    hand.editor.release()
    hand.editor.activate("layer-0")  # the one below, for a moment
    hand.until(lambda s: s.progress is None)
    hand.editor.hold = False
    assert hand.state.updating == "cat → dog"
    hand.editor.activate("layer-2", has_recipe=True)
    hand.seen()
    hand.update(3)
    assert hand.editor.inserted[-1].updates == "layer-2"


def test_a_new_layer_that_never_becomes_the_active_one_is_let_go(hand):
    hand.editor.hold = True
    hand.panel.apply()
    hand.until(lambda s: len(hand.backend.submitted) == 2)
    hand.backend.finish_edit()
    hand.until(lambda s: len(hand.editor.inserted) == 2)
    hand.editor.release()
    hand.editor.activate("layer-0")
    hand.until(lambda s: s.progress is None and s.updating == "")


def test_a_stale_outcome_does_not_hide_why_apply_is_grey(hand):
    assert hand.state.outcome_text.startswith("New layer")
    hand.editor.change(refusal="This picture is CMYK.")
    hand.seen()
    assert hand.state.reason == "This picture is CMYK."
    assert hand.state.outcome_text.startswith("New layer")


def test_what_was_just_told_is_not_said_twice(hand):
    hand.editor.activate("layer-0")
    hand.seen()
    hand.panel.draft.write_source_prompt("")
    hand.panel.remember()
    assert (hand.state.outcome_text, hand.state.reason) == ("Say what the picture shows.", "")


def test_a_stale_outcome_does_not_hide_the_remedy(hand):
    refusal, remedy = "This picture has indexed colours.", "Make an RGB copy"
    hand.editor.change(refusal=refusal, remedy=remedy)
    hand.seen()
    assert hand.state.outcome_text.startswith("New layer")
    assert [offer.text for offer in hand.state.offers] == [remedy]


def seen_active(**inversion):
    """What the backend fills in of a request."""
    return {"method": "direct", "steps": 30, "guidance": 3.0, "working_size": None, **inversion}


def reopened(hand: Hand, **inversion) -> None:
    """The edit's layer, as the backend made it: every default filled in."""
    hand.editor.activate("layer-0")
    hand.seen()
    made = hand.editor.inserted[-1].recipe
    whole = made.replace(
        '"steps": null, "guidance": null',
        '"steps": {steps}, "guidance": {guidance}'.format(**seen_active(**inversion)),
    )
    assert whole != made
    assert hand.editor.the_recipe is not None
    hand.editor.the_recipe = replace(hand.editor.the_recipe, text=whole)
    hand.editor.activate("layer-1", has_recipe=True)
    hand.seen()
    hand.panel.reopen()


def test_what_the_model_recommends_is_not_pinned_by_opening_an_edit(hand):
    assert (SPEC["steps"], SPEC["guidance"]) == (30, 3.0)
    reopened(hand)
    assert (hand.state.form.settings.steps, hand.state.form.settings.guidance) == (None, None)


def test_what_an_opened_edit_had_of_its_own_goes_with_it(hand, tmp_path):
    reopened(hand, steps=50)
    assert (hand.state.form.settings.steps, hand.state.form.settings.guidance) == (50, None)
    hand.panel.draft.set(feather=3)
    hand.editor.change(key="d2", active="x", has_recipe=False)
    hand.seen()
    assert (hand.state.form.settings.steps, hand.state.form.settings.feather) == (None, 3)
    hand.panel.stop()
    later = Desk(tmp_path).ready()
    assert later.state.form.settings.steps is None
    later.panel.stop()


def test_what_is_set_while_an_edit_is_open_is_ones_own(hand):
    reopened(hand, steps=50)
    hand.panel.draft.set(steps=12)
    hand.panel.new_layer_instead()
    assert hand.state.form.settings.steps == 12


def test_only_new_is_grey_where_only_new_is_impossible(hand):
    """The layer in hand has its selection; another one needs what is selected now."""
    hand.panel.draft.choose_operation("remove")
    hand.update(2)
    assert hand.state.updating
    assert (hand.state.cannot_apply, hand.state.cannot_apply_new) == ("", "")
    hand.editor.select_bounds(None)
    hand.seen()
    assert hand.state.updating
    assert hand.state.cannot_apply == ""
    assert hand.state.cannot_apply_new == say("select-remove")
    paper = Paper()
    windows = Windows(hand.panel, hand.editor, paper, print)
    view = PanelView(hand.panel, windows, paper, print).describe()
    new = found(view, "new")
    assert found(view, "apply").enabled
    assert (new.enabled, new.tip) == (False, say("select-remove"))
