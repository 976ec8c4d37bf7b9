"""``palimpsest loras``: the LoRAs of this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from palimpsest.cli.output import json_text, printable
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.models.loras.library import LoraCard


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "loras",
        help="the LoRAs that edits can be made with",
        description="List the LoRAs of this machine, as their files describe them: those in the folder loras "
        "beside the models, and those in the folders of other tools (palimpsest models add).",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.models.loras.library import LoraLibrary

    settings = read_settings()
    library = LoraLibrary(settings.folders.models, settings.model_folders)
    cards = library.list()
    if options.json:
        print(json_text({"folder": str(library.folder), "loras": [card.to_json() for card in cards]}))
        return 0
    if not cards:
        print(f"There are no LoRAs. Put .safetensors files into {library.folder}.")
    for card in cards:
        print(printable(line(card)))
    return 0


def line(card: LoraCard) -> str:
    if card.error is not None:
        return f"{card.name}: can't be used: {card.error}"
    width = f"reads text of width {card.context}" if card.context else "base unknown"
    parts = [card.base or width, f"{card.bytes / 1e6:.1f} MB"]
    parts += [] if card.rank is None else [f"rank {card.rank}"]
    parts += [f"words: {', '.join(card.words)}"] if card.words else []
    return f"{card.name}: {'; '.join(parts)}"
