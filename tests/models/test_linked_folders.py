"""Models that other tools have on this disk are found where they are; add-ons are not taken for models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from original_naming import single_file
from palimpsest.errors import ModelNotFoundError, RequestError
from palimpsest.models import linked_folders
from palimpsest.models.catalog import find, installed, names_path
from palimpsest.models.listing import list_models
from palimpsest.models.pool import ModelPool

CPU = torch.device("cpu")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def others(tmp_path: Path, sd1_folder: Path) -> Path:
    """As other tools lay them out: checkpoints beside add-ons, and the hub's cache."""
    root = tmp_path / "other tool"
    (root / "checkpoints" / "old").mkdir(parents=True)
    single_file(root / "checkpoints" / "dream.safetensors", "sd1")
    shutil.rmtree(root / "checkpoints" / "dream" / "tokenizer")
    shutil.copy(root / "checkpoints" / "dream.safetensors", root / "checkpoints" / "old")
    (root / "loras").mkdir()
    save_file({"lora_unet.down.weight": torch.zeros(2, 2)}, root / "loras" / "style.safetensors")
    (root / "loras" / "broken.safetensors").write_bytes(b"nonsense")
    shutil.copytree(sd1_folder, root / "hub" / "models--someone--toy-diffusion" / "snapshots" / ("a" * 40))
    return root


def test_models_are_found_and_nothing_else(models: Path, others: Path) -> None:
    found = installed(models, (others,))
    del found["built-in"]
    assert found == {
        "dream": others / "checkpoints" / "dream.safetensors",
        "dream (old)": others / "checkpoints" / "old" / "dream.safetensors",
        "toy-diffusion": others / "hub" / "models--someone--toy-diffusion" / "snapshots" / ("a" * 40),
    }
    assert find("dream (old)", models, paths_allowed=False, others=(others,)) == found["dream (old)"]
    assert not names_path("dream (old)", models, (others,))


def test_a_folder_is_added_and_taken_away_again(models: Path, others: Path) -> None:
    assert linked_folders.add(models, others) == others
    linked_folders.add(models, others)
    assert linked_folders.linked(models) == (others,)
    assert "dream" in installed(models)
    assert linked_folders.remove(models, others) == others
    assert list(installed(models)) == ["built-in"]
    assert (others / "checkpoints" / "dream.safetensors").is_file()


def test_what_holds_no_model_is_not_added(models: Path, others: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no folder"):
        linked_folders.add(models, tmp_path / "nowhere")
    with pytest.raises(ModelNotFoundError, match="holds no model"):
        linked_folders.add(models, others / "loras")
    with pytest.raises(RequestError, match="not one of the added"):
        linked_folders.remove(models, others)
    assert not models.exists()


def test_links_in_a_circle_come_to_an_end(models: Path, others: Path) -> None:
    (others / "round").symlink_to(others)
    names = [name for name, _ in linked_folders.models_in(others)]
    assert names.count("toy-diffusion") <= linked_folders.DEPTH


def test_a_checkpoint_says_what_it_can_do_and_borrows_a_tokenizer(models: Path, others: Path) -> None:
    told = {model["name"]: model for model in list_models(models, (others,))}
    assert told["dream"]["installed"]
    assert told["dream"]["details"]["family"] == "sd1"
    assert told["dream"]["details"]["native_size"] > 0
    assert told["sdxl"]["installed"] is False
    loaded = ModelPool(models, CPU, others=(others,)).get("dream")
    assert loaded.family == "sd1"


def test_the_list_is_made_without_torch(models: Path, others: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from palimpsest.models.listing import list_models; "
        f"found = list_models(Path({str(models)!r}), (Path({str(others)!r}),)); "
        "print([model['name'] for model in found], 'torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.stdout.strip().endswith("False"), done.stderr
    assert "'dream'" in done.stdout
