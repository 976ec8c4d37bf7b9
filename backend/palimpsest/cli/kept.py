"""``palimpsest kept``: what the server keeps, your pictures and its workers' memory, and how to remove it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from palimpsest.cli.jobs import action, server
from palimpsest.contract import SHA256
from palimpsest.errors import ImageInUseError, RequestError
from palimpsest.limits import shown

MIB = 1 << 20


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "kept",
        help="your pictures on the server, and its memory",
        description="What the server keeps, and how to remove it.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action(actions, "list", run_list, "your pictures, the longest unused first")
    removed = action(actions, "remove", run_remove, "give them up")
    removed.add_argument("images", metavar="SHA256", nargs="*", help="of a picture")
    removed.add_argument("--all", action="store_true", help="every one that no waiting or running job needs")
    action(
        actions, "free", run_free, "end each worker as soon as it is idle, and with it what is kept in memory"
    )


def run_list(options: argparse.Namespace) -> int:
    from palimpsest.cli.client_errors import as_palimpsest_errors

    with as_palimpsest_errors():
        kept = server(options).pictures()
    if options.json:
        print(json.dumps(kept))
        return 0
    for picture in kept["images"]:
        print(f"{picture['image']}\t{picture['bytes']}")
    if not options.quiet:
        print(f"{kept['bytes'] / MIB:.1f} of {kept['most_bytes'] / MIB:.0f} MiB", file=sys.stderr)
    return 0


def run_remove(options: argparse.Namespace) -> int:
    from palimpsest.cli.client_errors import as_palimpsest_errors

    if bool(options.images) == options.all:
        raise RequestError("Which pictures?", "Give their sha256, or --all: palimpsest kept list")
    for image in options.images:
        if SHA256.fullmatch(image) is None:
            raise RequestError(
                f"{shown(image)} is not a picture's sha256: 64 digits 0-9 and letters a-f.",
                "See them: palimpsest kept list",
            )
    client, removed = server(options), []
    with as_palimpsest_errors():
        images = [kept["image"] for kept in client.pictures()["images"]] if options.all else options.images
    for image in images:
        try:
            with as_palimpsest_errors():
                client.remove_picture(image)
        except ImageInUseError:
            if not options.all:
                raise
            continue  # not of those that were meant
        removed.append(image)
        if not options.json:
            print(image)
    if options.json:
        print(json.dumps({"removed": removed}))
    return 0


def run_free(options: argparse.Namespace) -> int:
    """A worker that does something ends when that is done."""
    from palimpsest.cli.client_errors import as_palimpsest_errors

    with as_palimpsest_errors():
        server(options).unload()
    if options.json:
        print("{}")
    elif not options.quiet:
        print("Idle workers end now, the others when their jobs are done.", file=sys.stderr)
    return 0
