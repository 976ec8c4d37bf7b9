"""``palimpsest attention``: where in the picture is a word? A map and a selection."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments, known_words, selecting
from palimpsest.contract import AttentionRequest, InversionSettings

if TYPE_CHECKING:
    from palimpsest.cli.pictures import Pictures


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "attention",
        aliases=["word-to-selection"],
        help="where in the picture is a word? a map and a selection",
        description="Write a word's attention map, and a selection made from it, at the image's size.",
    )
    selecting.add_images(parser)
    parser.add_argument("--shows", required=True, metavar="TEXT", help="what the picture shows")
    parser.add_argument("--word", required=True, help="a word of it")
    arguments.add_controls(parser, "working_size")
    known_words.add_option(parser)
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import photos

    return photos.run(photos.Work(_safe(options.word), ("map", "selection"), request_of), options)


def request_of(pictures: Pictures, options: argparse.Namespace, photo: Path) -> AttentionRequest:
    return AttentionRequest(
        image=pictures.name(photo),
        source_prompt=options.shows,
        word=options.word,
        model=options.model,
        inversion=InversionSettings(working_size=options.working_size),
    )


def _safe(word: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "" for c in word)
