"""The doctor survives what it is there to find: each trouble is a line that hides no other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import palimpsest
from palimpsest.cli import doctor
from palimpsest.cli.doctor import CHECKS
from palimpsest.installation import origin
from palimpsest.models import catalog
from palimpsest.storage.database import Database

ALL = {what for what, _ in CHECKS}
HOME = Path("home")


def troubles(said: Any) -> dict[str, str]:
    """What was found wrong: check → what was found, and what to do. Every check must be there."""
    assert "Traceback" not in said.err
    found = said.json["findings"]
    assert ALL - {finding["what"] for finding in found} == set()
    wrong = {
        f["what"]: f"{f['found']} | {f['trouble']}" for f in found if f["trouble"] and f["what"] != "Memory"
    }
    assert (said.code, said.json["well"]) == (1, False)
    return wrong


def damage_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_MAX_PIXELS", "many")


def damage_database(_: pytest.MonkeyPatch) -> None:
    place = HOME / "data" / "jobs.sqlite"
    place.parent.mkdir(parents=True)
    Database(place).close()
    content = bytearray(place.read_bytes())
    content[100:4000] = b"\xff" * 3900
    place.write_bytes(content)


def damage_no_database(_: pytest.MonkeyPatch) -> None:
    (HOME / "data").mkdir(parents=True)
    (HOME / "data" / "jobs.sqlite").write_text("no database at all, but longer than a hundred bytes" * 9)


def damage_concept(_: pytest.MonkeyPatch) -> None:
    (HOME / "data" / "concepts").mkdir(parents=True)
    (HOME / "data" / "concepts" / "toy.safetensors").write_bytes(b"nonsense")


def damage_folder(_: pytest.MonkeyPatch) -> None:
    HOME.mkdir()
    (HOME / "data").write_text("a file")


def damage_config(_: pytest.MonkeyPatch) -> None:
    (HOME / "config" / "token").mkdir(parents=True)


def damage_launch(_: pytest.MonkeyPatch) -> None:
    (HOME / "config").mkdir(parents=True)
    (HOME / "config" / "launch.json").write_text("[")


def damage_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Path("weights").absolute()
    shutil.copytree(catalog.built_in_folder(), weights, ignore=shutil.ignore_patterns("*.safetensors"))
    monkeypatch.setattr(catalog, "built_in_folder", lambda: weights)


def damage_models(_: pytest.MonkeyPatch) -> None:
    folder = HOME / "data" / "models"
    folder.mkdir(parents=True)
    (folder / "cut.safetensors").write_bytes(b"\xff" * 20)


def damage_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise RecursionError("a mistake of ours")

    monkeypatch.setattr("palimpsest.cli.doctor.check_room", broken)


def damage_access(monkeypatch: pytest.MonkeyPatch) -> None:
    (HOME / "cache").mkdir(parents=True)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "cache" and access(path, mode))


def damage_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    from palimpsest.storage.concepts import ConceptLibrary

    def closed(_: Any) -> Any:
        raise PermissionError(13, "Permission denied", "/closed/concepts")

    monkeypatch.setattr(ConceptLibrary, "damaged", closed)


@pytest.mark.parametrize(
    ("damage", "what", "says"),
    [
        (damage_settings, "Settings", "PALIMPSEST_MAX_PIXELS is 'many'"),
        (damage_database, "List of jobs", "is damaged"),
        (damage_no_database, "List of jobs", "The next server that starts moves it aside"),
        (damage_concept, "Concepts", "toy"),
        (damage_folder, "Folders", "is a file where a folder belongs"),
        (damage_config, "Configuration", "token"),
        (
            damage_launch,
            "Start from an editor",
            "launch.json can't be read | Run: python3 install.py plugins",
        ),
        (damage_built_in, "Built-in model", "safetensors"),
        (damage_models, "Models", "cut.safetensors"),
        (damage_check, "Disk", "RecursionError: a mistake of ours"),
        (damage_access, "Folders", "can't be read or written to"),
        (damage_reading, "Concepts", "/closed/concepts: Permission denied | Make it readable"),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_a_trouble_is_a_line_and_hides_no_other(
    damage: Any, what: str, says: str, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palimpsest.cli.doctor.editor_findings", lambda: [])
    damage(monkeypatch)
    wrong = troubles(shell("doctor", "--json"))
    assert says in wrong[what], wrong


def test_a_broken_library_is_named_and_what_needs_none_is_examined(tmp_path: Path) -> None:
    """In a process of its own, with a PyTorch that can't be loaded."""
    broken = tmp_path / "libraries" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('libtorch_cpu.so: cannot open shared object file')\n")
    backend = Path(palimpsest.__file__).parent.parent
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(broken.parent), str(backend))),
        "PALIMPSEST_HOME": str(tmp_path / "home"),
        "PATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-m", "palimpsest", "doctor"], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "torch (libtorch_cpu.so: cannot open shared object file)" in done.stdout
    assert "✓ Disk" in done.stdout
    assert "! Built-in model" in done.stdout


def test_a_wheel_in_the_environment_of_a_clone_is_named(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works, but neither does what is changed in the clone, nor what ``git pull`` brings."""
    root = tmp_path / "clone"
    (root / "krita_plugin").mkdir(parents=True)
    (root / "install.py").touch()
    assert origin.clone_around(str(root / ".venv")) is None  # this one's own code runs
    monkeypatch.setattr(origin, "PACKAGE", tmp_path / "lib" / "site-packages" / "palimpsest")
    assert origin.clone_around(str(tmp_path / "elsewhere" / "env")) is None
    monkeypatch.setattr(doctor.origin, "clone_around", lambda: root)
    said = shell("doctor", "--json")
    assert "from a wheel" in troubles(said)["Palimpsest"]
    assert f"It isn't that of {root}. Run there: python3 install.py setup" in troubles(said)["Palimpsest"]
    monkeypatch.undo()
    assert origin.clone_around(str(root / ".venv")) is None
