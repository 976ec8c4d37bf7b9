"""An inversion method added as CONTRIBUTING.md says is there in contract, core, API, shell and panel."""

from __future__ import annotations

from pathlib import Path

import pytest

from adding import ROOT, copied, examples, listed, put, rows, run, touched
from palimpsest_client.methods import OFFERED

TITLE = "Add an inversion method"
TABLE, OBJECT, DOCS = listed(TITLE)
MOST = 3  # files that are touched

FOUND = """
import sys
from palimpsest import contract
from palimpsest.api.schemas import SHAPES
from palimpsest.cli import build_parser
from palimpsest_client.fields.controls import Form, drawn
from palimpsest_client.fields.settings import Settings
from palimpsest_client.gimp import procedures
from palimpsest_client.panel.requests import form_of
from palimpsest_client.panel.saved_forms import form_from_json, form_to_json

NAME = "heun"
asked = contract.from_json(contract.InversionSettings, {"method": NAME})
assert asked.method == NAME
assert NAME in SHAPES[contract.InversionSettings].model_json_schema()["properties"]["method"]["enum"]
assert build_parser().parse_args(["edit", "a.png", "--method", NAME]).method == NAME
form = Form("restyle", "a cat", {"restyle": "ink"}, settings=Settings(method=NAME))
assert (NAME, "Heun (a second look)") in drawn(form, (), {})["method"].choices
assert form_from_json(form_to_json(form)) == form
replace = procedures.BY_NAME["plug-in-palimpsest-replace"]
(argument,) = (argument for argument in replace.arguments if argument.name == "method")
assert NAME in argument.choices
assert "torch" not in sys.modules, "all this is known without it"

from palimpsest.demo import script
assert NAME in script.METHODS and script.label(NAME) == "Heun (a second look)"
from palimpsest.bench import quality, speed
assert NAME in quality.METHODS and NAME in speed.METHODS
"""

INVERTED = """
import torch
from palimpsest.core.inversion import method_named
from palimpsest.core.process import move, pairs
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.contract import InversionSettings
from palimpsest.tasks.inversions import inversion_phases
from tiny import tiny_model
from tiny_edit import inverted, photo

NAME, STEPS, model = "heun", 20, tiny_model("sd1")
with concepts_installed(model, []) as vocabulary:
    source = vocabulary.parse("a photo of a cat on grass")
    cond = vocabulary.encode([source])
    made, plain = (inverted(model, vocabulary, source, name, STEPS) for name in (NAME, "ddim"))


@torch.no_grad()
def missed(inversion):
    "By how much sampling steps from the pivots miss the next ones."
    steps = enumerate(pairs(model.process, inversion.levels))
    predicted = ((i, model.predict(inversion.before(i), level, cond), level, to) for i, (level, to) in steps)
    return sum(
        float((move(model.process, inversion.before(i), said, level, to) - inversion.after(i)).abs().mean())
        for i, said, level, to in predicted
    )


assert torch.equal(made.latents[0], photo()) and made.evaluations == 2 * STEPS
assert missed(made) < 0.7 * missed(plain), "it keeps nearer to the photo than plain DDIM does"
assert inversion_phases(InversionSettings(method=NAME, steps=7)) == {"inverting": (7, 2.0)}
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copied(tmp_path_factory.mktemp("house"))
    row, file = examples(TITLE)
    put(copy / TABLE, '        Method("ddim",', row, indent=8)
    (copy / OBJECT).write_text(file, encoding="utf-8")
    return copy


def test_it_is_in_contract_api_shell_panel_and_procedures(changed: Path) -> None:
    run(changed, FOUND)


def test_it_inverts_and_an_edit_goes_by_it(changed: Path) -> None:
    run(changed, INVERTED)


def test_no_file_was_touched_that_is_not_listed(changed: Path) -> None:
    assert len(listed(TITLE)) <= MOST
    assert touched(changed) == {TABLE, OBJECT}
    assert (ROOT / DOCS).exists()
    assert rows(DOCS, [f"`--method {name}`" for name in OFFERED]) == []
