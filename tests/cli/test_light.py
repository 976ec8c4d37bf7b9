"""What a command imports: its own module, and nothing heavy before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from palimpsest.cli import COMMANDS
from tiny_task import picture, selection

HEAVY = (
    "torch",
    "numpy",
    "PIL",
    "diffusers",
    "transformers",
    "safetensors",
    "fastapi",
    "uvicorn",
    "pydantic",
)
LIGHT = (
    "--version",
    "jobs",
    "results",
    "status",
    "stop",
    "models list",
    "concepts list",
    "edit --help",
)
SERVERS = ("fastapi", "starlette", "uvicorn", "pydantic", "sqlite3", "palimpsest.api", "palimpsest.app")
OTHERS = ("palimpsest.bench", "palimpsest.demo", "palimpsest.installation", "palimpsest.builtin.judge")
RUN = """
import sys
from palimpsest.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", *sorted(sys.modules))
"""


def imported_by(folder: Path, *words: str) -> set[str]:
    """The modules that were imported when a command has ended."""
    of_project = {name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_")}
    environment = {**of_project, "PALIMPSEST_HOME": str(folder / "home"), "PALIMPSEST_DEVICE": "cpu"}
    process = subprocess.run(
        [sys.executable, "-c", RUN, *words], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert "Traceback" not in process.stderr, process.stderr
    said, _, names = process.stdout.rpartition("imported: ")
    assert words[0] != "edit" or said, process.stderr
    return set(names.split())


def commands_in(modules: set[str]) -> list[str]:
    return [name for name in COMMANDS if f"palimpsest.cli.{name}" in modules]


@pytest.mark.parametrize("words", LIGHT)
def test_a_light_command_imports_nothing_heavy(words: str, tmp_path: Path) -> None:
    assert imported_by(tmp_path, *words.split()) & set(HEAVY) == set()


def test_only_the_named_commands_module_is_imported(tmp_path: Path) -> None:
    found = imported_by(tmp_path, "status")
    assert commands_in(found) == ["status", "completion"]


def test_an_edit_imports_no_server_and_no_other_commands_work(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(picture())
    (tmp_path / "selection.png").write_bytes(selection())
    sentences = ("--shows", "a red ball on grass", "--should-show", "a blue ball on grass")
    photo = ("photo.png", "--selection", "selection.png", "--steps", "2")
    found = imported_by(tmp_path, "edit", *photo, *sentences)
    assert {"torch", "palimpsest.tasks.edit"} <= found
    assert found & {*SERVERS, *OTHERS} == set()
    assert commands_in(found) == ["edit", "completion"]
