"""A model of few steps from the shell and through a server's list: recommended, run, and told of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cli.shell import Shell
from original_naming import single_file
from palimpsest.models.families import read_spec
from palimpsest.models.listing import list_models

SHOWS, SHOULD_SHOW = "a photo of a cat on grass", "a photo of a dog on grass"


def place(sd1_folder: Path, home: Path, name: str) -> Path:
    return Path(shutil.copytree(sd1_folder, home / "data" / "models" / name))


def test_it_is_listed_with_what_is_recommended_and_why(
    shell: Shell, sd1_folder: Path, tmp_path: Path
) -> None:
    folder = place(sd1_folder, tmp_path / "home", "toys-lightning-2step")
    line = next(line for line in shell("models", "list").out.splitlines() if line.startswith("toys"))
    assert "Lightning, 2 steps at guidance 1 (by its name" in line
    assert f'write {{"distilled": "none"}} into {folder / "palimpsest.json"}' in line
    details = next(
        m["details"] for m in list_models(tmp_path / "home" / "data" / "models") if "toys" in m["name"]
    )
    assert (details["steps"], details["guidance"], details["known_by"]) == (2, 1.0, "name")
    (folder / "palimpsest.json").write_text('{"distilled": "none"}')
    line = next(line for line in shell("models", "list").out.splitlines() if line.startswith("toys"))
    assert "steps" not in line


def test_of_a_single_file_it_says_where_to_take_the_guess_back(shell: Shell, tmp_path: Path) -> None:
    models = tmp_path / "home" / "data" / "models"
    models.mkdir(parents=True, exist_ok=True)
    file = single_file(models / "toys.v1-turbo.safetensors", "sd1")
    own = models / "toys.v1-turbo" / "palimpsest.json"
    line = next(line for line in shell("models", "list").out.splitlines() if line.startswith("toys"))
    assert f"into {own})" in line
    own.write_text('{"distilled": "none"}')
    assert read_spec(file).distilled == ""


def test_an_edit_takes_its_steps_and_a_replay_gives_the_same_bytes(
    shell: Shell, sd1_folder: Path, tmp_path: Path
) -> None:
    place(sd1_folder, tmp_path / "home", "toys-lcm")
    edit = ["edit", "photo.png", "--selection", "selection.png", "--model", "toys-lcm", "--json"]
    made = shell(*edit, "--shows", SHOWS, "--should-show", SHOULD_SHOW)
    assert made.code == 0, made.err
    record = next(Path(file) for file in made.json["files"].values() if str(file).endswith(".json"))
    told = json.loads(record.read_text())
    recipe = told.get("recipe", told)
    assert (recipe["request"]["inversion"]["steps"], recipe["request"]["inversion"]["guidance"]) == (8, 1.0)
    assert told["unet_evaluations"] <= 16
    assert told["pixels_changed_outside"] == 0
    layer = Path(made.json["files"]["layer"]).read_bytes()
    again = shell("replay", record, "photo.png", "selection.png", "--output", "again", "--json")
    assert again.code == 0, again.err
    assert Path(again.json["files"]["layer"]).read_bytes() == layer
    chosen = shell(*edit, "--shows", SHOWS, "--should-show", SHOULD_SHOW, "--steps", "3", "--output", "three")
    assert chosen.code == 0, chosen.err
