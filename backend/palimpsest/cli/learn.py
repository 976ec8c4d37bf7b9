"""``palimpsest learn``: teach it a word from a few pictures."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from palimpsest.cli import arguments
from palimpsest.contract import ConceptKind, LearnRequest
from palimpsest.errors import ModelError
from palimpsest.settings import read_settings

if TYPE_CHECKING:
    from palimpsest.cli.pictures import Pictures

EXAMPLE = """example:
  palimpsest learn my-toy toy1.jpg toy2.jpg toy3.jpg toy4.jpg --noun toy
  then write <my-toy> in a description
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "learn",
        help="teach it a word from 3 to 5 pictures",
        description="Learn a new word from 3 to 5 pictures of one subject or one style.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="how it will be written, without brackets: my-toy")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument("--noun", required=True, help="what it is, as a common noun: toy, cat, painting")
    parser.add_argument("--kind", choices=get_args(ConceptKind), default="subject", help="default: subject")
    parser.add_argument(
        "--mask",
        type=Path,
        action="append",
        default=[],
        metavar="MASK",
        help="where the subject is, one per picture in the same order (repeat the option)",
    )
    parser.add_argument(
        "--caption",
        action="append",
        default=[],
        metavar="TEXT",
        help="what a picture shows, with {} for the word: 'a photo of {} on grass'; one per picture in the "
        "same order, '' for none (repeat the option)",
    )
    parser.add_argument(
        "--vectors", type=int, default=2, metavar="N", help="tokens the word stands for (default: 2)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="most steps (default: what suits the model)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise that is drawn (default: 0)")
    parser.add_argument(
        "--start", metavar="CONCEPT", help="learn more: begin with this concept instead of the noun"
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="keep what an interrupted run of the same pictures and options has learned, without a step more",
    )
    parser.add_argument("--replace", action="store_true", help="replace a concept of the same name")
    parser.add_argument(
        "--accept-outliers", action="store_true", help="learn even if a picture doesn't seem to fit"
    )
    arguments.add_model(parser)
    arguments.add_local(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import early, notices, running
    from palimpsest.cli.backend import opened, require_model
    from palimpsest.cli.concepts import require_unused
    from palimpsest.cli.pictures import Pictures
    from palimpsest.core.templates import fill
    from palimpsest.core.tokens import require_known

    settings = read_settings()
    pictures = Pictures(settings)
    request = request_of(pictures, options)
    early.require_possible(request, settings)
    if request.replace:
        require_unused(request.name)
    with contextlib.suppress(ModelError):  # the backend says what is wrong with the model
        require_known(request.noun, require_model(request.model, settings).words)
    captions = (caption for caption in request.captions if caption is not None)
    told = notices.tell(settings, request.model, *(fill(one, f"<{request.name}>") for one in captions))
    with opened(options) as backend:
        pictures.put(backend)
        finished = running.run(backend, request, options, told)
    result = finished.result
    print(json.dumps({"files": {}, "result": result}) if options.json else result["placeholder"])
    return 0


def request_of(pictures: Pictures, options: argparse.Namespace) -> LearnRequest:
    return LearnRequest(
        name=options.name.strip("<>"),
        images=pictures.names(options.images),
        noun=options.noun,
        kind=options.kind,
        masks=pictures.names(options.mask),
        captions=tuple(caption if caption else None for caption in options.caption),
        vectors=options.vectors,
        steps=options.steps,
        seed=options.seed,
        model=options.model,
        start=None if options.start is None else options.start.strip("<>"),
        finish=options.finish,
        replace=options.replace,
        accept_outliers=options.accept_outliers,
    )
