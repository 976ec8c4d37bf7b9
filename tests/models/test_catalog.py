"""Models have names; the built-in one is a folder like any other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from palimpsest.errors import ModelNotFoundError
from palimpsest.models.catalog import built_in_folder, find, installed


def test_folders_and_files_are_found_by_name(sd1_folder: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(sd1_folder, models / "mine")
    (models / "one.safetensors").write_bytes(b"")
    (models / "one" / "tokenizer").mkdir(parents=True)  # a companion is no model of its own
    (models / "notes.txt").write_text("")
    assert installed(models) == {
        "built-in": built_in_folder(),
        "mine": models / "mine",
        "one": models / "one.safetensors",
    }
    assert find("mine", models) == models / "mine"
    assert find(str(sd1_folder), models) == sd1_folder


def test_an_unknown_name_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"'sd15'.*built-in"):
        find("sd15", tmp_path)


def test_a_client_can_not_name_paths(sd1_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        find(str(sd1_folder), tmp_path, paths_allowed=False)
