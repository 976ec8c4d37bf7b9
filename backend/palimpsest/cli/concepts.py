"""``palimpsest concepts``: the library of learned words."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli.output import json_text
from palimpsest.errors import ConceptInUseError, Text
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.storage.concepts import ConceptCard, ConceptLibrary

DESCRIPTION = "The library of learned words."


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("concepts", help="the library of learned words", description=DESCRIPTION)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _action(actions, "list", run_list, "every concept")
    _action(actions, "show", run_show, "all that is known about one", "name")
    _action(actions, "rename", run_rename, "give it another name", "name", "new_name")
    _action(actions, "remove", run_remove, "forget it", "name")
    taken = _action(actions, "import", run_import, "take in an embedding file of other tools", "file")
    taken.add_argument("--name", help="its name here (default: the file's own)")
    taken.add_argument("--family", help="sd1, sd2, sdxl: only where the file doesn't say it")
    taken.add_argument("--replace", action="store_true", help="replace a concept of the same name")
    given = _action(actions, "export", run_export, "write it for other tools", "name", "file")
    given.add_argument("--overwrite", action="store_true", help="replace the file if it is there")


def _action(actions: Any, name: str, run: Any, what: str, *places: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=what)
    for place in places:
        parser.add_argument(place, metavar=place.upper(), type=Path if place == "file" else str)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)
    return parser


def library() -> ConceptLibrary:
    from palimpsest.storage.concepts import ConceptLibrary

    return ConceptLibrary(read_settings().folders.concepts)


def require_unused(name: str) -> None:
    """Raises ConceptInUseError while a job of this user's server waits or runs that names the concept."""
    from palimpsest.storage.database import open_requests

    placeholder = f"<{name}>"
    if any(placeholder in request for request in open_requests(read_settings().folders.database)):
        raise ConceptInUseError(
            Text("concept-used", name=name),
            "Wait until it has ended, or cancel it: palimpsest jobs list",
        )


def run_list(options: argparse.Namespace) -> int:
    shelf = library()
    cards = shelf.list()
    for error in shelf.damaged():
        print(f"Damaged: {error}", file=sys.stderr)
    if options.json:
        print(json_text({"concepts": [as_json(card) for card in cards]}))
        return 0
    for card in cards:
        print(f"{card.placeholder}\t{card.kind}\t{card.noun}\t{card.family}\t{card.vectors} vectors")
    return 0


def run_show(options: argparse.Namespace) -> int:
    return _say(library().card(options.name.strip("<>")), options, all_of_it=True)


def run_rename(options: argparse.Namespace) -> int:
    name = options.name.strip("<>")
    require_unused(name)
    return _say(library().rename(name, options.new_name.strip("<>")), options)


def run_remove(options: argparse.Namespace) -> int:
    name = options.name.strip("<>")
    require_unused(name)
    library().remove(name)
    print(json.dumps({"removed": name}) if options.json else f"<{name}>")
    return 0


def run_import(options: argparse.Namespace) -> int:
    shelf = library()
    if options.replace:
        require_unused(shelf.name_for(options.file, options.name))
    card = shelf.import_file(options.file, options.name, options.family, options.replace)
    return _say(card, options)


def run_export(options: argparse.Namespace) -> int:
    path = library().export_file(options.name.strip("<>"), options.file, options.overwrite)
    print(json.dumps({"file": str(path)}) if options.json else path)
    return 0


def as_json(card: ConceptCard) -> dict[str, Any]:
    return {**asdict(card), "placeholder": card.placeholder}


def _say(card: ConceptCard, options: argparse.Namespace, all_of_it: bool = False) -> int:
    if options.json:
        print(json_text(as_json(card)))
    elif all_of_it:
        for key, value in as_json(card).items():
            print(f"{key}: {json_text(value) if isinstance(value, dict) else value}")
    else:
        print(card.placeholder)
    return 0
