"""``palimpsest status``: whether the backend runs, where, and what it does."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from palimpsest.cli.remote import add_server, named_server

if TYPE_CHECKING:
    from palimpsest_client.http.client import Client

STOPPED = 1
MIB = 1 << 20


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "status",
        help="say whether the backend runs",
        description="Say whether the backend runs, where, and what it does.",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    add_server(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli.client_errors import as_palimpsest_errors
    from palimpsest.settings import read_settings
    from palimpsest.storage.announcement import holder
    from palimpsest_client.http.client import find_client
    from palimpsest_client.http.protocol import ClientError, UnreachableError

    settings = read_settings()
    data, client = settings.folders.data, named_server(options, settings)
    if client is not None:
        with as_palimpsest_errors():
            return running(client, options)
    number = holder(data)
    try:
        if number is None:  # whatever a state file says: the port may be somebody else's by now
            raise UnreachableError("Palimpsest's backend isn't running.", "Start it: palimpsest serve.")
        return running(find_client(timeout=5.0), options)
    except ClientError as error:
        reason = str(error)
        if number is not None:
            reason = f"Process {number} runs on {data}, but doesn't answer here: {error}"
        answer = json.dumps({"running": number is not None, "reason": reason})
        print(answer if options.json else reason, file=out(options))
        return STOPPED


def running(client: Client, options: argparse.Namespace) -> int:
    """Raises ClientError."""
    system = {"address": client.transport.address, **client.system()}
    print(json.dumps({"running": True, **system}) if options.json else describe(system))
    return 0


def out(options: argparse.Namespace) -> Any:
    return sys.stdout if options.json else sys.stderr


def describe(system: dict[str, Any]) -> str:
    """A few lines for people."""
    queue = system["queue"]
    lines = [
        f"Palimpsest {system['versions']['palimpsest']} is at {system['address']}",
        f"{queue['running']} running, {queue['waiting']} waiting",
    ]
    for worker in system["workers"]:
        state = worker["running"] or ("idle" if worker["pid"] is not None else "unloaded")
        told = worker["status"] if worker["pid"] is not None else {}
        model, kept = told.get("model"), sum(told.get("kept", {}).values())
        parts = [state, *([model] if model else []), *([f"{kept / MIB:.0f} MiB kept"] if kept >= MIB else [])]
        lines.append(f"{worker['lane']}: {', '.join(parts)}")
    return "\n".join([*lines, *system["notices"]])
