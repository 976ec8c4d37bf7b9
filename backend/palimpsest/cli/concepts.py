"""``palimpsest concepts``: the library of learned words."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from palimpsest.cli.client_errors import as_palimpsest_errors
from palimpsest.cli.output import json_text, printable
from palimpsest.cli.remote import add_server, named_server
from palimpsest.errors import ConceptInUseError, Text
from palimpsest.limits import require_name
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.storage.concept_card import ConceptCard
    from palimpsest.storage.concepts import ConceptLibrary, Part
    from palimpsest_client.http.client import Client

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
    given.add_argument(
        "--part",
        choices=("whole", "embedding", "lora"),
        default="whole",
        help="of a concept learned with detail, for other tools: its embedding, or its adapters as a LoRA "
        "(default: whole, to be imported again)",
    )


def _action(actions: Any, name: str, run: Any, what: str, *places: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=what)
    for place in places:
        parser.add_argument(place, metavar=place.upper(), type=Path if place == "file" else str)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_server(parser)
    parser.set_defaults(run=run)
    return parser


class ConceptSource(Protocol):
    """Where concepts are, as they are printed: ``as_json``. Every method raises PalimpsestErrors."""

    def all(self) -> tuple[list[dict[str, Any]], list[str]]:
        """And what is to be said of those that can't be read."""
        ...

    def show(self, name: str) -> dict[str, Any]: ...

    def rename(self, name: str, new_name: str) -> dict[str, Any]: ...

    def remove(self, name: str) -> None: ...

    def take_in(self, file: Path, name: str | None, family: str | None, replace: bool) -> dict[str, Any]: ...

    def export(self, name: str, file: Path, replace: bool, part: Part) -> Path: ...


@dataclass(frozen=True)
class OfThisMachine:
    library: ConceptLibrary

    def all(self) -> tuple[list[dict[str, Any]], list[str]]:
        return list(map(as_json, self.library.list())), list(map(str, self.library.damaged()))

    def show(self, name: str) -> dict[str, Any]:
        return as_json(self.library.card(name))

    def rename(self, name: str, new_name: str) -> dict[str, Any]:
        require_unused(name)
        return as_json(self.library.rename(name, new_name))

    def remove(self, name: str) -> None:
        require_unused(name)
        self.library.remove(name)

    def take_in(self, file: Path, name: str | None, family: str | None, replace: bool) -> dict[str, Any]:
        from palimpsest.storage.concepts import name_for

        if replace:
            require_unused(name_for(file, name))
        return as_json(self.library.import_file(file, name, family, replace))

    def export(self, name: str, file: Path, replace: bool, part: Part) -> Path:
        return self.library.export_file(name, file, replace, part)


@dataclass(frozen=True)
class OfServer:
    """It looks itself whether a concept is in use, and whose it is."""

    client: Client

    def all(self) -> tuple[list[dict[str, Any]], list[str]]:
        with as_palimpsest_errors():
            answer = self.client.transport.ask_json("GET", "/v1/concepts")
        return list(map(named, answer["concepts"])), [one["message"] for one in answer["left_out"]]

    def show(self, name: str) -> dict[str, Any]:
        with as_palimpsest_errors():
            return named(self.client.concept(require_name(name)))

    def rename(self, name: str, new_name: str) -> dict[str, Any]:
        with as_palimpsest_errors():
            return named(self.client.rename_concept(require_name(name), require_name(new_name)))

    def remove(self, name: str) -> None:
        with as_palimpsest_errors():
            self.client.remove_concept(require_name(name))

    def take_in(self, file: Path, name: str | None, family: str | None, replace: bool) -> dict[str, Any]:
        from palimpsest.storage.concepts import name_for
        from palimpsest.storage.embedding_file import read_header

        read_header(file)  # raises what the file can't be
        chosen, content = name_for(file, name), file.read_bytes()
        with as_palimpsest_errors():
            return named(self.client.import_concept(chosen, content, family, replace))

    def export(self, name: str, file: Path, replace: bool, part: Part) -> Path:
        from palimpsest.storage.concepts import write_exported

        with as_palimpsest_errors():
            content = self.client.export_concept(require_name(name), part)
        return write_exported(file, content, replace)


def concept_source(options: argparse.Namespace) -> ConceptSource:
    """That of the server that is named, else this machine's."""
    from palimpsest.models.families import published_widths
    from palimpsest.storage.concepts import ConceptLibrary

    settings = read_settings()
    server = named_server(options, settings)
    if server is not None:
        return OfServer(server)
    return OfThisMachine(ConceptLibrary(settings.folders.concepts, published_widths()))


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
    cards, damaged = concept_source(options).all()
    for error in damaged:
        print(f"Damaged: {error}", file=sys.stderr)
    if options.json:
        print(json_text({"concepts": cards}))
        return 0
    for card in cards:
        parts = card["placeholder"], card["kind"], card["noun"], card["family"], f"{card['vectors']} vectors"
        print("\t".join(map(printable, parts)))
    return 0


def run_show(options: argparse.Namespace) -> int:
    return _say(concept_source(options).show(options.name.strip("<>")), options, all_of_it=True)


def run_rename(options: argparse.Namespace) -> int:
    return _say(
        concept_source(options).rename(options.name.strip("<>"), options.new_name.strip("<>")), options
    )


def run_remove(options: argparse.Namespace) -> int:
    name = options.name.strip("<>")
    concept_source(options).remove(name)
    print(json.dumps({"removed": name}) if options.json else f"<{name}>")
    return 0


def run_import(options: argparse.Namespace) -> int:
    taken = concept_source(options).take_in(options.file, options.name, options.family, options.replace)
    return _say(taken, options)


def run_export(options: argparse.Namespace) -> int:
    name = options.name.strip("<>")
    path = concept_source(options).export(name, options.file, options.overwrite, options.part)
    print(json.dumps({"file": str(path)}) if options.json else path)
    return 0


def as_json(card: ConceptCard) -> dict[str, Any]:
    return {**asdict(card), "placeholder": card.placeholder}


def named(card: dict[str, Any]) -> dict[str, Any]:
    """A server's answer."""
    return {**card, "placeholder": f"<{card['name']}>"}


def _say(card: dict[str, Any], options: argparse.Namespace, all_of_it: bool = False) -> int:
    if options.json:
        print(json_text(card))
    elif all_of_it:
        for key, value in card.items():
            print(f"{key}: {json_text(value) if isinstance(value, dict) else value}")
    else:
        print(card["placeholder"])
    return 0
