"""``palimpsest serve``: run the backend for editors and shells, on this machine or for others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from palimpsest.errors import RequestError

MOST_PORT = 65535


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="run the backend that the editors talk to",
        description="Run the backend that the editors talk to, on this machine or for others.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name under which clients reach this server, for instance behind a proxy",
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="use the token in this file")
    parser.add_argument("--device", metavar="DEVICES", help="cpu, cuda, mps, or several: cuda:0,cuda:1")
    parser.add_argument(
        "--stop-after-idle", type=float, metavar="SECONDS", help="stop when nobody asked for that long"
    )
    parser.add_argument(
        "--with-parent",
        action="store_true",
        help="stop when the standard input ends: with whoever started it",
    )
    parser.add_argument(
        "--runner",
        metavar="MODULE:FUNCTION",
        help="for developers: what the workers open in place of the models",
    )
    parser.add_argument("--verbose", action="store_true", help="log every request")
    parser.add_argument("--json", action="store_true", help="print address and token's file as one object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import dataclasses

    from palimpsest.models.devices import require_devices
    from palimpsest.settings import read_settings

    if not 0 <= options.port <= MOST_PORT:
        raise RequestError(
            f"There is no port {options.port}.", f"Give --port 0 to {MOST_PORT}; 0: a free one."
        )
    settings = read_settings()
    if options.device is not None:
        settings = dataclasses.replace(settings, device=options.device)
    if options.runner is None:
        require_devices(settings.device)
    from palimpsest.app import TASK_RUNNER, ServeOptions, serve

    serve(
        settings,
        ServeOptions(
            host=options.host,
            port=options.port,
            allowed_hosts=tuple(name.lower() for name in options.allow_host),
            token_file=options.token_file,
            idle_seconds=options.stop_after_idle,
            with_parent=options.with_parent,
            verbose=options.verbose,
            as_json=options.json,
            runner=TASK_RUNNER if options.runner is None else options.runner,
        ),
    )
    return 0
