"""install.py krita, gimp, plugins, uninstall: what a person sees and finds."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from installation.trees import everything, fill
from palimpsest.installation import command
from palimpsest.installation.environment import MARKER, Environment

ROOT = Path(__file__).parent.parent.parent
BEFORE = {".config/kritarc": "[General]\nState=\\x00\\xff\n", ".local/share/krita/krita.log": "old",
          ".config/GIMP/3.0/gimprc": "", ".config/GIMP/3.2/gimprc": ""}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody with one Krita and two GIMPs."""
    home = tmp_path / "home"
    fill(home, BEFORE)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY", "PALIMPSEST_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return home


def install(checkout: Path, *arguments: str) -> int:
    return command.run(str(checkout), [*arguments])


def test_one_command_puts_them_into_every_editor(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(checkout, "plugins", "--plugin-only") == 0
    assert (home / ".local/share/krita/pykrita/palimpsest/_client/http/protocol.py").exists()
    assert (home / ".config/kritarc").read_text().endswith("[python]\nenable_palimpsest=true\n")
    for version in ("3.0", "3.2"):
        assert os.access(home / f".config/GIMP/{version}/plug-ins/palimpsest/palimpsest.py", os.X_OK)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"Krita: plugin put into {home}/.local/share/krita/pykrita",
        f"Krita: enabled in {home}/.config/kritarc",
        f"GIMP 3.0: plugin put into {home}/.config/GIMP/3.0/plug-ins",
        f"GIMP 3.2: plugin put into {home}/.config/GIMP/3.2/plug-ins",
        "Krita: start it anew. If the panel isn't there: Settings ▸ Dockers ▸ Palimpsest.",
        "GIMP: start it anew. Palimpsest is in the menu Filters.",
    ]


def test_uninstall_removes_exactly_what_was_made(home: Path, checkout: Path) -> None:
    before = everything(home)
    assert install(checkout, "plugins", "--plugin-only") == 0
    assert everything(home) != before
    assert install(checkout, "uninstall") == 0
    assert everything(home) == before


def test_settings_that_krita_never_wrote_go_too(home: Path, checkout: Path) -> None:
    (home / ".config/kritarc").unlink()
    before = everything(home)
    assert install(checkout, "plugins", "--plugin-only") == 0
    assert install(checkout, "uninstall") == 0
    assert everything(home) == before


def test_one_editor_is_left_alone_when_the_other_is_meant(home: Path, checkout: Path) -> None:
    before = everything(home / ".local")
    assert install(checkout, "gimp", "--plugin-only") == 0
    assert everything(home / ".local") == before
    assert install(checkout, "krita", "--plugin-only") == 0
    assert install(checkout, "uninstall", "krita") == 0
    assert everything(home / ".local") == before
    assert (home / ".config/GIMP/3.0/plug-ins/palimpsest/palimpsest.py").exists()


