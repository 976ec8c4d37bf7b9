"""A field that is added as CONTRIBUTING.md says is there in both editors, the shell and the API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adding import ROOT, copied, examples, listed, put, run, touched

MOST = 5  # files that are touched

TITLE = "Add a control"
ADDED = {
    "backend/palimpsest_client/fields/settings.py": "    seed: int = setting(",
    "backend/palimpsest_client/text/wording.py": '    "defaults": "As recommended",',
    "backend/palimpsest/contract.py": "    variations: Annotated[int, VARIATIONS] = 1",
}
"""File → the line before which the example's part is put. What it does and its docs are no question of it."""

FOUND = """
from palimpsest import contract
from palimpsest.cli import build_parser
from palimpsest_client.fields import presets
from palimpsest_client.gimp import procedures
from palimpsest_client.fields.controls import Form, edit_fields
from palimpsest_client.panel.requests import form_of
from palimpsest_client.fields.settings import Settings, kept_beside

form = Form("restyle", "a cat", {"restyle": "ink"}, settings=Settings(sharpness=0.7))
request = contract.from_json(contract.EditRequest, {"image": "1" * 64, **edit_fields(form)})
assert request.sharpness == 0.7
told = contract.to_json(request)
assert form_of(told, form.operands, kept_beside(form.settings)).settings == form.settings
try:
    contract.from_json(contract.EditRequest, {**told, "sharpness": 3.0})
except contract.RequestError as error:
    assert str(error) == "sharpness is 3.0; it can be 0.1 to 2.", error
else:
    raise AssertionError("the API takes what is out of range")

from palimpsest.api.schemas import SHAPES
described = SHAPES[contract.EditRequest].model_json_schema()["properties"]["sharpness"]["anyOf"][0]
assert (described["minimum"], described["maximum"]) == (0.1, 2)

options = build_parser().parse_args(["edit", "a.png", "--sharpness", "0.7"])
assert options.sharpness == 0.7
from palimpsest.cli import arguments
assert "sharpness" in arguments.EDIT

replace = procedures.BY_NAME["plug-in-palimpsest-replace"]
values = {argument.name: argument.default for argument in replace.arguments}
assert values["sharpness"] == 0 and type(values["sharpness"]) is float
assert procedures.form_of(replace, values).settings.sharpness is None
assert procedures.form_of(replace, {**values, "sharpness": 0.7}).settings.sharpness == 0.7
assert "sharpness" in presets.KEPT
"""

SEEN_IN_KRITA = """
import sys
from pathlib import Path
from client.scripted import ScriptedEditor
from krita_six import six
from PyQt6.QtWidgets import QApplication

application = QApplication([])
plugin = six.load()
from palimpsest_in_krita.view import View
from palimpsest_client.panel.panel import Panel
from palimpsest_client.views.controls_view import ControlsView

panel = Panel("krita", ScriptedEditor(), lambda state: view.draw(controls.describe()), Path(sys.argv[1]))
controls, view = ControlsView(panel, print), View(panel.session, None)
view.draw(controls.describe())
box = view["sharpness"]
assert (box.minimum(), box.maximum(), box.singleStep()) == (0.0, 2.0, 0.1)
assert box.accessibleName() == "Sharpness" and "unsharp masking" in box.toolTip()
assert box.text() == "auto", box.text()
box.setValue(0.7)
assert panel.form.settings.sharpness == 0.7
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the backend with the field in it."""
    copy = copied(tmp_path_factory.mktemp("house"))
    for (name, before), new in zip(ADDED.items(), examples(TITLE), strict=True):
        put(copy / name, before, new, indent=4)
    return copy


def test_it_is_in_request_recipe_api_shell_and_procedures(changed: Path):
    run(changed, FOUND)


def test_it_is_in_kritas_docker(changed: Path, tmp_path: Path):
    pytest.importorskip("PyQt6.QtWidgets")
    run(changed, SEEN_IN_KRITA, str(tmp_path))


def test_both_windows_are_described_from_the_same_table():
    """GTK is in GIMP alone; tests/editors/gimp_window/test_gimp_controls.py compares what it makes."""
    source = (ROOT / "backend/palimpsest_client/views/controls_view.py").read_text(encoding="utf-8")
    assert "controls_at(ADVANCED)" in source
    for plugin in ("gimp_plugin", "krita_plugin"):
        for file in (ROOT / plugin).rglob("*.py"):
            assert not re.search(r"\bworking_size\b|\"guidance\"", file.read_text(encoding="utf-8")), file


def test_the_files_are_those_that_the_docs_name(changed: Path):
    named = listed(TITLE)
    assert len(named) == len(set(named)) <= MOST
    assert touched(changed) == set(ADDED) <= set(named)
    assert all((ROOT / name).exists() for name in named)
