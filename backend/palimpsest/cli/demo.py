"""``palimpsest demo``: the whole job on pictures that come with it, in a few minutes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.jobs.events import Event, Finished


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="see it work, in a few minutes",
        description="Learn a word from four pictures, remember a photo, replace, restyle, remove and insert; "
        "write layers, composites, attention maps, a contact sheet and report.json.",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), metavar="FOLDER", help="default: demo-output"
    )
    arguments.add_model(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import running
    from palimpsest.cli.backend import open_task_runner, require_model

    running.require_folder(options.output)
    require_model(options.model, read_settings())
    shown = running.Display(sys.stderr, options.quiet)

    def watch(title: str, events: Iterator[Event]) -> Finished:
        shown.title = title
        return running.finish(events, shown)

    with (
        tempfile.TemporaryDirectory(prefix="palimpsest-") as scratch,
        open_task_runner(options, scratch=Path(scratch)) as runner,
    ):
        from palimpsest.demo.run import Demo

        demo = Demo(runner, options.output, options.model, watch)
        files = demo.run()
    return running.report({name: str(path) for name, path in files.items()}, demo.report, options)
