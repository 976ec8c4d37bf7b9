"""``palimpsest invert``: remember a photo ahead of time, and see how well it can be reproduced."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from palimpsest.cli import arguments
from palimpsest.contract import InvertRequest
from palimpsest.settings import read_settings


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "invert",
        aliases=["remember"],
        help="remember a photo, so that edits start at once",
        description="Remember a photo, so that edits of it start at once, and say how well it is reproduced.",
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the photo")
    parser.add_argument("--shows", required=True, metavar="TEXT", help="what the picture shows")
    parser.add_argument("--selection", type=Path, metavar="MASK", help="what will be edited")
    arguments.add_controls(parser, "context")
    arguments.add_inversion(parser)
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import notices, running
    from palimpsest.cli.backend import opened
    from palimpsest.cli.pictures import Pictures

    target = running.Target(options.output, f"{options.image.stem}-invert", options.overwrite)
    target.check("reconstruction")
    settings = read_settings()
    pictures = Pictures(settings)
    request = InvertRequest(
        image=pictures.name(options.image),
        source_prompt=options.shows,
        selection=pictures.name_if(options.selection),
        model=options.model,
        inversion=arguments.inversion_settings(options),
        context=options.context,
    )
    told = notices.tell(settings, request.model, request.source_prompt)
    with opened(options) as backend:
        pictures.put(backend)
        finished = running.run(backend, request, options, told)
        return running.report(target.write(backend, finished), finished.result, options)
