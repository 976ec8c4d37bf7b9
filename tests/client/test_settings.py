"""The table of the panel's fields: each is described whole, and everything else is made from it."""

from __future__ import annotations

import argparse
import dataclasses
import typing

import pytest

from palimpsest import contract
from palimpsest.cli import arguments, build_parser
from palimpsest_client.fields import controls, settings
from palimpsest_client.fields.control import CHOICE, NUMBER, SLIDER
from palimpsest_client.fields.controls import RECOMMENDED, SHOWN, Form, drawn, edit_fields
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.fields.settings import CONTROLS, SENTENCE, WEIGHT, Settings
from palimpsest_client.methods import OFFERED
from palimpsest_client.panel.requests import form_of

ALL = [*CONTROLS.values(), SENTENCE, WEIGHT]
NUMBERS = [control for control in ALL if control.kind in (SLIDER, NUMBER)]
WITHOUT_A_TERM = {"source", "variations", "mirror"}  # no paper has a name for them
SET = Settings(
    0.3, 0.7, 5, 12, 2, "canvas", "other", "ddim", 12, 4.5, None, None, "view", 0.35, "none", 0.75, 192, 7
)  # each of another value than its default, but what follows from others


def by_name(controls_of):
    return pytest.mark.parametrize("control", controls_of, ids=lambda control: control.name)


@by_name(ALL)
def test_each_has_a_label_a_tip_and_its_technical_name(control):
    assert control is WEIGHT or control.label, "a word's slider has the word itself"
    assert control.tip.split("\n")[0] == control.about.split("\n")[0] != ""
    assert ("In papers: " in control.tip) == (control.name not in WITHOUT_A_TERM)
    assert ("Automatic: " in control.tip) == bool(control.automatic)


@by_name(NUMBERS)
def test_what_is_shown_stands_for_what_is_sent(control):
    reach = control.offered or control.limits
    for value in (reach.least, reach.most, control.default):
        assert control.meant(control.shown(value)) == value
    assert (control.least, control.most) == (reach.least * control.scale, reach.most * control.scale)
    assert control.limits.least <= reach.least <= reach.most <= control.limits.most
    if control.automatic:
        assert control.default is None
        assert control.lowest == control.least - control.step
        assert control.meant(control.lowest) is control.meant(control.least - 1e-3) is None
    else:
        assert control.lowest == control.least


@by_name([control for control in NUMBERS if control.kind == SLIDER])
def test_a_sliders_places_are_its_steps(control):
    values = [control.at(place) for place in range(control.places + 1)]
    assert [control.place(value) for value in values] == list(range(control.places + 1))
    reach = control.offered or control.limits
    assert (values[0], values[-1]) == reach
    assert control.place(reach.most + 1) == control.places, "a value of a recipe beyond the slider's end"
    if control.default is not None:
        assert control.at(control.place(control.default)) == control.default, "reachable by hand"


def test_the_texts_beside_them_have_units():
    assert CONTROLS["structure"].text(0.5) == "0.50"
    assert CONTROLS["feather"].text(12) == "12 px"
    assert CONTROLS["context"].text(0.5) == "50 %"
    assert CONTROLS["steps"].text(None) == "auto"


def test_no_field_is_sent_twice_and_every_one_has_its_use():
    paths = [control.request for control in CONTROLS.values() if control.request]
    assert len(set(paths)) == len(paths)
    unsent = {name for name, control in CONTROLS.items() if not control.request}
    assert unsent == {*settings.INDIRECT, "source"}, "what isn't sent is kept in the recipe or the job's id"


def test_a_request_holds_each_field_and_a_recipe_gives_it_back():
    form = Form("replace", "a cat", {"replace": "a dog"}, settings=SET)
    request = edit_fields(form)
    made = contract.from_json(contract.EditRequest, {"image": "1" * 64, **request})
    for control in CONTROLS.values():
        value: object = contract.to_json(made)
        for part in control.request if not control.window else ():
            value = value[part]  # type: ignore[index]
        assert (
            control.window or not control.request or value == control.to_request(getattr(SET, control.name))
        )
    again = form_of(contract.to_json(made), form.operands, settings.kept_beside(SET))
    assert again.settings == SET


