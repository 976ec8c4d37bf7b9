"""``palimpsest loras``: the LoRAs of this machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from palimpsest.cli.client_errors import as_palimpsest_errors
from palimpsest.cli.output import json_text, printable
from palimpsest.cli.remote import add_server, named_server
from palimpsest.settings import read_settings


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "loras",
        help="the LoRAs that edits can be made with",
        description="List the LoRAs of this machine, as their files describe them: those in the folder loras "
        "beside the models, and those in the folders of other tools (palimpsest models add).",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_server(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.models.loras.library import LoraLibrary

    settings = read_settings()
    client = named_server(options, settings)
    if client is None:
        library = LoraLibrary(settings.folders.models, settings.model_folders)
        found = [card.to_json() for card in library.list()]
        told = {"folder": str(library.folder), "loras": found}
        empty = f"There are no LoRAs. Put .safetensors files into {library.folder}."
    else:
        with as_palimpsest_errors():
            told = client.transport.ask_json("GET", "/v1/loras")
        found, empty = told["loras"], "The server has no LoRAs."
    if options.json:
        print(json_text(told))
        return 0
    print("\n".join(printable(line(one)) for one in found) or empty)
    return 0


def line(lora: Mapping[str, Any]) -> str:
    if lora["error"] is not None:
        return f"{lora['name']}: can't be used: {lora['error']}"
    width = f"reads text of width {lora['context']}" if lora["context"] else "base unknown"
    parts = [lora["base"] or width, f"{lora['bytes'] / 1e6:.1f} MB"]
    parts += [] if lora["rank"] is None else [f"rank {lora['rank']}"]
    parts += [f"words: {', '.join(lora['words'])}"] if lora["words"] else []
    return f"{lora['name']}: {'; '.join(parts)}"
