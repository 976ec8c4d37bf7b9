"""``palimpsest logs``: the last lines of what the backend on this machine wrote."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from palimpsest.cli import arguments
from palimpsest.cli.output import json_text
from palimpsest.errors import RequestError, StorageError
from palimpsest_client.http.connection import LOG

LINES = 50
MOST_BYTES = 1 << 20  # of a log's end that are read
PAUSE_SECONDS = 0.5


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "logs",
        help="the last lines of what the backend wrote",
        description="The last lines of what the backend on this machine wrote.",
    )
    parser.add_argument(
        "--lines", type=int, default=LINES, metavar="N", help=f"of each log (default: {LINES})"
    )
    parser.add_argument("--follow", action="store_true", help="go on with new lines until Ctrl-C")
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.lines < 0:
        raise RequestError(f"--lines is {options.lines}.", "Give 0 or more.")
    if options.json and options.follow:
        raise RequestError("--follow has no end, and --json prints one object.", "Leave one of them out.")
    ends = {place: end for place in places() if (end := last_lines(place, options.lines)) is not None}
    if options.json:
        print(json_text({"logs": {str(place): lines for place, (lines, _) in ends.items()}}))
        return 0
    if not ends and not options.follow:
        raise RequestError(
            "There are no logs yet.",
            "An editor's backend writes them, and workers do; palimpsest serve prints to its own terminal.",
        )
    for place, (lines, _) in ends.items():
        show(place, lines)
    if options.follow:
        follow({place: end for place, (_, end) in ends.items()})
    return 0


def places() -> Iterator[Path]:
    """That of a backend that an editor started, then one per worker."""
    from palimpsest.settings import read_settings

    folders = read_settings().folders
    found = [folders.config / LOG, *sorted((folders.cache / "logs").glob("*.log"))]
    return (place for place in found if place.is_file())


def show(place: Path, lines: list[str]) -> None:
    print(f"==> {place} <==", *lines, sep="\n", flush=True)


def opened(place: Path) -> BinaryIO | None:
    """None: it was removed since it was found. Raises StorageError."""
    try:
        return place.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{place} can't be read: {error.strerror}.", "Check the file.") from error


def last_lines(place: Path, most: int) -> tuple[list[str], int] | None:
    """And how many bytes the log had; None: it is gone. Control characters, which a terminal would obey, are
    written out."""
    file = opened(place)
    if file is None:
        return None
    with file:
        size = file.seek(0, 2)
        file.seek(max(0, size - MOST_BYTES))
        content = file.read(size - file.tell())
    lines = printable(content)
    return lines[len(lines) - min(most, len(lines)) :], size


def printable(content: bytes) -> list[str]:
    lines = content.decode("utf-8", "replace").splitlines()
    return ["".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line) for line in lines]


def follow(seen: dict[Path, int]) -> None:
    """A log that became shorter was begun anew: a worker's is of its last run."""
    while True:
        for place in places():
            file = opened(place)
            if file is None:
                seen.pop(place, None)
                continue
            with file:
                size, begin = file.seek(0, 2), seen.get(place, 0)
                begin = 0 if size < begin else begin
                file.seek(begin)
                new = file.read(MOST_BYTES)
            whole = new[: new.rfind(b"\n") + 1] if len(new) < MOST_BYTES else new
            if whole:
                show(place, printable(whole))
            seen[place] = begin + len(whole)
        time.sleep(PAUSE_SECONDS)
