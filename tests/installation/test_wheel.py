"""The wheel, as uv tool, pipx and pip install it: whole, with the plug-ins, in an environment of its own.

The environment takes the libraries from the one that runs the tests, so nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from installation.trees import everything, fill
from palimpsest.installation import command
from tiny import tiny_folder

ROOT = Path(__file__).parent.parent.parent
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "_client", "*.egg-info", "build", "dist", ".*")
NOT_INSTALLED = {".po", ".pot"}
CHECKOUT_ONLY = "training"  # of palimpsest: how the built-in model was made
HOME = {".config/kritarc": "[General]\n", ".local/share/krita/krita.log": "", ".config/GIMP/3.0/gimprc": ""}


def copy_of_the_checkout(place: Path) -> Path:
    """What a wheel is built from; building leaves files beside the sources."""
    place.mkdir()
    for name in ("backend", "krita_plugin", "gimp_plugin"):
        shutil.copytree(ROOT / name, place / name, ignore=NOT_SOURCES)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    return place


def pip(python: str, *arguments: str) -> None:
    options = ["--disable-pip-version-check", "--quiet", "--no-index", "--no-deps"]
    told = subprocess.run(
        [python, "-I", "-m", "pip", arguments[0], *options, *arguments[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    sources = copy_of_the_checkout(place / "sources")
    pip(sys.executable, "wheel", "--no-build-isolation", "--wheel-dir", str(place), str(sources))
    (built,) = place.glob("palimpsest-*-py3-none-any.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """The wheel in an environment, and a home with one Krita and one GIMP."""

    environment: Path
    home: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = self.environment / "bin" / "palimpsest"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PALIMPSEST", "XDG", "PYTHON"))
        }
        around = {**kept, "HOME": str(self.home), "PATH": "/nothing", "PALIMPSEST_DEVICE": "cpu"}
        return subprocess.run(
            [str(program), *arguments], cwd=self.home, env=around, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tool") / "palimpsest"
    subprocess.run([sys.executable, "-I", "-m", "venv", str(place)], check=True)
    pip(str(place / "bin" / "python"), "install", str(wheel))
    (libraries,) = place.glob("lib/python*/site-packages")
    (libraries / "zz-libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


@pytest.fixture
def palimpsest(environment: Path, tmp_path: Path) -> Installed:
    fill(tmp_path / "home", HOME)
    return Installed(environment, tmp_path / "home")


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        inside = set(file.namelist())
    for package in ("palimpsest", "palimpsest_client"):
        files = (p for p in (ROOT / "backend" / package).rglob("*") if p.is_file())
        left_out = {"__pycache__", CHECKOUT_ONLY}
        own = (p for p in files if not left_out & set(p.parts) and p.suffix not in NOT_INSTALLED)
        assert {p.relative_to(ROOT / "backend").as_posix() for p in own} - inside == set()
    assert [name for name in inside if name.startswith(f"palimpsest/{CHECKOUT_ONLY}/")] == []


def test_the_plugins_are_those_of_the_checkout(
    palimpsest: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = palimpsest("plugins")
    assert done.returncode == 0, done.stderr
    pykrita, plug_ins = (
        palimpsest.home / ".local/share/krita/pykrita",
        palimpsest.home / ".config/GIMP/3.0/plug-ins",
    )
    assert done.stdout.splitlines() == [str(pykrita / "palimpsest"), str(plug_ins / "palimpsest")]
    assert "enable_palimpsest=true" in (palimpsest.home / ".config/kritarc").read_text()
    other = tmp_path / "other"
    fill(other, HOME)
    monkeypatch.setenv("HOME", str(other))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY", "PALIMPSEST_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nothing")
    assert command.run(str(ROOT), ["plugins", "--plugin-only"]) == 0
    for folder in (pykrita, plug_ins):
        assert everything(folder) == everything(other / folder.relative_to(palimpsest.home))


def test_an_editor_starts_the_backend_of_this_environment(palimpsest: Installed) -> None:
    assert palimpsest("plugins", "krita").returncode == 0
    record = json.loads((palimpsest.home / ".config/palimpsest/launch.json").read_text())
    assert record["update"] == "palimpsest plugins"
    assert record["command"][0] == str(palimpsest.environment / "bin" / "python")
    found = {f["what"]: f for f in json.loads(palimpsest("doctor", "--json").stdout)["findings"]}
    assert found["Start from an editor"]["trouble"] == ""
    assert found["Krita"]["trouble"] == ""
    assert "palimpsest plugins gimp puts it there" in found["GIMP 3.0"]["found"]


def test_the_plugins_are_taken_out_again(palimpsest: Installed) -> None:
    before = everything(palimpsest.home)
    for words in (("uninstall",), ("--remove",)):
        assert palimpsest("plugins", "install").returncode == 0
        assert everything(palimpsest.home) != before
        assert palimpsest("plugins", *words).returncode == 0
        assert everything(palimpsest.home) == before


def test_one_editor_alone_is_meant_where_it_is_named(palimpsest: Installed) -> None:
    put = palimpsest("plugins", "install", "krita")
    assert put.stdout.splitlines() == [str(palimpsest.home / ".local/share/krita/pykrita/palimpsest")]
    done = palimpsest("plugins", "uninstall", "gimp")
    assert (done.returncode, done.stdout.strip()) == (0, "")
    two = palimpsest("plugins", "krita", "gimp")
    assert two.returncode == 2
    assert "krita and gimp are two editors." in two.stderr


def test_without_an_editor_it_says_how_to_name_one(palimpsest: Installed) -> None:
    shutil.rmtree(palimpsest.home)
    palimpsest.home.mkdir()
    done = palimpsest("plugins")
    assert done.returncode == 1
    assert "--krita-dir FOLDER" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(palimpsest.home) == {}  # no editor is told of a backend


def test_the_built_in_model_comes_with_it(palimpsest: Installed) -> None:
    done = palimpsest("draw", "a photo of a red ball on grass", "--steps", "2", "--json")
    assert done.returncode == 0, done.stderr
    (picture,) = (Path(p) for name, p in json.loads(done.stdout)["files"].items() if p.endswith(".png"))
    assert (palimpsest.home / picture).stat().st_size > 0


def test_nothing_is_missing_on_a_machine_without_the_repository(palimpsest: Installed) -> None:
    done = palimpsest("doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {f["what"]: f for f in json.loads(done.stdout)["findings"]}
    assert [f for f in found.values() if f["trouble"]] == []
    assert found["Palimpsest"]["found"].endswith("from a wheel")


def test_the_demo_is_whole(palimpsest: Installed) -> None:
    """With a tiny model of the person's own, which makes noise of it, but in seconds."""
    tiny_folder(palimpsest.home / ".local/share/palimpsest/models/tiny")
    done = palimpsest("demo", "--model", "tiny", "--quiet")
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (palimpsest.home / "demo-output").iterdir()}
    assert {"my-toy.safetensors", "contact-sheet.png", "report.json", "insert-composite.png"} <= made
    left = {path.name for path in (palimpsest.home / ".local/share/palimpsest").iterdir()}
    assert left == {"models"}, "the demo's word and pictures are nobody's"


def test_an_edit_is_measured_against_the_truth(palimpsest: Installed) -> None:
    """Scenes, judge and model come with it; ``bench`` asks for no checkout."""
    one = ("--scenes", "1", "--cases", "1", "--kind", "remove")
    done = palimpsest("bench", "quality", *one, "--output", "quality")
    assert done.returncode == 0, done.stderr
    report = json.loads((palimpsest.home / "quality/report.json").read_text())
    assert (palimpsest.home / "quality/cases/direct/remove-0.png").is_file()
    assert report["pixels_changed_outside"] == 0
