"""``palimpsest draw``: a picture from words alone."""

from __future__ import annotations

import argparse
from typing import Any

from palimpsest.cli import arguments, known_words
from palimpsest.contract import DrawRequest
from palimpsest.settings import read_settings
from palimpsest_client.text.sentences import telling

LONGEST = 40  # characters of a file's name


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "draw",
        help="a picture from words alone: see what a word stands for",
        description="Draw a picture from words alone, at the size that the model was trained on.",
    )
    parser.add_argument("prompt", metavar="TEXT", help="'a photo of <my-toy> on grass'")
    parser.add_argument("--seed", type=int, default=0, help="of the noise that it begins with (default: 0)")
    parser.add_argument("--steps", type=int, metavar="N", help="sampling steps (default: the model's)")
    parser.add_argument("--guidance", type=float, metavar="W", help="guidance (default: the model's)")
    known_words.add_option(parser)
    arguments.add_model(parser)
    arguments.add_loras(parser)
    arguments.add_local(parser)
    arguments.add_output(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import notices, preflight, running
    from palimpsest.cli.backend import opened
    from palimpsest.cli.inventory import inventory_of

    request = DrawRequest(
        options.prompt, options.model, options.seed, options.steps, options.guidance, tuple(options.lora)
    )
    target = running.Target(options.output, stem_of(options.prompt), options.overwrite)
    target.check("picture")
    inventory = inventory_of(options, read_settings())
    preflight.require_possible(request, inventory)
    known_words.require_known(inventory, options, [telling(options.prompt)])
    told = notices.tell(inventory, request.model, request.prompt)
    with opened(options, inventory) as backend:
        finished = running.run(backend, request, options, told)
        return running.report(target.write(backend, finished), finished.result, options)


def stem_of(prompt: str) -> str:
    """``a photo of <my-toy>`` → ``a-photo-of-my-toy``."""
    words = "".join(c if c.isalnum() or c in "-_" else " " for c in prompt).split()
    return "-".join(words)[:LONGEST].strip("-") or "drawing"
