"""Where this machine's Kritas and GIMPs look for plugins: read from folders alone, no editor is started.

An editor is often there several times (from the distribution, as flatpak, as snap, as AppImage), each with
folders of its own; GIMP has one folder per version.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from palimpsest_client.folders import absolute

KRITA, GIMP = "Krita", "GIMP"
KRITA_FLATPAK, GIMP_FLATPAK = "org.kde.krita", "org.gimp.GIMP"
APPIMAGE = "[kK]rita*.[aA]pp[iI]mage"
APPIMAGE_FOLDERS = (".", "Applications", "Desktop", "Downloads", "bin", ".local/bin")
GIMP_3 = re.compile(r"3\.\d+")


@dataclass(frozen=True)
class Account:
    """Whose editors: all that finding them depends on."""

    home: Path
    environment: Mapping[str, str]
    platform: str  # sys.platform
    system: Path = Path("/")  # under which programs are installed

    def folder(self, variable: str, default: str) -> Path:
        return absolute(self.environment, variable, self.home / default)

    @property
    def config(self) -> Path:
        return self.folder("XDG_CONFIG_HOME", ".config")

    @property
    def data(self) -> Path:
        return self.folder("XDG_DATA_HOME", ".local/share")

    def program(self, name: str) -> Path | None:
        """Found on PATH; a snap's or flatpak's launcher is not the program itself."""
        found = shutil.which(name, path=self.environment.get("PATH", ""))
        return None if found is None or {"snap", "flatpak"} & set(Path(found).parent.parts) else Path(found)

    def has_flatpak(self, application: str) -> bool:
        stores = (self.system / "var/lib/flatpak", self.data / "flatpak")
        return any((store / "app" / application).exists() for store in stores)

    def has_snap(self, name: str) -> bool:
        return any((self.system / store / name).exists() for store in ("snap", "var/lib/snapd/snap"))


@dataclass(frozen=True)
class Place:
    """``folder`` is Krita's resource folder or a GIMP's profile; ``settings`` Krita's own, where known."""

    editor: str
    name: str
    folder: Path
    settings: Path | None = None
    may_link: bool = True


def this_account() -> Account:
    return Account(Path.home(), os.environ, sys.platform)


def find_krita(account: Account) -> list[Place]:
    """Every Krita of this account that is there or was started once."""
    candidates = {"win32": _krita_on_windows, "darwin": _krita_on_a_mac}.get(
        account.platform, _krita_on_linux
    )
    return [place for place, there in candidates(account) if there]


def find_gimp(account: Account) -> list[Place]:
    """Every profile of a GIMP 3. GIMP makes it at its first start, and carries older settings over only then:
    a profile made by somebody else would keep it from that."""
    chosen = account.environment.get("GIMP3_DIRECTORY", "")
    if chosen:
        return [Place(GIMP, "GIMP (GIMP3_DIRECTORY)", account.home / chosen)]
    return [
        Place(GIMP, f"GIMP {profile.name}{how}", profile, may_link=may_link)
        for how, profiles, may_link in _gimp_profiles(account)
        for profile in _folders(profiles)
        if GIMP_3.fullmatch(profile.name)
    ]


def never_started(account: Account) -> list[str]:
    """What is installed but has no folder yet: one sentence each."""
    snap = account.home / "snap"
    lacking = {
        "the snap of Krita": account.has_snap("krita") and not (snap / "krita/current").exists(),
        "the snap of GIMP": account.has_snap("gimp") and not (snap / "gimp/current").exists(),
        "GIMP 3": _has_gimp(account) and not find_gimp(account),
    }
    return [f"Start {what} once, then run the same command again." for what, true in lacking.items() if true]


def _krita_on_linux(account: Account) -> Iterator[tuple[Place, bool]]:
    resources, settings = account.data / "krita", account.config / "kritarc"
    images = (image for name in APPIMAGE_FOLDERS for image in (account.home / name).glob(APPIMAGE))
    there = resources.exists() or settings.exists() or account.program("krita") is not None or any(images)
    yield Place(KRITA, KRITA, resources, settings), there
    sandbox = account.home / ".var/app" / KRITA_FLATPAK
    flatpak = Place(KRITA, "Krita (flatpak)", sandbox / "data/krita", sandbox / "config/kritarc")
    yield flatpak, sandbox.exists() or account.has_flatpak(KRITA_FLATPAK)
    snap = account.home / "snap/krita/current"
    resources, settings = snap / ".local/share/krita", snap / ".config/kritarc"
    yield Place(KRITA, "Krita (snap)", resources, settings, may_link=False), snap.exists()


def _krita_on_windows(account: Account) -> Iterator[tuple[Place, bool]]:
    local = account.folder("LOCALAPPDATA", "AppData/Local")
    resources, settings = account.folder("APPDATA", "AppData/Roaming") / "krita", local / "kritarc"
    programs = account.folder("PROGRAMFILES", "Program Files")
    there = resources.exists() or settings.exists() or (programs / "Krita (x64)").exists()
    yield Place(KRITA, KRITA, resources, settings), there
    for package in _folders(local / "Packages"):
        if package.name.startswith("49800Krita_"):
            cache = package / "LocalCache"
            store = Place(KRITA, "Krita (Store)", cache / "Roaming/krita", cache / "Local/kritarc")
            yield store, True


def _krita_on_a_mac(account: Account) -> Iterator[tuple[Place, bool]]:
    resources = account.home / "Library/Application Support/krita"
    settings = account.home / "Library/Preferences/kritarc"
    application = (account.system / "Applications/krita.app").exists()
    yield Place(KRITA, KRITA, resources, settings), resources.exists() or settings.exists() or application


def _gimp_profiles(account: Account) -> Iterator[tuple[str, Path, bool]]:
    """(how it was installed, folder of its profiles, whether links work)"""
    if account.platform == "win32":
        yield "", account.folder("APPDATA", "AppData/Roaming") / "GIMP", True
        for package in _folders(account.folder("LOCALAPPDATA", "AppData/Local") / "Packages"):
            if "GIMP" in package.name:
                yield " (Store)", package / "LocalCache/Roaming/GIMP", True
    elif account.platform == "darwin":
        yield "", account.home / "Library/Application Support/GIMP", True
    else:
        yield "", account.config / "GIMP", True
        yield " (flatpak)", account.home / ".var/app" / GIMP_FLATPAK / "config/GIMP", True
        yield " (snap)", account.home / "snap/gimp/current/.config/GIMP", False


def _has_gimp(account: Account) -> bool:
    if account.platform == "win32":
        return (account.folder("PROGRAMFILES", "Program Files") / "GIMP 3").exists()
    if account.platform == "darwin":
        return (account.system / "Applications/GIMP.app").exists()
    return account.program("gimp-3") is not None or account.has_flatpak(GIMP_FLATPAK)


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
