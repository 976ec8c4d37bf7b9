"""What can be refused without PyTorch is refused before it is loaded: with one sentence, and at once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import palimpsest
from palimpsest.storage import atomic
from workplaces import picture, selection

EDIT = ("edit", "photo.png", "--selection", "selection.png", "--shows", "a cat", "--should-show", "a dog")
LEARN = ("learn", "toy", "0.png", "1.png", "2.png")
WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "diffusers", "transformers"} and name != "torch":
            raise AssertionError(f"{name} is loaded")
        return None
sys.meta_path.insert(0, Refuse())
from palimpsest.cli import main
code = main(sys.argv[1:])
assert "torch" not in sys.modules, "torch was loaded"
sys.exit(code)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(picture())
    (tmp_path / "selection.png").write_bytes(selection())
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed=seed))
    Image.new("CMYK", (80, 80)).save(tmp_path / "cmyk.jpg")
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "half").mkdir()
    return tmp_path


def early(folder: Path, *arguments: str, device: str = "auto") -> subprocess.CompletedProcess[str]:
    """Runs a command that must end before torch is imported."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(palimpsest.__file__).parent.parent),
        "PALIMPSEST_HOME": str(folder / "home"),
        "PALIMPSEST_DEVICE": device,
    }
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


REFUSED = [
    ((*EDIT, "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    ((*EDIT, "--device", "cuda:99"), "device_not_found", "The device cuda:99 isn't here", 2),
    (("serve", "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    (("serve", "--device", "cpu,cuda:99"), "device_not_found", "The device cuda:99 isn't here", 2),
    (("demo", "--device", "gpu"), "device_not_found", "'gpu' is no device.", 2),
    ((*EDIT, "--output", "file"), "storage", "file is not a folder.", 1),
    ((*EDIT, "--output", "file/below"), "storage", "file is not a folder.", 1),
    ((*EDIT, "--output", "x" * 300), "storage", "File name too long", 1),
    ((*EDIT, "--model", "nowhere"), "model_not_found", "no model called 'nowhere'", 2),
    ((*EDIT, "--model", "./nowhere.safetensors"), "model_not_found", "no model nowhere.safetensors", 2),
    ((*EDIT, "--model", "./half"), "model_unreadable", "half", 1),
    ((*LEARN, "--noun", "helicopter"), "request_invalid", "doesn't know the word 'helicopter'.", 2),
    (
        ("edit", "cmyk.jpg", *EDIT[2:]),
        "image_unsupported",
        "cmyk.jpg: This is a CMYK picture; only RGB, grey and palette pictures can be edited. Convert it",
        2,
    ),
    (("edit", "file", *EDIT[2:]), "image_unreadable", "file: This isn't a picture file.", 2),
    (("edit", "missing.png", *EDIT[2:]), "image_not_found", "There is no file missing.png.", 2),
    (("describe", "cmyk.jpg"), "image_unsupported", "CMYK", 2),
    (("learn", "toy", "cmyk.jpg", "0.png", "1.png", "--noun", "ball"), "image_unsupported", "CMYK", 2),
]


@pytest.mark.parametrize(("arguments", "code", "says", "exit_code"), REFUSED)
def test_it_is_refused_before_torch_is_loaded(
    folder: Path, arguments: tuple[str, ...], code: str, says: str, exit_code: int
) -> None:
    local = () if arguments[0] in ("serve", "demo") else ("--local",)
    said = early(folder, *arguments, *local)
    assert said.stderr.splitlines()[-1:] == [f"({code})"], said.stderr
    assert says in said.stderr
    assert "Traceback" not in said.stderr
    assert said.returncode == exit_code
    assert said.stdout == ""


def test_the_settings_device_is_judged_like_the_options(folder: Path) -> None:
    for arguments in ((*EDIT, "--local"), ("serve",)):
        said = early(folder, *arguments, device="cuda:99")
        assert (said.returncode, "PALIMPSEST_DEVICE" in said.stderr) == (2, True), said.stderr


def test_a_folder_where_nothing_may_be_written_is_told_at_once(
    folder: Path, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()

    def refuse(temporary: Path, path: Path, replace: bool) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(atomic, "_place", refuse)
    said = shell(*EDIT, "--local", "--output", "closed")
    assert said.code == 1
    assert f"Nothing can be written to {folder / 'closed'}: Read-only file system." in said.err
    assert "loading" not in said.err
