"""``palimpsest plugins [install|uninstall]``: put the plug-ins into Krita and GIMP, or take them out again.

For an installation from a wheel, which has no install.py. In a checkout both do the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from palimpsest.cli.output import hushed, json_text
from palimpsest.errors import RequestError, ResourceError
from palimpsest.interpreter import this_python

DESCRIPTION = (
    "Put the plug-ins into every Krita and GIMP 3 of this account, and let them start this backend. "
    "Afterwards start the editor anew."
)


EDITORS = ("krita", "gimp", "all")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "plugins", help="put the plug-ins into Krita and GIMP", description=DESCRIPTION
    )
    parser.add_argument(
        "deed",
        nargs="?",
        choices=("install", "uninstall", *EDITORS),
        default="install",
        help="install them (the default, also where only an editor is named) or take them out again",
    )
    parser.add_argument("editor", nargs="?", choices=EDITORS, help="whose (default: all)")
    parser.add_argument("--remove", action="store_true", help="the same as uninstall; what you made stays")
    parser.add_argument("--krita-dir", type=Path, metavar="FOLDER", help="Krita's resource folder")
    parser.add_argument("--gimp-dir", type=Path, metavar="FOLDER", help="GIMP's profile folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, link=False)


def run(options: argparse.Namespace) -> int:
    """Every step is a line on standard error; the folders are the result."""
    from palimpsest.installation import plugins
    from palimpsest.installation.editors import this_account
    from palimpsest.installation.environment import InstallationError
    from palimpsest.installation.launch import remove_launch_record, write_launch_record
    from palimpsest.installation.origin import plugin_root

    options.editor = _editor(options.deed, options.editor)
    removing = options.remove or options.deed == "uninstall"
    work = plugins.take_away if removing else plugins.put
    try:
        with hushed(options.quiet):
            changed = work(plugin_root(), this_account(), options)
    except InstallationError as error:
        raise ResourceError(str(error)) from error
    if not removing:
        record = write_launch_record(this_python())
    else:
        record = remove_launch_record() if options.editor == "all" else None
    folders = [str(place) for place in changed]
    print(
        json_text({"plugins": folders, "launch": str(record or "")}) if options.json else "\n".join(folders)
    )
    return 0


def _editor(deed: str, editor: str | None) -> str:
    """Whose plug-in is meant. Raises RequestError for two editors."""
    if deed not in EDITORS:
        return editor or "all"
    if editor is not None:
        raise RequestError(f"{deed} and {editor} are two editors.", "Name one of them, or all.")
    return deed
