"""A layer's edit is opened again, from what its recipe and the backend keep."""

from __future__ import annotations

import json

import pytest

from client.desk import SHOWS, fill
from palimpsest_client.editor.editor import LayerRecipe
from palimpsest_client.panel.origins import origin_of
from palimpsest_client.panel.results import Result


def test_a_layer_is_opened_again_and_changed(desk):
    fill(desk.panel)
    desk.panel.draft.set(structure=0.25, feather=3)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    first = desk.backend.submitted[0]["request"]
    assert first["control"] == {"cross": [0.0, 0.4], "self_attention": [0.0, 0.2]}
    desk.backend.finish_edit()
    desk.idle()
    desk.panel.draft.write_source_prompt("something else")
    desk.panel.reopen()
    assert (desk.state.form.source_prompt, desk.state.form.settings.structure) == (SHOWS, 0.25)
    assert desk.state.updating == "cat → dog"
    desk.panel.draft.set(structure=0.75)
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    assert desk.backend.submitted[1]["request"]["image"] == first["image"]
    assert len(desk.editor.captured) == 1
    desk.backend.finish_edit()
    desk.idle()
    assert desk.editor.inserted[-1].updates == "layer-1"
    assert desk.state.outcome.text.startswith("Layer “cat → dog” updated.")
    desk.editor.noted = "It was painted on."
    desk.panel.draft.set(structure=0.5)
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 3)
    desk.backend.finish_edit()
    desk.idle()
    assert desk.state.outcome.text.startswith("New layer “cat → dog”. ")
    assert desk.state.outcome.text.endswith(" It was painted on.")
    desk.panel.new_layer_instead()
    assert desk.state.updating == ""


def test_an_opened_edit_brings_its_own_words_and_leaves_those_of_other_operations(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    made = desk.state.form
    desk.panel.draft.write_operand("a photo of a horse")
    desk.panel.draft.choose_operation("restyle")
    desk.panel.draft.write_operand("an oil painting")
    desk.panel.draft.write_target_prompt("an oil painting of all of it")
    desk.panel.reopen()
    form = desk.state.form
    assert (form.operation, form.operand) == ("replace", made.operand)
    restyle = form.with_operation("restyle")
    assert (restyle.operand, restyle.target_prompt) == ("an oil painting", "an oil painting of all of it")


@pytest.mark.parametrize(("source", "of"), [("canvas", "canvas"), ("layer", "layer-7")])
def test_a_result_knows_what_it_was_made_from(desk, source, of):
    """Also when it is changed, and when it is placed again from the list of results."""
    fill(desk.panel)
    desk.panel.draft.set(source=source)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    assert desk.editor.inserted[-1].source == of
    desk.panel.reopen()
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    desk.backend.finish_edit()
    desk.idle()
    changed = desk.editor.inserted[-1]
    assert (changed.source, changed.updates) == (source, "layer-1")
    job, report = desk.backend.submitted[-1], {"recipe": json.loads(changed.recipe)["recipe"]}
    image, origin = desk.backend.keep(changed.image), origin_of(job["id"], job["origin"])
    result = Result(job["id"], "layer", image, changed.name, changed.bounds, report, origin=origin)
    desk.panel.gallery.keep(result)
    desk.idle()
    assert len(desk.editor.inserted) == 3, desk.state.outcome
    assert desk.editor.inserted[-1].source == source


def test_a_layer_whose_pictures_are_gone_is_left_as_it_is(desk):
    fill(desk.panel)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    desk.panel.reopen()
    desk.panel.apply()
    desk.until(lambda s: len(desk.backend.submitted) == 2)
    error = {"code": "image_not_found", "message": "No picture.", "hint": "", "details": {}}
    desk.backend.tell("failed", error=error)
    desk.idle()
    assert desk.state.outcome.text.startswith("The picture this layer was made from is not kept any more.")
    assert desk.state.updating == ""
    desk.panel.apply()
    desk.until(lambda s: len(desk.editor.captured) == 2)


def test_a_layer_that_cannot_be_opened_again_says_why(desk):
    desk.panel.reopen()
    assert desk.state.outcome.text == "This layer wasn't made by Palimpsest: choose one that was."
    desk.editor.the_recipe = LayerRecipe("l", "x", "{broken")
    desk.panel.reopen()
    assert desk.state.outcome.text.startswith("This layer's recipe can't be read:")
