"""``palimpsest describe``: propose what a picture shows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from palimpsest.cli import arguments
from palimpsest.contract import DescribeRequest
from palimpsest.settings import read_settings


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "describe",
        help="propose what a picture shows",
        description="Propose a description of a picture, in the words that the built-in model knows.",
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the photo")
    parser.add_argument("--selection", type=Path, metavar="MASK", help="describe only what is around this")
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run, model_needed=False)  # a captioner may do it


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import preflight, running
    from palimpsest.cli.backend import opened
    from palimpsest.cli.inventory import inventory_of
    from palimpsest.cli.pictures import Pictures

    settings = read_settings()
    pictures = Pictures(settings)
    image, selection = pictures.name(options.image), pictures.name_if(options.selection)
    request = DescribeRequest(image, selection, options.model)
    inventory = inventory_of(options, settings)
    preflight.require_possible(request, inventory, pictures)
    with opened(options, inventory) as backend:
        pictures.put(backend)
        finished = running.run(backend, request, options)
    result = finished.result
    print(json.dumps({"files": {}, "result": result}) if options.json else result["caption"])
    return 0
