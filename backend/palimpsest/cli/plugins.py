"""``palimpsest plugins``: put the plug-ins into Krita and GIMP, or take them out again.

For an installation from a wheel, which has no install.py. In a checkout both do the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from palimpsest.cli.output import hushed, json_text
from palimpsest.errors import ResourceError
from palimpsest.interpreter import this_python

DESCRIPTION = (
    "Put the plug-ins into every Krita and GIMP 3 of this account, and let them start this backend. "
    "Afterwards start the editor anew."
)


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "plugins", help="put the plug-ins into Krita and GIMP", description=DESCRIPTION
    )
    parser.add_argument(
        "editor", nargs="?", choices=("krita", "gimp", "all"), default="all", help="which (default: all)"
    )
    parser.add_argument("--remove", action="store_true", help="take them out again; what you made stays")
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

    work = plugins.take_away if options.remove else plugins.put
    try:
        with hushed(options.quiet):
            changed = work(plugin_root(), this_account(), options)
    except InstallationError as error:
        raise ResourceError(str(error)) from error
    if not options.remove:
        record = write_launch_record(this_python())
    else:
        record = remove_launch_record() if options.editor == "all" else None
    folders = [str(place) for place in changed]
    print(
        json_text({"plugins": folders, "launch": str(record or "")}) if options.json else "\n".join(folders)
    )
    return 0
