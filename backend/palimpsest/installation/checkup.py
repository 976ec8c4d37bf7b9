"""What is wrong with the plugins, seen from the editors' side. Used by ``palimpsest doctor``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import palimpsest_client
from palimpsest import __version__
from palimpsest.installation import kritarc
from palimpsest.installation.bundle import CLIENT
from palimpsest.installation.editors import (
    GIMP,
    GIMP_FLATPAK,
    KRITA,
    Account,
    Place,
    find_gimp,
    find_krita,
    this_account,
)
from palimpsest.installation.origin import plugins_command
from palimpsest.installation.placing import changed_files, read_marker
from palimpsest.interpreter import CLEAN_PATH, SAFE_FOLDER
from palimpsest_client.folders import config_folder
from palimpsest_client.http.connection import LAUNCH, launch_command

PACKAGES = {KRITA: "pykrita/palimpsest", GIMP: "plug-ins/palimpsest"}
PATIENCE = 180  # seconds; the first start of a GIMP asks all its plug-ins
ASK_FOR_QT = "try: import PyQt5.QtWidgets\nexcept ImportError: import PyQt6.QtWidgets"
SAID = "PALIMPSEST-PROCEDURES"
QUESTION = (
    "from gi.repository import Gimp; names = Gimp.get_pdb().query_procedures('.*palimpsest.*', *[''] * 7); "
    f"print('{SAID}', *names)"
)


@dataclass(frozen=True)
class Finding:
    """``trouble`` is empty when all is well; otherwise it says what to do."""

    what: str
    found: str
    trouble: str = ""


def show_findings(findings: list[Finding]) -> None:
    for finding in findings:
        print(f"{'!' if finding.trouble else '✓'} {finding.what}: {finding.found}")
        if finding.trouble:
            print(f"    {finding.trouble}")


def editor_findings(account: Account | None = None) -> Iterator[Finding]:
    """One for every Krita and every GIMP 3, or that there is none."""
    account = this_account() if account is None else account
    places = [*find_krita(account), *find_gimp(account)]
    if not places:
        yield Finding("Editors", "no Krita and no GIMP 3 were found")
    for place in places:
        yield examine_place(place, account)


def launch_finding(folder: Path | None = None) -> Finding:
    """Whether "Start it" in an editor will find the backend: a checkout may have moved."""
    folder = config_folder() if folder is None else folder
    command = launch_command(folder, {})
    record = folder / LAUNCH
    if not command and record.exists():
        return Finding("Start from an editor", f"{record} can't be read", f"Run: {plugins_command()}")
    if not command:
        return Finding("Start from an editor", f"not set up ({plugins_command()} does it)")
    gone = "" if Path(command[0]).exists() else f"{command[0]} is gone. Run: {plugins_command()}"
    return Finding("Start from an editor", " ".join(command), gone)


def examine_place(place: Place, account: Account) -> Finding:
    package = place.folder / PACKAGES[place.editor]
    command = plugins_command(place.editor.lower())
    if not package.exists():
        return Finding(place.name, f"without our plugin ({command} puts it there)")
    checks = (check_krita, check_python) if place.editor == KRITA else (check_gimp,)
    troubles = check_files(package, place.folder, command)
    troubles += [trouble for check in checks for trouble in check(place, account)]
    version = (read_marker(package) or {}).get("version", __version__)
    return Finding(place.name, f"plugin {version} in {package}", " ".join(troubles))


def check_files(package: Path, folder: Path, command: str) -> list[str]:
    """Whole, as they were made, and with the client of this very backend."""
    if not package.is_symlink() and read_marker(package) is None:
        return [f"It was not made by Palimpsest. Move it away and run: {command}"]
    changed = changed_files(package, folder)
    if changed:
        return [f"Missing or changed since it was installed: {', '.join(changed)}. Run: {command}"]
    if _sources(package / CLIENT) != _sources(Path(palimpsest_client.__file__).parent):
        return [f"It was installed from another version than the backend's {__version__}. Run: {command}"]
    return []


def check_krita(place: Place, account: Account) -> Iterator[str]:
    if not (place.folder / "pykrita" / "palimpsest.desktop").exists():
        yield f"palimpsest.desktop is missing, so Krita doesn't list it. Run: {plugins_command('krita')}"
    if place.settings is not None and not kritarc.enabled(kritarc.read(place.settings)):
        yield "It isn't enabled: Settings ▸ Configure Krita… ▸ Python Plugin Manager ▸ Palimpsest."


def check_python(place: Place, account: Account) -> Iterator[str]:
    """A Krita of the distribution runs plugins with the first python3 on PATH; all others bring their own."""
    if place.name != KRITA or account.platform != "linux" or account.program("krita") is None:
        return
    question = ["python3", "-c", f"{CLEAN_PATH}\n{ASK_FOR_QT}"]  # whatever it is, it may not know -P
    done = subprocess.run(
        question, cwd=SAFE_FOLDER, env=surroundings(account), capture_output=True, check=False
    )
    if done.returncode != 0:
        yield (
            "The first python3 on PATH has no PyQt, so Krita can't run plugins. Install it (Debian, Ubuntu: "
            "sudo apt install python3-pyqt5), or start Krita where no other Python comes first."
        )


def check_gimp(place: Place, account: Account) -> Iterator[str]:
    """Starts GIMP's console, where it has one, and asks for our procedures."""
    script = place.folder / "plug-ins" / "palimpsest" / "palimpsest.py"
    if account.platform != "win32" and not os.access(script, os.X_OK):
        yield f"{script} isn't executable, so GIMP leaves it out. Run: {plugins_command('gimp')}"
        return
    console = console_of(place, account)
    if console and not registered(console, {**surroundings(account), "GIMP3_DIRECTORY": str(place.folder)}):
        yield (
            "GIMP started, but our plug-in didn't register. Start GIMP from a terminal to see why; "
            "the python3 that it finds first needs the package gi (Debian, Ubuntu: python3-gi)."
        )


