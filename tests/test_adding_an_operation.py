"""An operation that is added as CONTRIBUTING.md says is there in contract, core, API, shell and panel."""

from __future__ import annotations

from pathlib import Path

import pytest

from adding import copied, examples, listed, put, rows, run, touched
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.text.wording import ENGLISH

TITLE = "Add an operation"
TABLE, RECIPES, WORDING, ICON, PANEL_DOCS, COMMANDS_DOCS = listed(TITLE)
MOST = 6  # files that are touched

FOUND = """
import sys
from palimpsest import contract
from palimpsest.api.schemas import SHAPES
from palimpsest.cli import build_parser
from palimpsest.errors import RequestError
from palimpsest.tasks import validation
from palimpsest_client.fields.controls import SHOWN, Form, edit_fields
from palimpsest_client.gimp import procedures
from palimpsest_client.panel.requests import form_of, layer_name
from palimpsest_client.panel.saved_forms import form_from_json, form_to_json
from palimpsest_client.views.icons import colored

NAME, SHOWS, SHOULD_SHOW = "recolour", "a black cat", "a white cat"
form = Form(NAME, SHOWS, {NAME: SHOULD_SHOW})
told = {"image": "1" * 64, **edit_fields(form)}
request = contract.from_json(contract.EditRequest, told)
assert (request.operation, request.target_prompt) == (NAME, SHOULD_SHOW)
assert form_of(contract.to_json(request), form.operands, {}) == form
assert form_from_json(form_to_json(form)) == form
validation.require_valid(request)
for wrong, said in (({"target_prompt": ""}, "missing"), ({"begin_from": "noise"}, "begins from the photo")):
    try:
        validation.require_valid(contract.from_json(contract.EditRequest, {**told, **wrong}))
    except RequestError as error:
        assert said in str(error), error
    else:
        raise AssertionError(wrong)
assert NAME in SHAPES[contract.EditRequest].model_json_schema()["properties"]["operation"]["enum"]
assert build_parser().parse_args(["edit", "a.png", "--operation", NAME]).operation == NAME
assert {"structure", "strength", "changes"} <= SHOWN[NAME] and "freedom" not in SHOWN[NAME]
assert layer_name(told) == "black → white"
assert b"path" in colored(NAME, "#123456")
procedure = procedures.BY_NAME["plug-in-palimpsest-recolour"]
assert (procedure.label, procedure.blurb) == ("Recolour…", "Give things of the picture another colour")
values = {argument.name: argument.default for argument in procedure.arguments}
asked = procedures.form_of(procedure, {**values, "shows": SHOWS, "should-show": SHOULD_SHOW})
assert (asked.operation, asked.target_prompt) == (NAME, SHOULD_SHOW)
assert "torch" not in sys.modules, "all this is known without it"

from palimpsest.models.spec import Spec
assert NAME in Spec.__dataclass_fields__["operations"].default
"""

EDITED = """
import torch
from palimpsest.core.editing.edit import edit
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model
from tiny_edit import SIZE, inverted, photo

model, mask = tiny_model("sd1"), torch.zeros(1, 1, *SIZE)
mask[..., 2:7, 1:6] = 1
with concepts_installed(model, []) as vocabulary:
    source, target = (vocabulary.parse(f"a photo of a {colour} cat") for colour in ("black", "white"))
    inversion = inverted(model, vocabulary, source)
    for selection in (mask, None):
        made = finish(edit(model, vocabulary, inversion, source, [target], "recolour", None, selection))
        difference = (made.latents - photo()).abs()
        assert difference.max() > 1e-3
        if selection is not None:
            assert difference[(selection == 0).expand_as(difference)].max() == 0
"""

SHOWN = """
import sys
from pathlib import Path
from client.desk import Desk
from client.paper import Paper, found
from palimpsest_client.views.panel_view import PanelView
from palimpsest_client.views.windows import Windows

desk, paper = Desk(Path(sys.argv[1])).ready(), Paper()
windows = Windows(desk.panel, desk.editor, paper, print)
view = PanelView(desk.panel, windows, paper, print)
(option,) = (option for option in found(view.describe(), "operations").options if option.key == "recolour")
assert option.text == "Recolour"
asked = []
actions = {text: do for _, text, do in windows.actions(lambda: asked.append(1))}
actions["Recolour in selection"]()
assert (desk.panel.form.operation, asked) == ("recolour", [1])
assert found(view.describe(), "second-title").text == "It should show"
assert found(view.describe(), "second").example == "a photo of a white cat next to a mirror"
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copied(tmp_path_factory.mktemp("house"))
    row, figures, recipe, texts = examples(TITLE)
    put(copy / TABLE, "    )\n}\n", row, indent=8)
    put(copy / RECIPES, "\nRECIPES: ", figures)
    put(copy / RECIPES, "}\nAS_IT_IS", recipe, indent=4)
    put(copy / WORDING, '    "first": "The picture shows",', texts, indent=4)
    icon = (copy / ICON).with_name("restyle-symbolic.svg")
    (copy / ICON).write_bytes(icon.read_bytes())
    return copy


def test_it_is_in_contract_api_shell_and_procedures(changed: Path) -> None:
    run(changed, FOUND)


def test_it_edits_the_selection_and_nothing_else(changed: Path) -> None:
    run(changed, EDITED)


def test_it_is_in_the_panel(changed: Path, tmp_path: Path) -> None:
    run(changed, SHOWN, str(tmp_path))


def test_no_file_was_touched_that_is_not_listed(changed: Path) -> None:
    assert len(listed(TITLE)) <= MOST
    assert touched(changed) == {TABLE, RECIPES, WORDING, ICON}
    assert rows(PANEL_DOCS, [ENGLISH[name] for name in OPERATIONS]) == []
    assert rows(COMMANDS_DOCS, [f"`{name}`" for name in OPERATIONS]) == []
