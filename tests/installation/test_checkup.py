"""doctor looks at the plugins from the editors' side, and says for each trouble what to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from installation.trees import fill
from palimpsest.installation import checkup
from palimpsest.installation.bundle import bundle_for
from palimpsest.installation.checkup import (
    Finding,
    console_of,
    editor_findings,
    launch_finding,
    registered,
    surroundings,
)
from palimpsest.installation.editors import Account, Place
from palimpsest.installation.kritarc import disable, enable
from palimpsest.installation.launch import write_launch_record
from palimpsest.installation.placing import put_copy, put_links

Person = Callable[..., Account]
KRITA = ".local/share/krita"
PACKAGE = f"{KRITA}/pykrita/palimpsest"


@pytest.fixture
def anna(person: Person, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Her Krita has the plugin of the checkout, whose backend is the one that looks."""
    account = person("linux", f"{KRITA}/")
    put_copy(bundle_for("Krita", checkout), account.home / KRITA)
    fill(account.home, {".config/kritarc": enable(b"").decode()})
    client = checkout / "backend/palimpsest_client/__init__.py"
    monkeypatch.setattr(checkup.palimpsest_client, "__file__", str(client))
    return account


def only(account: Account) -> Finding:
    (finding,) = editor_findings(account)
    return finding


def test_all_is_well(anna: Account) -> None:
    assert only(anna).trouble == ""
    assert only(anna).found.startswith("plugin 0.")


def test_links_are_as_good_as_copies(anna: Account, checkout: Path) -> None:
    put_links(bundle_for("Krita", checkout), anna.home / KRITA)
    assert only(anna).trouble == ""


def test_nothing_to_look_at_is_no_trouble(person: Person) -> None:
    assert only(person("linux")) == Finding("Editors", "no Krita and no GIMP 3 were found")
    found = only(person("linux", f"{KRITA}/"))
    assert found.trouble == ""
    assert "python3 install.py krita" in found.found


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda home: (home / PACKAGE / "docker.py").unlink(), "docker.py. Run: python3 install.py krita"),
        (lambda home: (home / PACKAGE / "_client/http/protocol.py").write_text("PROTOCOL = 0\n"), "protocol"),
        (lambda home: (home / PACKAGE / ".made-by-palimpsest").unlink(), "not made by Palimpsest"),
        (lambda home: (home / KRITA / "pykrita/palimpsest.desktop").unlink(), "palimpsest.desktop"),
        (lambda home: fill(home, {".config/kritarc": disable(enable(b"")).decode()}), "isn't enabled"),
        (lambda home: (home / ".config/kritarc").unlink(), "isn't enabled"),
    ],
)
def test_every_trouble_is_named(anna: Account, damage: Callable[[Path], object], told: str) -> None:
    damage(anna.home)
    assert told in only(anna).trouble


def test_a_plugin_of_another_version_is_named(anna: Account, checkout: Path) -> None:
    fill(checkout, {"backend/palimpsest_client/http/protocol.py": "PROTOCOL = 2\n"})
    assert "another version than the backend's" in only(anna).trouble
    put_copy(bundle_for("Krita", checkout), anna.home / KRITA)
    assert only(anna).trouble == ""


def test_a_backend_that_has_moved_away_is_named(tmp_path: Path) -> None:
    assert launch_finding(tmp_path).trouble == ""
    write_launch_record(tmp_path / ".venv/bin/python", tmp_path)
    assert "is gone. Run: python3 install.py plugins" in launch_finding(tmp_path).trouble
    fill(tmp_path, {".venv/bin/python": ""})
    assert launch_finding(tmp_path).trouble == ""


@pytest.mark.parametrize(("answer", "well"), [("exit 0", True), ("exit 1", False)])
def test_a_krita_of_the_system_needs_a_python_with_qt(
    anna: Account, person: Person, answer: str, well: bool
) -> None:
    account = person("linux", system=("usr/bin/krita", "usr/bin/python3"))
    (account.system / "usr/bin/python3").write_text(f"#!/bin/sh\n{answer}\n")
    assert ("no PyQt" in only(account).trouble) is not well


def test_our_own_environment_is_not_the_editors(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup.sys, "prefix", "/home/anna/palimpsest/.venv")
    account = person("linux", PATH="/home/anna/palimpsest/.venv/bin:/usr/bin")
    assert surroundings(account)["PATH"] == "/usr/bin"


@pytest.mark.parametrize(
    ("name", "platform", "system", "command"),
    [
        ("GIMP 3.0", "linux", "usr/bin/gimp-console-3.0", ["usr/bin/gimp-console-3.0"]),
        ("GIMP 3.0", "linux", "usr/bin/gimp-console-3", ["usr/bin/gimp-console-3"]),
        ("GIMP 3.0", "linux", "usr/bin/gimp", []),
        ("GIMP 3.0 (snap)", "linux", "usr/bin/gimp-console-3", []),
        ("GIMP 3.0", "darwin", "Applications/GIMP.app/Contents/MacOS/gimp-console",
         ["Applications/GIMP.app/Contents/MacOS/gimp-console"]),
        ("GIMP 3.0", "win32", "GIMP 3/bin/gimp-console-3.0.exe", ["GIMP 3/bin/gimp-console-3.0.exe"]),
    ],
)  # fmt: skip
def test_the_console_is_found(
    person: Person, tmp_path: Path, name: str, platform: str, system: str, command: list[str]
) -> None:
    account = person(platform, system=(system,), PROGRAMFILES=str(tmp_path / "system"))
    (account.system / system).chmod(0o755)
    place = Place("GIMP", name, account.home / ".config/GIMP/3.0")
    assert console_of(place, account) == [str(account.system / part) for part in command]


def test_a_flatpak_is_asked_through_flatpak(person: Person) -> None:
    account = person("linux", system=("var/lib/flatpak/app/org.gimp.GIMP/", "usr/bin/flatpak"))
    place = Place("GIMP", "GIMP 3.2 (flatpak)", account.home / ".var/app/org.gimp.GIMP/config/GIMP/3.2")
    assert console_of(place, account) == [
        "flatpak", "run", f"--env=GIMP3_DIRECTORY={place.folder}", "--command=gimp-console", "org.gimp.GIMP"
    ]  # fmt: skip


def test_what_gimp_says_is_understood(tmp_path: Path) -> None:
    console = tmp_path / "gimp-console"
    console.write_text(f"#!/bin/sh\necho noise\necho {checkup.SAID} plug-in-palimpsest plug-in-other\n")
    console.chmod(0o755)
    assert registered([str(console)], {"PATH": "/bin"}) == ["plug-in-palimpsest", "plug-in-other"]
    console.write_text("#!/bin/sh\nexit 3\n")
    assert registered([str(console)], {"PATH": "/bin"}) == []
    assert registered([str(tmp_path / "none")], {"PATH": "/bin"}) == []
