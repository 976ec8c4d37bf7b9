"""Where a backend is found and how it is started, also from an editor that lives in a sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from palimpsest_client.folders import config_folder
from palimpsest_client.http.connection import (
    Choice,
    check_choice,
    clean_environment,
    detached,
    launch,
    launch_command,
    read_choice,
    update_command,
    write_choice,
    write_launch,
)

FLATPAK = {"FLATPAK_ID": "org.kde.krita", "XDG_CONFIG_HOME": "/home/anna/.var/app/org.kde.krita/config"}


def test_an_editor_from_flatpak_looks_where_the_backend_lives() -> None:
    home = Path("/home/anna")
    assert config_folder(FLATPAK, "linux", home) == home / ".config/palimpsest"
    moved = {**FLATPAK, "HOST_XDG_CONFIG_HOME": "/c"}
    assert config_folder(moved, "linux", home) == Path("/c/palimpsest")


def test_and_starts_it_there(tmp_path: Path) -> None:
    (tmp_path / "launch.json").write_text(json.dumps({"command": ["python", "serve"]}))
    assert launch_command(tmp_path, {}) == ["python", "serve"]
    assert launch_command(tmp_path, FLATPAK) == ["flatpak-spawn", "--host", "python", "serve"]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"command": 3}'])
def test_a_damaged_record_is_none(tmp_path: Path, record: str) -> None:
    (tmp_path / "launch.json").write_text(record)
    assert launch_command(tmp_path, {}) == []


def test_the_command_that_updates_the_plug_ins_is_that_of_the_installation(tmp_path: Path) -> None:
    python = Path("/some/bin/python")
    write_launch(tmp_path, python, "palimpsest plugins")
    assert update_command(tmp_path) == "palimpsest plugins"
    assert launch_command(tmp_path, {})[0] == str(python)
    write_launch(tmp_path, python)
    assert update_command(tmp_path) == "python3 install.py plugins"


@pytest.mark.parametrize("record", ["", "[]", '{"update": 3}', '{"update": ""}'])
def test_without_a_record_it_is_that_of_a_clone(tmp_path: Path, record: str) -> None:
    assert update_command(tmp_path) == "python3 install.py plugins"
    (tmp_path / "launch.json").write_text(record)
    assert update_command(tmp_path) == "python3 install.py plugins"


def test_what_an_editor_set_for_its_own_python_stays_behind() -> None:
    editor = {"PATH": "/bin", "PYTHONHOME": "/tmp/.mount_krita/usr", "LD_LIBRARY_PATH": "/tmp/.mount_krita"}
    editor["PYTHONUSERBASE"] = "/downloads"
    assert clean_environment(editor) == {"PATH": "/bin"}
    assert detached("win32") == {"creationflags": 0x08000200}
    assert detached("darwin") == {"start_new_session": True}


def poisoned(folder: Path, ran: Path) -> Path:
    """A folder with modules that hide Python's own and leave ``ran`` behind when they are imported."""
    folder.mkdir()
    for module in ("argparse", "queue", "palimpsest"):
        (folder / f"{module}.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    return folder


RECORDS = [["-E", "-m", "json.tool"], ["-m", "json.tool"]]  # as earlier installations wrote them, or others


@pytest.mark.parametrize("arguments", RECORDS)
def test_a_backend_runs_nothing_from_the_editors_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    ran, home = tmp_path / "ran", tmp_path / "home"
    folder = poisoned(tmp_path / "downloads", ran)
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False, capture_output=True)
    assert ran.exists(), "such a folder is dangerous"
    ran.unlink()
    home.mkdir()
    (home / "launch.json").write_text(json.dumps({"command": command}))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONSTARTUP", str(folder / "queue.py"))
    launch(home).wait(60)
    assert "Expecting value" in (home / "backend.log").read_text(), "the right json.tool read nothing"
    assert not ran.exists()


def test_a_choice_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    chosen = Choice("http://127.0.0.1:8391", "a-token-of-sixteen")
    assert read_choice(tmp_path) == Choice()
    write_choice(tmp_path / "new", chosen)
    assert read_choice(tmp_path / "new") == chosen
    assert (tmp_path / "new/connection.json").stat().st_mode & 0o077 == 0


def test_what_cannot_be_reached_is_refused_before_it_is_kept() -> None:
    assert check_choice(Choice()) == ""
    assert check_choice(Choice("http://workstation:8391", "a-token")) == ""
    assert "ftp://x" in check_choice(Choice("ftp://x", "a-token"))
    assert check_choice(Choice("http://workstation:8391", "")) != ""
