"""``palimpsest jobs``: what the server did for you, and how to remove it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from palimpsest.cli.output import json_text
from palimpsest.contract import JOB_ID
from palimpsest.errors import RequestError
from palimpsest.limits import shown

if TYPE_CHECKING:
    from palimpsest_client.client import Client

ENDED = ("finished", "failed", "cancelled")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "jobs",
        help="your jobs on the server",
        description="What the server did for you, and how to remove it.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action(actions, "list", run_list, "your jobs, newest first")
    removed = action(
        actions, "remove", run_remove, "forget ended jobs, with the pictures that they alone have"
    )
    removed.add_argument("ids", metavar="ID", nargs="*", help="of a job")
    removed.add_argument("--all", action="store_true", help="every job that has ended")


def action(actions: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=what)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)
    return parser


def server() -> Client:
    """The running server. Raises the errors of one that can't be asked."""
    from palimpsest.cli.backend import as_our_errors
    from palimpsest_client.client import find_client

    with as_our_errors():
        return find_client()


def run_list(options: argparse.Namespace) -> int:
    found = list(every(server()))
    if options.json:
        print(json_text({"jobs": found}))
        return 0
    for job in found:
        print(f"{job['id']}\t{job['kind']}\t{job['state']}")
    return 0


def run_remove(options: argparse.Namespace) -> int:
    from palimpsest.cli.backend import as_our_errors

    if bool(options.ids) == options.all:
        raise RequestError("Which jobs?", "Give their ids, or --all: palimpsest jobs list")
    for id in options.ids:
        if JOB_ID.fullmatch(id) is None:
            raise RequestError(f"{shown(id)} can't be a job's id.", "See the ids: palimpsest jobs list")
    client = server()
    ids = [job["id"] for job in every(client) if job["state"] in ENDED] if options.all else options.ids
    for id in ids:
        with as_our_errors():
            client.forget(id)
        if not options.json:
            print(id)
    if options.json:
        print(json.dumps({"removed": ids}))
    return 0


def every(client: Client) -> Iterator[dict[str, Any]]:
    """All pages, read before anything is removed from them."""
    from palimpsest.cli.backend import as_our_errors

    before = None
    while True:
        with as_our_errors():
            told = client.jobs(limit=200, before=before)
        yield from told["jobs"]
        before = told["next"]
        if before is None:
            return
