"""``palimpsest results``: what your finished jobs on the server made, and its pictures as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from palimpsest.cli import arguments
from palimpsest.cli.jobs import action, every, job_of, require_id, server
from palimpsest.cli.output import json_text, printable
from palimpsest.errors import RequestError
from palimpsest_client.panel.origins import origin_of

LIST = "See: palimpsest results list"


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "results",
        help="what your finished jobs made",
        description="What your finished jobs on the server made, and its pictures as files.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action(actions, "list", run_list, "finished jobs with results, newest first")
    fetched = action(actions, "fetch", run_fetch, "write a job's pictures and its record with the recipe")
    fetched.add_argument("id", metavar="ID", help="of a job")
    arguments.add_output(fetched)


def results_of(job: dict[str, Any]) -> list[str]:
    """Names of its pictures, without the small ones that lists show."""
    small = ("thumbnail", "draft")
    return [name for name in job["artifacts"] if name.partition(":")[0] not in small]


def run_list(options: argparse.Namespace) -> int:
    found = [job for job in every(server(options)) if results_of(job)]
    if options.json:
        print(json_text({"results": found}))
        return 0
    for job in found:
        name = printable(origin_of(job["id"], job["origin"]).name)
        print("\t".join((job["id"], job["kind"], name, ", ".join(results_of(job)))))
    return 0


def run_fetch(options: argparse.Namespace) -> int:
    """Named as the shell names results: the picture's name where the client noted it, else the job's id."""
    from palimpsest.cli.backend import Served
    from palimpsest.cli.finish import laid_at
    from palimpsest.cli.running import Target
    from palimpsest.jobs.events import Finished
    from palimpsest.settings import read_settings

    require_id(options.id)
    client = server(options)
    job = job_of(client, options.id)
    names = results_of(job)
    if not names:
        raise RequestError(f"Job {options.id} has no results: {job['state']}.", LIST)
    stem = Path(origin_of(job["id"], job["origin"]).name).stem or job["id"]
    done = job["request"].get("operation", job["kind"])
    target = Target(options.output, f"{stem}-{done}", options.overwrite)
    target.check(*names)
    backend = Served(client, read_settings().max_image_bytes)
    finished = Finished({name: job["artifacts"][name] for name in names}, job["result"])
    files = target.write(backend, finished)
    print(json_text({"files": files}) if options.json else "\n".join(files.values()))
    if job["request"].get("extent") == "region":
        print(f"Notice: these pictures are {laid_at(job['result']['recipe'])}.", file=sys.stderr)
    return 0
