"""The log of events: one per job, numbered from 1 without gaps, on disk before anybody is told.

A client that reconnects says the last number it saw and gets the rest; the same log feeds server-sent
events, long polling and the shell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from palimpsest.jobs.events import Event
from palimpsest.jobs.state import Job, Submission


class Entry(NamedTuple):
    sequence: int
    time: float  # seconds since the epoch
    event: Event


class Journal(Protocol):
    """Where jobs and events are kept (``storage.database``). Every method is atomic."""

    def add(self, submission: Submission, event: Event) -> Job:
        """Keep a new job with its first event. Safe against power loss when it returns."""
        ...

    def append(self, number: int, event: Event, *, worker_died: bool = False) -> Job:
        """Keep the job's next event, with what it counts for, and return the job as it now is."""
        ...

    def entries(self, number: int, after: int, limit: int) -> list[Entry]: ...

    def job(self, number: int) -> Job | None: ...

    def find(self, owner: str, id: str) -> Job | None: ...

    def open_jobs(self) -> list[Job]:
        """Every job that hasn't ended, in order of acceptance."""
        ...

    def request_cancel(self, number: int) -> None: ...


class EventLog:
    """Appends to the journal, then tells the listeners of that job. Callable from any thread."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._lock = threading.Lock()
        self._listeners: dict[int, set[Callable[[], None]]] = {}

    def open(self, submission: Submission, event: Event) -> Job:
        return self.journal.add(submission, event)

    def append(self, number: int, event: Event, *, worker_died: bool = False) -> Job:
        job = self.journal.append(number, event, worker_died=worker_died)
        for tell in self._listening(number):
            tell()
        return job

    def after(self, number: int, sequence: int, limit: int = 1000) -> list[Entry]:
        """The events that follow number ``sequence``, oldest first, at most ``limit``."""
        return self.journal.entries(number, sequence, limit)

    def listen(self, number: int, tell: Callable[[], None]) -> Callable[[], None]:
        """Call ``tell`` after each new event, on the appender's thread; returns how to stop.

        Register first, then read with ``after``: nothing can fall between.
        """
        with self._lock:
            self._listeners.setdefault(number, set()).add(tell)
        return lambda: self._forget(number, tell)

    def attended(self, number: int) -> bool:
        """Whether somebody listens to this job right now."""
        with self._lock:
            return number in self._listeners

    def _listening(self, number: int) -> list[Callable[[], None]]:
        with self._lock:
            return list(self._listeners.get(number, ()))

    def _forget(self, number: int, tell: Callable[[], None]) -> None:
        with self._lock:
            listeners = self._listeners.get(number, set())
            listeners.discard(tell)
            if not listeners:
                self._listeners.pop(number, None)