def console_of(place: Place, account: Account) -> list[str]:
    """The command that starts the console of this GIMP; empty where there is none."""
    if place.name.endswith("(flatpak)"):
        has = account.has_flatpak(GIMP_FLATPAK) and account.program("flatpak") is not None
        profile = f"--env=GIMP3_DIRECTORY={place.folder}"
        return ["flatpak", "run", profile, "--command=gimp-console", GIMP_FLATPAK] if has else []
    if place.name.endswith("(snap)"):
        return []
    if account.platform == "linux":
        programs = [account.program(f"gimp-console-{version}") for version in (place.folder.name, "3")]
    elif account.platform == "darwin":
        programs = [account.system / "Applications/GIMP.app/Contents/MacOS/gimp-console"]
    else:
        programs = sorted((account.folder("PROGRAMFILES", "") / "GIMP 3/bin").glob("gimp-console-3*.exe"))
    return [str(program) for program in programs if program is not None and program.exists()][:1]


def registered(console: list[str], environment: Mapping[str, str]) -> list[str]:
    """The names of our procedures in a GIMP; empty also when it doesn't start."""
    options = ["-i", "-n", "-d", "-f", "--quit", "--batch-interpreter=python-fu-eval", "-b", QUESTION]
    try:
        result = subprocess.run(
            [*console, *options],
            cwd=SAFE_FOLDER,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    said = [line.split()[1:] for line in result.stdout.splitlines() if line.startswith(SAID)]
    return said[0] if said else []


def surroundings(account: Account) -> dict[str, str]:
    """The environment of an editor that isn't started from our own virtual environment."""
    parts = account.environment.get("PATH", "").split(os.pathsep)
    outside = [part for part in parts if not Path(part).is_relative_to(sys.prefix)]
    return {**account.environment, "PATH": os.pathsep.join(outside)}


def _sources(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.py")}
