"""Every Krita and GIMP is found where its maker puts it, whichever system it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from palimpsest.installation.editors import Account, Place, find_gimp, find_krita, never_started

Person = Callable[..., Account]
NATIVE = ("Krita", ".local/share/krita", ".config/kritarc")
SANDBOX, SNAP = ".var/app/org.kde.krita", "snap/krita/current"
FLATPAK = ("Krita (flatpak)", f"{SANDBOX}/data/krita", f"{SANDBOX}/config/kritarc")
STORE = "AppData/Local/Packages/49800Krita_abc/LocalCache"
MAC = "Library/Application Support"


def where(places: list[Place], home: Path) -> list[tuple[str, str, str]]:
    return [
        (p.name, p.folder.relative_to(home).as_posix(), p.settings.relative_to(home).as_posix())
        for p in places
        if p.settings is not None
    ]


@pytest.mark.parametrize(
    ("platform", "at_home", "found"),
    [
        ("linux", [".local/share/krita/"], [NATIVE]),
        ("linux", [".config/kritarc"], [NATIVE]),
        ("linux", ["Downloads/krita-5.2.9-x86_64.appimage"], [NATIVE]),
        ("linux", ["Applications/Krita.AppImage"], [NATIVE]),
        ("linux", [f"{SANDBOX}/"], [FLATPAK]),
        ("linux", [f"{SNAP}/"], [("Krita (snap)", f"{SNAP}/.local/share/krita", f"{SNAP}/.config/kritarc")]),
        ("win32", ["AppData/Roaming/krita/"], [("Krita", "AppData/Roaming/krita", "AppData/Local/kritarc")]),
        ("win32", [f"{STORE}/"], [("Krita (Store)", f"{STORE}/Roaming/krita", f"{STORE}/Local/kritarc")]),
        ("darwin", [f"{MAC}/krita/"], [("Krita", f"{MAC}/krita", "Library/Preferences/kritarc")]),
        ("linux", ["krita-sketches/", "Documents/krita.appimage.txt"], []),
        ("win32", [], []),
        ("darwin", [], []),
    ],
)
def test_krita_is_found(
    person: Person, platform: str, at_home: list[str], found: list[tuple[str, str, str]]
) -> None:
    account = person(platform, *at_home)
    assert where(find_krita(account), account.home) == found


def test_a_krita_that_was_never_started_is_found_by_its_program(person: Person) -> None:
    assert [p.name for p in find_krita(person("linux", system=("usr/bin/krita",)))] == ["Krita"]
    assert [p.name for p in find_krita(person("darwin", system=("Applications/krita.app/",)))] == ["Krita"]


def test_a_flatpak_that_was_never_started_is_found(person: Person) -> None:
    account = person("linux", system=("var/lib/flatpak/app/org.kde.krita/",))
    assert [p.name for p in find_krita(account)] == ["Krita (flatpak)"]


def test_all_of_them_are_found_side_by_side(person: Person) -> None:
    account = person("linux", ".local/share/krita/", f"{SANDBOX}/", f"{SNAP}/")
    assert [p.name for p in find_krita(account)] == ["Krita", "Krita (flatpak)", "Krita (snap)"]
    assert [p.may_link for p in find_krita(account)] == [True, True, False]


def test_the_launcher_of_a_snap_is_not_a_krita_of_the_system(person: Person, tmp_path: Path) -> None:
    path = str(tmp_path / "system/snap/bin")
    account = person("linux", system=("snap/bin/krita", "snap/krita/"), PATH=path)
    assert find_krita(account) == []
    assert never_started(account) == ["Start the snap of Krita once, then run the same command again."]


def test_folders_that_were_moved_are_followed(person: Person, tmp_path: Path) -> None:
    moved = {"XDG_DATA_HOME": str(tmp_path / "d"), "XDG_CONFIG_HOME": str(tmp_path / "c")}
    (tmp_path / "d/krita").mkdir(parents=True)
    (tmp_path / "c/GIMP/3.0").mkdir(parents=True)
    account = person("linux", **moved)
    assert find_krita(account) == [Place("Krita", "Krita", tmp_path / "d/krita", tmp_path / "c/kritarc")]
    assert [p.folder for p in find_gimp(account)] == [tmp_path / "c/GIMP/3.0"]
    relative = person("linux", XDG_DATA_HOME="d", XDG_CONFIG_HOME="c")
    assert find_krita(relative) == []


@pytest.mark.parametrize(
    ("platform", "at_home", "found"),
    [
        ("linux", [".config/GIMP/2.10/", ".config/GIMP/3.0/", ".config/GIMP/3.2/"], ["GIMP 3.0", "GIMP 3.2"]),
        ("linux", [".var/app/org.gimp.GIMP/config/GIMP/3.2/"], ["GIMP 3.2 (flatpak)"]),
        ("linux", ["snap/gimp/current/.config/GIMP/3.0/"], ["GIMP 3.0 (snap)"]),
        ("win32", ["AppData/Roaming/GIMP/3.0/"], ["GIMP 3.0"]),
        ("darwin", [f"{MAC}/GIMP/3.0/"], ["GIMP 3.0"]),
        ("linux", [".config/GIMP/2.10/"], []),
    ],
)
def test_every_profile_of_gimp_3_is_found(
    person: Person, platform: str, at_home: list[str], found: list[str]
) -> None:
    assert [p.name for p in find_gimp(person(platform, *at_home))] == found


def test_gimp_looks_only_where_it_is_told(person: Person, tmp_path: Path) -> None:
    account = person("linux", ".config/GIMP/3.0/", GIMP3_DIRECTORY=str(tmp_path / "elsewhere"))
    assert [p.folder for p in find_gimp(account)] == [tmp_path / "elsewhere"]


def test_no_profile_is_made_before_gimp_has_made_its_own(person: Person) -> None:
    """GIMP carries the settings of an older version over only when it makes the folder itself."""
    account = person("linux", ".config/GIMP/2.10/", system=("usr/bin/gimp-3",))
    assert find_gimp(account) == []
    assert never_started(account) == ["Start GIMP 3 once, then run the same command again."]
