"""Whose a setting is: each operation's own, the picture's, or of whoever edits picture after picture."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from client.desk import Desk, fill
from client.scripted import ScriptedEditor
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.fields.controls import Form
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.fields.settings import CONTROLS, LASTING, OWN, Settings
from palimpsest_client.panel.saved_forms import SavedForms, form_from_json, form_to_json

SET = Settings(
    structure=0.9,
    strength=0.1,
    grow=3,
    feather=21,
    variations=4,
    source="layer",
    model="other",
    method="ddim",
    steps=5,
    guidance=7.0,
    cross=0.3,
    self_attention=0.2,
    begin_from="view",
    freedom=0.3,
    mirror="none",
    context=2.0,
    working_size=512,
    seed=9,
)


def told(settings: Settings) -> dict:
    """What isn't as recommended."""
    values = {name: getattr(settings, name) for name in CONTROLS}
    return {name: value for name, value in values.items() if value != CONTROLS[name].default}


def opened(desk: Desk, key: str) -> None:
    desk.editor.change(key=key)
    desk.until(lambda s: s.document is not None and s.document.key == key)


def test_each_setting_is_somebodys():
    assert set(told(SET)) == set(CONTROLS), "all of them are set"
    assert OWN == (
        "structure",
        "strength",
        "grow",
        "cross",
        "self_attention",
        "begin_from",
        "freedom",
        "mirror",
    )
    assert LASTING == ("feather", "variations", "model", "working_size")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_finds_its_own_again_and_no_other_one_has_them(operation):
    form = Form(operation=operation, source_prompt="a cat", settings=SET)
    shared = {name: value for name, value in told(SET).items() if name not in OWN}
    for other in OPERATIONS:
        if other != operation:
            assert told(form.with_operation(other).settings) == shared
            assert form.with_operation(other).with_operation(operation) == form
    around = form
    for other in (*OPERATIONS, operation):
        around = around.with_operation(other)
    assert around == form


def test_what_was_set_for_restyle_is_not_sent_with_replace(desk):
    fill(desk.panel, "restyle", "an oil painting")
    desk.panel.draft.set(structure=0.9, strength=1.0)
    desk.panel.draft.begin_replacing("cat")
    desk.panel.draft.write_operand("a photo of a dog on grass")
    assert desk.state.controls["structure"].place == 0.5
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    request = desk.backend.submitted[0]["request"]
    assert (request["operation"], request["control"], request["weights"]) == ("replace", {}, {})
    desk.panel.draft.emphasise("cat")
    assert desk.state.form.settings.structure == 0.5
    desk.panel.draft.choose_operation("restyle")
    assert (desk.state.form.settings.structure, desk.state.form.settings.strength) == (0.9, 1.0)
    desk.panel.draft.recommend("structure")
    assert desk.state.form.settings.structure == 0.5


def test_another_picture_begins_as_recommended_but_for_what_lasts(desk):
    fill(desk.panel, "restyle", "an oil painting")
    desk.panel.draft.set(**vars(SET))
    opened(desk, "d2")
    assert told(desk.state.form.settings) == {name: getattr(SET, name) for name in LASTING}
    assert (desk.state.form.operation, desk.state.form.other_settings) == ("restyle", {})
    desk.panel.draft.set(structure=0.2)
    opened(desk, "d1")
    assert desk.state.form.settings == SET, "it is as it was left"


def test_they_are_there_again_after_the_panel_was_closed(tmp_path):
    desk = Desk(tmp_path).ready()
    fill(desk.panel, "restyle", "an oil painting")
    desk.panel.draft.set(**vars(SET))
    fill(desk.panel)
    desk.panel.draft.set(structure=0.25)
    desk.panel.stop()
    later = Desk(tmp_path, editor=desk.editor).ready()
    now = told(later.state.form.settings)
    assert {name: now[name] for name in OWN if name in now} == {"structure": 0.25}
    later.panel.draft.choose_operation("restyle")
    assert later.state.form.settings == SET
    later.panel.stop()


def test_they_are_kept_with_a_file(tmp_path):
    editor = ScriptedEditor()
    facts = replace(editor.opened, file="/a.png")
    form = Form(operation="restyle", source_prompt="a cat", settings=SET).with_operation("replace")
    saved = SavedForms(tmp_path, Settings(), editor)
    saved.keep(facts, form)
    saved.save()
    assert SavedForms(tmp_path, Settings(), editor).form(facts) == form


@pytest.mark.parametrize(
    ("apart", "left"),
    [
        ({"restyle": {"structure": 0.9, "grow": 9999, "steps": 3, "other": 1}}, {"structure": 0.9}),
        ({"restyle": {"structure": "x"}}, {}),
        ({"restyle": None}, {}),
    ],
)
def test_what_cant_be_an_operations_own_is_left_as_recommended(apart, left):
    kept = {**form_to_json(Form(source_prompt="a cat")), "apart": apart}
    form = form_from_json(json.loads(json.dumps(kept)))
    assert form.source_prompt == "a cat"
    assert told(form.with_operation("restyle").settings) == left


def test_notes_of_a_version_that_kept_one_for_all_are_read():
    kept = form_to_json(Form(source_prompt="a cat", settings=SET))
    del kept["apart"]
    assert form_from_json(kept) == Form(source_prompt="a cat", settings=SET)


def test_an_opened_edit_leaves_those_of_other_operations_alone(desk):
    fill(desk.panel, "restyle", "an oil painting")
    desk.panel.draft.set(cross=0.9)
    desk.panel.apply()
    desk.until(lambda s: desk.backend.submitted)
    desk.backend.finish_edit()
    desk.idle()
    desk.panel.new_layer_instead()
    desk.panel.draft.recommend("cross")
    desk.panel.draft.choose_operation("insert")
    desk.panel.draft.set(strength=0.1, cross=0.4)
    desk.panel.reopen()
    assert (desk.state.form.operation, desk.state.form.settings.cross) == ("restyle", 0.9)
    desk.panel.draft.choose_operation("insert")
    assert (desk.state.form.settings.strength, desk.state.form.settings.cross) == (0.1, 0.4)
    desk.panel.new_layer_instead()
    assert (desk.state.form.settings.strength, desk.state.form.settings.cross) == (0.1, 0.4)
    desk.panel.draft.choose_operation("restyle")
    assert desk.state.form.settings.cross is None, "it went with the edit, though another was chosen"


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("<", "There is no concept <…>. Learn it, or choose another."),
        ("a photo of a <", "There is no concept <…>. Learn it, or choose another."),
        ("a photo of a <zebra on grass", "There is no concept <zebra>. Learn it, or choose another."),
    ],
)
@pytest.mark.parametrize("operation", ["replace", "insert"])
def test_a_concept_that_is_only_begun_is_not_applied(desk, operation, second, reason):
    desk.editor.select_bounds(Bounds(0, 0, 9, 9))
    desk.until(lambda s: s.document.selection is not None)
    fill(desk.panel, operation, second)
    assert desk.state.cannot_apply == reason
    (word,) = desk.state.unknown[1]
    assert word.text in ("<", "<zebra")
    assert desk.state.unknown_text.startswith("Unknown to this model: ")
    desk.panel.draft.write_operand("a photo of a <3 dog")
    assert (desk.state.cannot_apply, desk.state.unknown[1]) == ("", ())
