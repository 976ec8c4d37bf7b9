"""install.py krita, gimp, plugins, uninstall, and palimpsest plugins: one line for each thing done."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from palimpsest import __version__
from palimpsest.installation import kritarc
from palimpsest.installation.bundle import Bundle, bundle_for, write_zip
from palimpsest.installation.editors import (
    GIMP,
    KRITA,
    Account,
    Place,
    find_gimp,
    find_krita,
    never_started,
)
from palimpsest.installation.environment import InstallationError, say
from palimpsest.installation.placing import is_there, put_copy, put_links, take_out
from palimpsest.installation.running import krita_runs
from palimpsest.installation.wheel import carried

EDITORS = {"krita": (KRITA,), "gimp": (GIMP,), "all": (KRITA, GIMP)}
FIND: dict[str, Callable[[Account], list[Place]]] = {KRITA: find_krita, GIMP: find_gimp}
SWITCH = "Settings ▸ Configure Krita… ▸ Python Plugin Manager"
NEXT = {
    KRITA: "Krita: start it anew. If the panel isn't there: Settings ▸ Dockers ▸ Palimpsest.",
    GIMP: "GIMP: start it anew. Palimpsest is in the menu Filters.",
}
ELSEWHERE = {
    KRITA: "No Krita was found. If it keeps its resources elsewhere (Settings ▸ Manage Resources… ▸ Open "
    "Resource Folder shows where), name that folder: --krita-dir FOLDER",
    GIMP: "No GIMP 3 was found. If its profile is elsewhere (Edit ▸ Preferences ▸ Folders shows where), "
    "name that folder: --gimp-dir FOLDER",
}


def places_for(editor: str, account: Account, options: argparse.Namespace) -> list[Place]:
    """Where the user says, or everywhere it is found."""
    chosen: Path | None = options.krita_dir if editor == KRITA else options.gimp_dir
    if chosen is None:
        return FIND[editor](account)
    inner = "pykrita" if editor == KRITA else "plug-ins"
    folder = chosen.absolute().parent if chosen.name == inner else chosen.absolute()
    return [Place(editor, f"{editor} in {folder}", folder)]


def put(root: Path, account: Account, options: argparse.Namespace) -> list[Path]:
    """Into every place; one that refuses doesn't keep the others from theirs. Raises InstallationError.

    Returns the folders in which the plug-ins are now.
    """
    editors = EDITORS[options.editor]
    found = {editor: places_for(editor, account, options) for editor in editors}
    for hint in never_started(account):
        say(hint)
    missing = [ELSEWHERE[editor] for editor, places in found.items() if not places]
    if len(missing) == len(editors):
        raise InstallationError("\n".join(missing))
    troubles = each(
        (place for places in found.values() for place in places),
        lambda place: _put_into(place, bundle_for(place.editor, root), account, options.link),
    )
    if troubles:
        raise InstallationError("\n".join(troubles))
    for editor in (editor for editor, places in found.items() if places):
        say(NEXT[editor])
    return [_folder(place, root) for places in found.values() for place in places]


def take_away(root: Path, account: Account, options: argparse.Namespace) -> list[Path]:
    """What was made, and nothing else. Raises InstallationError. Returns the folders that held it."""
    places = [place for editor in EDITORS[options.editor] for place in places_for(editor, account, options)]
    there = [place for place in places if is_there(bundle_for(place.editor, root), place.folder)]
    if not there:
        say("There is no plugin of Palimpsest in an editor.")
    troubles = each(there, lambda place: _take_from(place, bundle_for(place.editor, root), account))
    if troubles:
        raise InstallationError("\n".join(troubles))
    return [_folder(place, root) for place in there]


def _folder(place: Place, root: Path) -> Path:
    return place.folder / bundle_for(place.editor, root).package


def package(root: Path, options: argparse.Namespace) -> list[Path]:
    """The zips, in ``dist`` of the checkout. Raises InstallationError."""
    made, backend = [], carried(root)
    for editor in EDITORS[options.editor]:
        archive = root / "dist" / f"palimpsest-{editor.lower()}-{__version__}.zip"
        write_zip(bundle_for(editor, root), archive, backend)
        how = {
            KRITA: "in Krita: Tools ▸ Scripts ▸ Import Python Plugin from File…",
            GIMP: "unpack it into the folder plug-ins of GIMP's profile",
        }
        say(f"{editor}: {archive} ({how[editor]})")
        made.append(archive)
    return made


def each(places: Iterable[Place], work: Callable[[Place], None]) -> list[str]:
    """Does it for every place; returns what went wrong."""
    troubles = []
    for place in places:
        try:
            work(place)
        except InstallationError as error:
            troubles.append(f"{place.name}: {error}")
        except OSError as error:
            where = error.filename or place.folder
            troubles.append(f"{place.name}: {where} can't be written: {error.strerror}.")
    return troubles


def _put_into(place: Place, bundle: Bundle, account: Account, link: bool) -> None:
    if link and not place.may_link:
        raise InstallationError("A snap can't follow links to outside. Leave --link out.")
    (put_links if link else put_copy)(bundle, place.folder)
    say(f"{place.name}: plugin {'linked' if link else 'put'} into {(place.folder / bundle.package).parent}")
    if place.editor == KRITA:
        say(f"{place.name}: {_enable(place.settings, account.platform)}")


def _enable(settings: Path | None, platform: str) -> str:
    if settings is None:
        return f"enable Palimpsest in {SWITCH}"
    content = kritarc.read(settings)
    if kritarc.enabled(content):
        return f"is enabled in {settings}"
    if krita_runs(settings, platform):
        return (
            f"it is running, so its settings are left alone. Enable Palimpsest in {SWITCH}, "
            "or quit it and run the same command again"
        )
    kritarc.write(settings, kritarc.enable(content))
    return f"enabled in {settings}"


def _take_from(place: Place, bundle: Bundle, account: Account) -> None:
    take_out(bundle, place.folder)
    say(f"{place.name}: plugin removed from {(place.folder / bundle.package).parent}")
    left = place.folder / bundle.package
    if left.exists():
        say(f"{place.name}: {left} holds files that are not ours and stays")
    if place.settings is None or not kritarc.enabled(kritarc.read(place.settings)):
        return
    if krita_runs(place.settings, account.platform):
        say(f"{place.name}: it is running, so its settings are left alone; the entry in them does no harm")
    else:
        kritarc.write(place.settings, kritarc.disable(kritarc.read(place.settings)))
        say(f"{place.name}: disabled in {place.settings}")
