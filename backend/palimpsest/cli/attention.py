"""``palimpsest attention``: where in the picture is a word? A map and a selection."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from palimpsest.cli import arguments
from palimpsest.contract import AttentionRequest, InversionSettings
from palimpsest.settings import read_settings


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "attention",
        aliases=["word-to-selection"],
        help="where in the picture is a word? a map and a selection",
        description="Write a word's attention map, and a selection made from it, at the image's size.",
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the photo")
    parser.add_argument("--shows", required=True, metavar="TEXT", help="what the picture shows")
    parser.add_argument("--word", required=True, help="a word of it")
    arguments.add_controls(parser, "working_size")
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import notices, running
    from palimpsest.cli.backend import opened
    from palimpsest.cli.pictures import Pictures

    target = running.Target(options.output, f"{options.image.stem}-{_safe(options.word)}", options.overwrite)
    target.check("map", "selection")
    settings = read_settings()
    pictures = Pictures(settings)
    request = AttentionRequest(
        image=pictures.name(options.image),
        source_prompt=options.shows,
        word=options.word,
        model=options.model,
        inversion=InversionSettings(working_size=options.working_size),
    )
    told = notices.tell(settings, request.model, request.source_prompt)
    with opened(options) as backend:
        pictures.put(backend)
        finished = running.run(backend, request, options, told)
        return running.report(target.write(backend, finished), finished.result, options)


def _safe(word: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "" for c in word)
