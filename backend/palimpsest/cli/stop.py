"""``palimpsest stop``: stop the backend. Its jobs are kept and go on when it is started again."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from typing import Any

from palimpsest.cli.output import json_text
from palimpsest.errors import ServerRunningError

PATIENCE_SECONDS = 30.0


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "stop",
        help="stop the backend; its jobs are kept",
        description="Stop the backend. Its jobs are kept and go on when it is started again.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.settings import read_settings
    from palimpsest.storage.announcement import holder

    folder = read_settings().folders.data
    number = holder(folder)
    if number is None:
        if options.json:
            print(json_text({"stopped": False}))
        elif not options.quiet:
            print("Palimpsest's backend isn't running.", file=sys.stderr)
        return 0
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while holder(folder) == number:
        if time.monotonic() > deadline:
            raise ServerRunningError(
                f"Process {number} hasn't stopped after {PATIENCE_SECONDS:g} s.",
                "It ends what it is doing first: see palimpsest status.",
            )
        time.sleep(0.1)
    stopped = "Stopped. Waiting jobs go on when it is started again."
    print(json_text({"stopped": True}) if options.json else stopped)
    return 0
