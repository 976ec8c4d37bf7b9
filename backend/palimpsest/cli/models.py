"""``palimpsest models``: which models are here, which can be pulled, and where else to look."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli.output import json_text, printable
from palimpsest.cli.remote import add_server, named_server
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest_client.http.client import Client

GIB = 1 << 30
UNDISTILLED = '{"distilled": "none"}'
OWN_FILE = "palimpsest.json"


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "models",
        help="which models are here, which can be pulled, and where else to look",
        description="The models on this machine, those that can be pulled, and folders of other tools.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listed = _action(actions, "list", run_list, "every model that is here or can be pulled")
    add_server(listed)
    _action(actions, "add", run_add, "look for models in a folder of another tool, too", folder=True)
    _action(actions, "remove", run_remove, "look there no longer; nothing is deleted", folder=True)


def _action(actions: Any, name: str, run: Any, what: str, folder: bool = False) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=what)
    if folder:
        parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)
    return parser


def run_list(options: argparse.Namespace) -> int:
    from palimpsest.models.catalog import captioners, installed
    from palimpsest.models.listing import list_models

    settings = read_settings()
    server = named_server(options, settings)
    if server is not None:
        return _list_of(server, options)
    where = settings.folders.models, settings.model_folders
    places, models = installed(*where), list_models(*where)
    if options.json:
        found = [{**model, "path": str(places.get(model["name"], "")) or None} for model in models]
        print(json_text({"models": found}))
        return 0
    for model in models:
        place = places.get(model["name"])
        parts = model["name"], described(model, place), "" if place is None else str(place)
        print("\t".join(map(printable, parts)).rstrip())
    for name, place in captioners(settings.folders.models).items():
        print(f"{name}\tdescribes pictures\t{place}")
    return 0


def _list_of(server: Client, options: argparse.Namespace) -> int:
    """Where its models lie is its own affair."""
    from palimpsest.cli.client_errors import as_palimpsest_errors

    with as_palimpsest_errors():
        models = server.models()
    if options.json:
        print(json_text({"models": [{**model, "path": None} for model in models]}))
        return 0
    for model in models:
        more = "" if model["installed"] else f" --server {server.transport.address}"
        print("\t".join(map(printable, (model["name"], described(model) + more))))
    return 0


def described(model: dict[str, Any], place: Path | None = None) -> str:
    """One line; the place stands beside it, so that the reason need not repeat it."""
    details = model["details"]
    if not model["installed"]:
        return f"{details['title']}, {details['size'] / GIB:.1f} GiB: palimpsest pull {model['name']}"
    if "error" in details:
        error = details["error"]
        return f"can't be used: {error['message']} {error['hint']}".replace(f"{place} ", "it ").rstrip()
    few = details.get("distilled")  # an older server doesn't say
    steps = f", {_few_steps(few, details, place)}" if few else ""
    return f"{details['family']}, {details['native_size']} pixels{steps}{_needed(details.get('needs'))}"


def _needed(needs: dict[str, dict[str, int]] | None) -> str:
    """Of a card for an edit, with all of the model on it and with as little as can be."""
    if not needs:
        return ""
    most, least = needs["high"]["edit"], needs["low"]["edit"]
    return f", an edit takes {most / GIB:.1f} GiB of a card, slowly {least / GIB:.1f}"


def _few_steps(kind: str, details: dict[str, Any], place: Path | None) -> str:
    """What is recommended for a model of few steps, why, and where to take it back."""
    told = f"{kind}, {details['steps']} steps at guidance {details['guidance']:g}"
    beside = place and (place.with_suffix("") if place.suffix == ".safetensors" else place)
    file = beside / OWN_FILE if beside else f"its {OWN_FILE}"
    guess = f" (by its name; if it isn't, write {UNDISTILLED} into {file})"
    return told + guess if details["known_by"] == "name" else told


def run_add(options: argparse.Namespace) -> int:
    from palimpsest.models import linked_folders

    folder = linked_folders.add(read_settings().folders.models, options.folder)
    names = [name for name, _ in linked_folders.models_in(folder)]
    print(json.dumps({"folder": str(folder), "models": names}) if options.json else "\n".join(names))
    return 0


def run_remove(options: argparse.Namespace) -> int:
    from palimpsest.models import linked_folders

    folder = linked_folders.remove(read_settings().folders.models, options.folder)
    print(json.dumps({"folder": str(folder)}) if options.json else folder)
    return 0