def test_a_running_krita_keeps_its_settings(
    home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("palimpsest.installation.plugins.krita_runs", lambda *_: True)
    assert install(checkout, "krita", "--plugin-only") == 0
    assert (home / ".config/kritarc").read_text() == BEFORE[".config/kritarc"]
    said = capsys.readouterr().err
    assert "it is running, so its settings are left alone" in said
    assert "Python Plugin Manager" in said


def test_another_folder_can_be_named(home: Path, checkout: Path, tmp_path: Path) -> None:
    for named in (tmp_path / "krita", tmp_path / "krita/pykrita"):
        assert install(checkout, "krita", "--plugin-only", "--krita-dir", str(named)) == 0
        assert (tmp_path / "krita/pykrita/palimpsest/__init__.py").exists()
    assert install(checkout, "gimp", "--plugin-only", "--gimp-dir", str(tmp_path / "profile/plug-ins")) == 0
    assert (tmp_path / "profile/plug-ins/palimpsest/palimpsest.py").exists()
    assert not (home / ".local/share/krita/pykrita").exists()
    assert install(checkout, "uninstall", "--krita-dir", str(tmp_path / "krita")) == 0
    assert not (tmp_path / "krita/pykrita/palimpsest").exists()


def test_without_an_editor_it_says_how_to_name_one(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (".local", ".config"):
        (home / folder).rename(home / f"moved{folder}")
    assert install(checkout, "plugins", "--plugin-only") == 1
    said = capsys.readouterr().err
    assert "No Krita was found." in said
    assert "--gimp-dir FOLDER" in said
    assert "Traceback" not in said


def test_one_that_refuses_does_not_keep_the_others_from_theirs(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(home, {".config/GIMP/3.0/plug-ins/palimpsest/palimpsest.py": "somebody's"})
    assert install(checkout, "plugins", "--plugin-only") == 1
    assert (home / ".config/GIMP/3.2/plug-ins/palimpsest" / MARKER).exists()
    assert "Error: GIMP 3.0: " in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_a_sentence(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(home, {".local/share/krita/pykrita": "a file where a folder should be"})
    assert install(checkout, "krita", "--plugin-only") == 1
    said = capsys.readouterr().err
    assert "can't be written" in said
    assert "Traceback" not in said


def test_the_backend_is_installed_and_can_be_started_from_the_editor(
    home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(command, "install", lambda environment, build, with_tests: asked.append(with_tests))
    assert install(checkout, "krita") == 0
    assert asked == [False]
    record = home / ".config/palimpsest/launch.json"
    told = json.loads(record.read_text())
    assert told["update"] == "python3 install.py plugins"
    assert told["command"][:5] == [str(Environment(checkout).python), "-I", "-m", "palimpsest", "serve"]
    assert install(checkout, "uninstall", "krita") == 0
    assert record.exists()
    assert install(checkout, "uninstall") == 0
    assert not record.exists()


def test_what_an_editor_starts_is_a_command_that_exists(tmp_path: Path) -> None:
    """The options of the record are those that ``serve`` knows."""
    from palimpsest.cli import build_parser
    from palimpsest.installation.launch import launch_command

    options = build_parser().parse_args(launch_command(Path(sys.executable))[4:])
    assert options.stop_after_idle == 900


CARRIED = "palimpsest/_client/wheels"
CARRIED_WHEEL = "palimpsest-0.1.0-py3-none-any.whl"


def files_of(file: zipfile.ZipFile) -> dict[str, bytes]:
    """Without the backend and the marker, which lists it."""
    names = [name for name in file.namelist() if not name.endswith("/") and MARKER not in name]
    return {name: file.read(name) for name in names if not name.startswith(CARRIED)}


def unmarked(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if MARKER not in name}


def test_the_zips_bring_the_backend_along(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a wheel with the lock of what it needs: from them the panel sets it up."""
    assert install(checkout, "plugins", "--package") == 0
    for archive in capsys.readouterr().out.split():
        with zipfile.ZipFile(archive) as file:
            carried = sorted(name for name in file.namelist() if name.startswith(CARRIED + "/p"))
            assert carried == [f"{CARRIED}/{CARRIED_WHEEL}"]
            with zipfile.ZipFile(io.BytesIO(file.read(carried[0]))) as wheel:
                packed = {name.split("/")[0] for name in wheel.namelist()}
            assert packed == {"palimpsest", "palimpsest_client", "palimpsest-0.1.0.dist-info"}
            lock = checkout / "backend/requirements/runtime.txt"
            assert file.read(f"{CARRIED}/runtime.txt") == lock.read_bytes()
    assert not (checkout / "build").exists()


def test_a_backend_that_cannot_be_packed_is_said(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "pyproject.toml").write_text("[project")
    assert install(checkout, "krita", "--package") == 1
    assert capsys.readouterr().err.startswith("Error: ")
    assert not (checkout / "dist").exists()


def test_the_zips_hold_what_the_folders_would(
    home: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(checkout, "plugins", "--package") == 0
    krita, gimp = (Path(line) for line in capsys.readouterr().out.split())
    install(checkout, "plugins", "--plugin-only")
    with zipfile.ZipFile(krita) as file:
        made = everything(home / ".local/share/krita/pykrita")
        made["palimpsest.action"] = (home / ".local/share/krita/actions/palimpsest.action").read_bytes()
        assert files_of(file) == unmarked(made)
    with zipfile.ZipFile(gimp) as file:
        assert files_of(file) == unmarked(everything(home / ".config/GIMP/3.0/plug-ins"))
        assert file.getinfo("palimpsest/palimpsest.py").external_attr >> 16 & 0o111


def test_the_same_sources_make_the_same_zip(home: Path, checkout: Path) -> None:
    install(checkout, "krita", "--package")
    first = everything(checkout / "dist")
    install(checkout, "krita", "--package")
    assert everything(checkout / "dist") == first


def test_kritas_own_importer_takes_the_zip(
    home: Path, checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    importer = Path("/usr/share/krita/pykrita/plugin_importer/plugin_importer.py")
    if not importer.exists():
        pytest.skip("there is no Krita of the system")
    assert install(checkout, "krita", "--package") == 0
    archive = capsys.readouterr().out.strip()
    (tmp_path / "resources").mkdir()
    subprocess.run([sys.executable, str(importer), archive, str(tmp_path / "resources")], check=True)
    assert install(checkout, "krita", "--plugin-only") == 0
    taken = {n: d for n, d in everything(home / ".local/share/krita").items() if n != "krita.log"}
    brought = everything(tmp_path / "resources")
    assert {n: d for n, d in unmarked(brought).items() if CARRIED not in n} == unmarked(taken)
    assert {Path(n).name for n in brought if CARRIED in n} == {CARRIED_WHEEL, "runtime.txt"}
    assert install(checkout, "krita", "--plugin-only", "--krita-dir", str(tmp_path / "resources")) == 0


def test_what_it_does_not_know_it_refuses(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(checkout, "krita", "--colour", "red") == 2
    assert "install.py krita has no option --colour." in capsys.readouterr().err


def test_the_plugins_of_this_checkout_are_complete(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that git knows of them is left out, but catalogues as people write them."""
    assert install(ROOT, "plugins", "--plugin-only") == 0
    known = subprocess.run(
        ["/usr/bin/git", "ls-files", "krita_plugin", "gimp_plugin", "backend/palimpsest_client"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if known.returncode != 0:
        pytest.skip("this is no checkout of git")
    krita, gimp = home / ".local/share/krita/pykrita", home / ".config/GIMP/3.0/plug-ins"
    for name in known.stdout.split():
        if Path(name).suffix in (".po", ".pot"):
            continue
        source, below = ROOT / name, Path(*Path(name).parts[1:])
        copies = {"krita_plugin": [krita / below], "gimp_plugin": [gimp / below]}.get(
            Path(name).parts[0],
            [place / "palimpsest/_client" / Path(*below.parts[1:]) for place in (krita, gimp)],
        )
        assert [copy.read_bytes() == source.read_bytes() for copy in copies] == [True] * len(copies), name
