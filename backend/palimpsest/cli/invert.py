"""``palimpsest invert``: remember a photo ahead of time, and see how well it can be reproduced."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments, known_words, selecting
from palimpsest.contract import InvertRequest

if TYPE_CHECKING:
    from palimpsest.cli.pictures import Pictures


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "invert",
        aliases=["remember"],
        help="remember a photo, so that edits start at once",
        description="Remember a photo, so that edits of it start at once, and say how well it is reproduced.",
    )
    selecting.add_images(parser)
    parser.add_argument("--shows", required=True, metavar="TEXT", help="what the picture shows")
    selecting.add_selection(parser, "everything will")
    arguments.add_controls(parser, "context")
    arguments.add_inversion(parser)
    known_words.add_option(parser)
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import photos

    return photos.run(photos.Work("invert", ("reconstruction",), request_of), options)


def request_of(pictures: Pictures, options: argparse.Namespace, photo: Path) -> InvertRequest:
    return InvertRequest(
        image=pictures.name(photo),
        source_prompt=options.shows,
        selection=pictures.name_if(selecting.file_for(options.selection, photo)),
        model=options.model,
        inversion=arguments.inversion_settings(options),
        context=options.context,
    )