def test_fields_left_alone_leave_the_request_to_the_backend():
    """What the API takes for its own default is what the panel shows as its own."""
    sent = {"image": "1" * 64, **edit_fields(Form("replace", "a cat", {"replace": "a dog"}))}
    least = {name: sent[name] for name in ("image", "operation", "source_prompt", "target_prompt")}
    assert contract.from_json(contract.EditRequest, sent) == contract.from_json(contract.EditRequest, least)


def test_the_apis_limits_are_the_tables():
    for control in CONTROLS.values():
        if control.limits is None or not control.request:
            continue
        for beyond in (control.limits.least - 1, control.limits.most + 1):
            request: dict = {"image": "1" * 64, "operation": "replace", "source_prompt": "a cat"}
            part = request
            for group in control.request[:-1]:
                part = part.setdefault(group, {})
            part[control.request[-1]] = [0.0, beyond] if control.window else beyond
            with pytest.raises(contract.RequestError, match="it can be"):
                contract.from_json(contract.EditRequest, request)


def test_the_shells_options_are_the_tables():
    parser = argparse.ArgumentParser()
    arguments.add_controls(parser, *CONTROLS)
    told = vars(parser.parse_args([]))
    assert told == {name: control.default for name, control in CONTROLS.items()}
    assert vars(parser.parse_args(["--self", "0.2:0.5"]))["self_attention"] == (0.2, 0.5)
    (edit,) = (leaf for leaf in build_parser().leaves() if leaf.prog == "palimpsest edit")
    known = {action.dest: action.default for action in edit._actions}
    sent = {name for name, control in CONTROLS.items() if control.request and name != "model"}
    assert {name: known[name] for name in sent} == {name: CONTROLS[name].default for name in sent}


def test_methods_are_the_contracts():
    assert CONTROLS["method"].choices == typing.get_args(contract.InversionMethod) == OFFERED


def test_an_operation_shows_the_fields_that_it_has():
    assert {operation for operation in OPERATIONS if "structure" in SHOWN[operation]} == set(RECOMMENDED)
    for operation in OPERATIONS:
        assert {"grow", "feather", "steps", "seed"} <= SHOWN[operation]
        assert ("sentence" in SHOWN[operation]) == (operation in SENTENCE.operations)


def test_what_a_window_draws_of_them():
    form = Form("replace", "a cat", {"replace": "a dog"}, settings=Settings(structure=0.25, feather=20))
    seen = drawn(form, (("tiny", "Tiny"),), {"steps": 30, "guidance": 3.0})
    assert set(seen) == {*CONTROLS, "sentence"}
    assert seen["structure"][:4] == (0.25, 0.25, 0.5, "0.25")
    assert seen["grow"][:4] == (None, 20, 20, "20 px"), "grown by as much as the soft edge is wide"
    assert seen["steps"].automatic == "auto (30)"
    assert seen["guidance"].automatic == "auto (3.0)"
    assert seen["cross"].automatic == "auto (40 %)"
    assert seen["working_size"].automatic == "auto"
    assert seen["model"].choices == (("tiny", "Tiny"),)
    assert [name for name, _ in seen["method"].choices] == list(OFFERED)
    assert controls.drawn_weight(-1)[3:4] == ("× 0.00",)


def test_every_choice_of_the_table_has_a_label():
    chosen = [control for control in ALL if control.kind == CHOICE and control.name != "model"]
    assert chosen
    assert all(control.choice(name) for control in chosen for name in control.choices)


def test_defaults_are_said_once():
    assert all(field.default == CONTROLS[field.name].default for field in dataclasses.fields(Settings))
