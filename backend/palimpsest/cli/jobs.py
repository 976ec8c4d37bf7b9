"""``palimpsest jobs``: what the server did for you, and how to remove it."""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from palimpsest.cli.output import json_text, printable
from palimpsest.cli.remote import add_server, named_server
from palimpsest.contract import JOB_ID
from palimpsest.errors import RequestError
from palimpsest.limits import shown
from palimpsest_client.panel.origins import origin_of

if TYPE_CHECKING:
    from palimpsest_client.http.client import Client

ENDED = ("finished", "failed", "cancelled")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "jobs",
        help="your jobs on the server",
        description="What the server did for you, and how to remove it.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action(actions, "list", run_list, "your jobs, newest first")
    for name, run, what in (
        ("show", run_show, "all that is known of one: times, request, results, why it failed"),
        ("cancel", run_cancel, "end one that waits or runs"),
        ("retry", run_retry, "do one that failed or was cancelled again, and forget the old one"),
    ):
        action(actions, name, run, what).add_argument("id", metavar="ID", help="of a job")
    removed = action(
        actions, "remove", run_remove, "forget ended jobs, with the pictures that they alone have"
    )
    removed.add_argument("ids", metavar="ID", nargs="*", help="of a job")
    removed.add_argument("--all", action="store_true", help="every job that has ended")


def action(actions: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=what)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_server(parser)
    parser.set_defaults(run=run)
    return parser


def server(options: argparse.Namespace) -> Client:
    """The one that is named, else the running one. Raises the errors of one that can't be asked."""
    from palimpsest.cli.client_errors import as_palimpsest_errors
    from palimpsest.settings import read_settings
    from palimpsest_client.http.client import find_client

    named = named_server(options, read_settings())
    if named is not None:
        return named
    with as_palimpsest_errors():
        return find_client()


def run_list(options: argparse.Namespace) -> int:
    found = list(every(server(options)))
    if options.json:
        print(json_text({"jobs": found}))
        return 0
    for job in found:
        name = printable(origin_of(job["id"], job["origin"]).name)
        print(f"{job['id']}\t{job['kind']}\t{job['state']}\t{name}".rstrip())
    return 0


def require_id(id: str) -> None:
    if JOB_ID.fullmatch(id) is None:
        raise RequestError(f"{shown(id)} can't be a job's id.", "See the ids: palimpsest jobs list")


def job_of(client: Client, id: str) -> dict[str, Any]:
    """Raises RequestError for what can be no id, JobNotFoundError."""
    from palimpsest.cli.client_errors import as_palimpsest_errors

    with as_palimpsest_errors():
        return client.job(id)


def run_show(options: argparse.Namespace) -> int:
    require_id(options.id)
    job = job_of(server(options), options.id)
    if options.json:
        print(json_text(job))
        return 0
    for name, value in described(job).items():
        print(f"{name}: {value}")
    return 0


def described(job: dict[str, Any]) -> dict[str, str]:
    """For people, without what is empty."""
    error, origin = job["error"], origin_of(job["id"], job["origin"])
    ended = job["state"] in ENDED
    began = job["updated"] if job["started"] is None and ended else job["started"]
    lines = {
        "id": job["id"],
        "kind": job["kind"],
        "state": job["state"],
        "picture": printable(origin.name),
        "created": datetime.fromtimestamp(job["created"]).isoformat(" ", "seconds"),
        "waited": "" if began is None else f"{began - job['created']:.1f} s",
        "took": f"{job['updated'] - job['started']:.1f} s" if ended and job["started"] else "",
        "why": "" if error is None else f"{error['message']} {error['hint']} ({error['code']})",
        "results": ", ".join(job["artifacts"]),
        "request": json_text(job["request"]),
    }
    return {name: value for name, value in lines.items() if value}


def run_cancel(options: argparse.Namespace) -> int:
    from palimpsest.cli.client_errors import as_palimpsest_errors

    require_id(options.id)
    client = server(options)
    job = job_of(client, options.id)
    if job["state"] in ENDED:
        raise RequestError(f"Job {options.id} has ended: {job['state']}.", "See: palimpsest jobs list")
    with as_palimpsest_errors():
        client.cancel(options.id)
    print(json_text({"cancelled": options.id}) if options.json else options.id)
    return 0


def run_retry(options: argparse.Namespace) -> int:
    """The new job is accepted before the old one is forgotten, so that its pictures stay."""
    from palimpsest.cli.client_errors import as_palimpsest_errors

    require_id(options.id)
    client = server(options)
    job = job_of(client, options.id)
    if job["state"] not in ("failed", "cancelled"):
        raise RequestError(
            f"Job {options.id} has neither failed nor been cancelled: {job['state']}.",
            "See: palimpsest jobs list",
        )
    id = f"{options.id.partition('-')[0][:31]}-{uuid.uuid4().hex}"  # its client finds the result by this
    with as_palimpsest_errors():
        client.submit(id, job["kind"], job["request"], job["priority"], origin=job["origin"])
        client.forget(options.id)
    print(json_text({"job": id}) if options.json else id)
    return 0


def run_remove(options: argparse.Namespace) -> int:
    from palimpsest.cli.client_errors import as_palimpsest_errors

    if bool(options.ids) == options.all:
        raise RequestError("Which jobs?", "Give their ids, or --all: palimpsest jobs list")
    for id in options.ids:
        require_id(id)
    client = server(options)
    ids = [job["id"] for job in every(client) if job["state"] in ENDED] if options.all else options.ids
    for id in ids:
        with as_palimpsest_errors():
            client.forget(id)
        if not options.json:
            print(id)
    if options.json:
        print(json.dumps({"removed": ids}))
    return 0


def every(client: Client) -> Iterator[dict[str, Any]]:
    """All pages, read before anything is removed from them."""
    from palimpsest.cli.client_errors import as_palimpsest_errors

    before = None
    while True:
        with as_palimpsest_errors():
            page = client.jobs(limit=200, before=before)
        yield from page["jobs"]
        before = page["next"]
        if before is None:
            return
