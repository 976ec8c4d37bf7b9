"""A model family added as CONTRIBUTING.md says is listed, loaded, and edits a photo within the laws."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adding import ROOT, copied, examples, listed, run, touched

TITLE = "Add a model family"
(FOLDER,) = listed(TITLE)
FILES = {f"{FOLDER}{name}" for name in ("__init__.py", "network.py")}
WEIGHTS = ROOT / "backend/palimpsest/builtin/weights"
SCHEDULER = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}

LISTED = """
import sys
from pathlib import Path
from palimpsest.models.listing import list_models

told = {model["name"]: model["details"] for model in list_models(Path(sys.argv[1]).parent)}
assert (told["flow"]["family"], told["flow"]["prediction"]) == ("flow", "flow"), told["flow"]
assert "error" in told["damaged"], "what none claims is refused by name"
assert "torch" not in sys.modules, "all this is known without it"
"""

EDITED = """
import sys
from palimpsest.cli import main

model, photo, box, output = sys.argv[1:]
common = [photo, "--local", "--quiet", "--json", "--model", model, "--steps", "4", "--accept-unknown-words"]
words = ["--shows", "a photo of a red ball on grass", "--should-show", "a photo of a blue cube on grass"]
assert main(["edit", *common, *words, "--box", box, "--output", output]) == 0
"""

EXACT = """
import sys
from pathlib import Path

import torch

from palimpsest.core.inversion import InvertSettings, invert
from palimpsest.core.process import Flow
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.families import load

model = load(Path(sys.argv[1]), "cpu")
assert model.process == Flow(3.0)
z0 = torch.randn(1, model.network.channels, 8, 8, generator=torch.Generator().manual_seed(0))
with concepts_installed(model, []) as vocabulary:
    source = vocabulary.parse("a photo of a red ball")
    found = finish(invert(model, vocabulary, z0, source, InvertSettings("ddim", steps=4)))
levels = (1.0, 0.9, 0.75, 0.5)  # 3u / (1 + 2u) of u = 1, 3/4, 1/2, 1/4
assert [round(level, 9) for level in found.levels] == list(levels)
assert torch.equal(found.latents[0], z0) and bool(found.latents.isfinite().all())
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copied(tmp_path_factory.mktemp("house"))
    (copy / FOLDER).mkdir()
    for name, content in zip(("__init__.py", "network.py"), examples(TITLE), strict=True):
        (copy / FOLDER / name).write_text(content, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model's weights under a flow's scheduler: what it draws is nothing, how is what counts."""
    models = tmp_path_factory.mktemp("models")
    for name, scheduler in (("flow", json.dumps(SCHEDULER)), ("damaged", "{")):
        shutil.copytree(WEIGHTS, models / name)
        (models / name / "scheduler/scheduler_config.json").write_text(scheduler, encoding="utf-8")
    return models / "flow"


def test_its_models_are_listed_without_torch(changed: Path, model: Path) -> None:
    run(changed, LISTED, str(model))


def test_a_photo_is_inverted_on_its_own_noise_levels(changed: Path, model: Path) -> None:
    run(changed, EXACT, str(model))


def test_a_photo_is_edited_and_nothing_outside(changed: Path, model: Path, tmp_path: Path) -> None:
    photo = ROOT / "backend/palimpsest/demo/pictures/photo.png"
    run(changed, EDITED, str(model), str(photo), "40,40,48,48", str(tmp_path / "out"))
    told = json.loads((tmp_path / "out/photo-replace.json").read_text(encoding="utf-8"))
    assert told["recipe"]["model"]["family"] == "flow"
    assert told["pixels_changed_outside"] == 0 < told["pixels_changed_inside"][0]


def test_no_file_was_touched_outside_its_folder(changed: Path) -> None:
    assert touched(changed) == FILES
