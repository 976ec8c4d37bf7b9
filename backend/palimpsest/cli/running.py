"""Run one task: files in, progress on standard error, files out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

from palimpsest.cli.backend import Backend
from palimpsest.cli.output import json_text
from palimpsest.contract import Request
from palimpsest.errors import PalimpsestError, RequestError, StorageError
from palimpsest.jobs.events import Event, Finished, Progressed

BAR, LEAST_BAR = 30, 5  # characters
PHASE = 11  # columns of most phases' names, so that the bar doesn't jump from one to the next
COLUMNS = 80  # of a terminal that doesn't say how many it has
CHOOSE_OUTPUT = "Choose another --output."


def run(
    backend: Backend,
    request: Request,
    options: argparse.Namespace,
    told: Collection[str] = (),
    title: str = "",
) -> Finished:
    """Run to the end, showing progress, and then what else than ``told`` the user should know of it."""
    finished = finish(backend.do(request), Display(sys.stderr, getattr(options, "quiet", False), title))
    for notice in finished.result.get("notices", ()):
        if notice not in told:
            print(f"Notice: {notice}", file=sys.stderr)
    return finished


def finish(events: Iterator[Event], shown: Display) -> Finished:
    """The last event. Closing the task on the way out leaves the model clean."""
    with closing(events):  # pyright: ignore[reportArgumentType]
        for event in events:
            if isinstance(event, Progressed):
                shown.show(event)
            if isinstance(event, Finished):
                shown.end()
                return event
    raise AssertionError("the task ended without a result")


@dataclass
class Display:
    """A bar that redraws itself on a terminal, within its width, and a line per phase in a log."""

    stream: TextIO
    quiet: bool = False
    title: str = ""  # of the task, where there are several
    _phase: str = field(default="", init=False)
    _open: bool = field(default=False, init=False)

    def show(self, event: Progressed) -> None:
        if self.quiet:
            return
        phase = f"{self.title}: {event.phase}" if self.title else event.phase
        if self.stream.isatty() and os.environ.get("TERM") != "dumb":
            self._redraw(event, phase)
        elif phase != self._phase:
            print(f"{phase} …", file=self.stream, flush=True)
        self._phase = phase

    def end(self) -> None:
        if self._open:
            self.stream.write("\r\033[K")
            self.stream.flush()
        self._open = False

    def _redraw(self, event: Progressed, phase: str) -> None:
        full, empty = "█░" if _writes(self.stream, "█░") else "#-"
        self.stream.write(f"\r\033[K{progress_line(event, phase, _columns(self.stream) - 1, full, empty)}")
        self.stream.flush()
        self._open = True


def progress_line(event: Progressed, phase: str, width: int, full: str = "█", empty: str = "░") -> str:
    """In ``width`` columns at most: what doesn't fit goes, the bar first, then the time, then the counts."""
    counts = f"{event.index} of {event.total}" if event.total > 0 else ""
    left = "" if event.seconds_left is None else f"{event.seconds_left:.0f} s left"
    named, details = f"{phase:<{PHASE}}", ", ".join(filter(None, (counts, left)))
    bar = min(BAR, width - _cells(named) - len(details) - 2)
    if counts and bar >= LEAST_BAR:
        filled = min(bar, bar * event.index // event.total)
        return f"{named} {full * filled}{empty * (bar - filled)} {details}"
    for parts in ((phase, counts, left), (phase, counts), (phase,)):
        text = " ".join(filter(None, parts))
        if _cells(text) <= width:
            return text
    return _shortened(phase, width)


def _shortened(text: str, width: int) -> str:
    while text and _cells(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def _cells(text: str) -> int:
    """Columns on a terminal: Chinese and Japanese letters have two, accents that are combined none."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(combining(letter) > 0 for letter in text)


def _columns(stream: TextIO) -> int:
    """Of the terminal that the stream is, asked each time: it may be made narrower meanwhile."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or COLUMNS
    except (OSError, ValueError, AttributeError):
        return COLUMNS


def _writes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeError, LookupError, AttributeError):
        return False
    return True


def require_folder(folder: Path) -> None:
    """That results can be written there, or the folder be made, is found out by writing.

    Raises StorageError.
    """
    from palimpsest.storage.atomic import require_writable

    try:
        place = next(place for place in (folder, *folder.parents) if place.exists())
    except OSError as error:
        raise StorageError(f"{folder} can't be used: {error.strerror}.", CHOOSE_OUTPUT) from error
    if not place.is_dir():
        raise StorageError(f"{place} is not a folder.", CHOOSE_OUTPUT)
    try:
        require_writable(place.absolute())
    except StorageError as error:
        raise type(error)(error.message, CHOOSE_OUTPUT) from error


@dataclass(frozen=True)
class Target:
    """Where a result's files go: ``folder/stem-layer.png`` …"""

    folder: Path
    stem: str
    overwrite: bool = False

    def path(self, artifact: str) -> Path:
        """``map:cat`` becomes ``stem-map-cat.png``; a word never becomes a path."""
        safe = "".join(
            c if c.isalnum() or c in "-_" else "-" for c in artifact.replace("<", "").replace(">", "")
        )
        return self.folder / f"{self.stem}-{safe}.png"

    def check(self, *artifacts: str, files: Collection[Path] = ()) -> None:
        """Refuse before the work begins. ``files``: what else will be written. Raises RequestError,
        StorageError."""
        require_folder(self.folder)
        for path in (*map(self.path, artifacts), *files, self.record):
            if self._is_there(path) and not self.overwrite:
                raise RequestError(f"{path} exists already.", "Choose another --output, or give --overwrite.")
            if path.is_dir():
                raise StorageError(f"{path} is a folder.", CHOOSE_OUTPUT)

    def _is_there(self, path: Path) -> bool:
        try:
            path.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:  # the name is too long, say
            raise StorageError(f"{path} can't be written: {error.strerror}.", CHOOSE_OUTPUT) from error
        return True

    @property
    def record(self) -> Path:
        return self.folder / f"{self.stem}.json"

    def write(
        self,
        backend: Backend,
        finished: Finished,
        more: Mapping[str, tuple[Path, bytes]] = MappingProxyType({}),
    ) -> dict[str, str]:
        """Every artifact but small pictures for lists, ``more`` files, and the record; all or none.

        ``more``: name → path and content. Returns name → path.
        """
        from palimpsest.storage.atomic import SHARED, write_atomically

        wanted = [name for name in finished.artifacts if name.partition(":")[0] != "thumbnail"]
        contents = {self.path(name): backend.get(finished.artifacts[name]) for name in wanted}
        contents.update(more.values())
        names = {name: self.path(name) for name in wanted} | {name: path for name, (path, _) in more.items()}
        record = {**finished.result, "artifacts": {name: path.name for name, path in names.items()}}
        contents[self.record] = (json_text(record, indent=2) + "\n").encode()
        written: list[Path] = []
        try:
            for path, content in contents.items():
                fresh = not path.exists()
                write_atomically(path, content, reserved=False, mode=SHARED)
                written += [path] if fresh else []
        except (PalimpsestError, KeyboardInterrupt):
            for path in written:
                path.unlink(missing_ok=True)
            raise
        return {**{name: str(path) for name, path in names.items()}, "record": str(self.record)}


def report(paths: dict[str, str], result: dict[str, Any], options: argparse.Namespace) -> int:
    """Paths, or one JSON object, on standard output."""
    if options.json:
        print(json_text({"files": paths, "result": result}))
    else:
        print("\n".join(paths.values()))
    return 0
