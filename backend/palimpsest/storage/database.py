"""Jobs, their events and the pictures' owners in one SQLite file (write-ahead log).

A process that is killed loses nothing that was written: SQLite replays its log at the next opening.
What the client was promised (an accepted job, the end of a job) is also forced to the disk. A file that
can't be read is moved aside, never deleted, and a new one is begun; the pictures are files of their own,
and whose they are is also written beside them (``storage.owners``).
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from palimpsest.jobs import events
from palimpsest.jobs.events import Event, Finished, Previewed, Progressed, Queued
from palimpsest.jobs.log import Entry
from palimpsest.jobs.state import ENDED, Job, Submission, follow
from palimpsest.storage.clock import Clock
from palimpsest.storage.image_records import ImageRecords
from palimpsest.storage.owners import Owners
from palimpsest.storage.sqlite_file import BUSY_SECONDS, explained, is_passing

JOB_COLUMNS = (
    "number, owner, id, kind, request, priority, unattended, state, attempt, sequence, created, updated,"
    " cancel_requested, (SELECT count FROM worker_deaths WHERE job = number),"
    " (SELECT body FROM origins WHERE job = number)"
)


class Database(ImageRecords):
    """The engine's journal of jobs. Every method is one transaction. Raises StorageError, DiskFullError."""

    def __init__(self, path: Path, owners: Owners | None = None, clock: Clock | None = None) -> None:
        super().__init__(path, owners, clock)
        self._start = secrets.token_hex(4)  # counts begin anew with each
        self._results: Counter[str] = Counter()  # owner → how often they have changed since the start
        self._swept = 0  # jobs of anybody that were forgotten by their age since then
        self.identity = self._identify()

    def add(self, submission: Submission, event: Event) -> Job:
        state, now = follow(None, event), self._clock.now()
        values = (
            submission.owner,
            submission.id,
            submission.kind,
            json.dumps(submission.request),
            submission.priority,
            submission.unattended_seconds,
        )
        with self._writing(durable=True) as db:
            cursor = db.execute(
                "INSERT INTO jobs (owner, id, kind, request, priority, unattended, state, attempt, sequence,"
                " created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?)",
                (*values, state, now, now),
            )
            number = cursor.lastrowid
            assert number is not None
            if submission.origin:
                db.execute("INSERT INTO origins VALUES (?, ?)", (number, submission.origin))
            self._insert_event(number, 1, now, event)
            self._link(number, submission.owner, submission.images, now)
            return self._expect(number)

    def append(self, number: int, event: Event, *, worker_died: bool = False) -> Job:
        with self._writing(durable=not isinstance(event, (Progressed, Previewed))) as db:
            job = self._expect(number)
            state, now = follow(job.state, event), self._clock.now()
            attempt = event.attempt if isinstance(event, Queued) else job.attempt
            db.execute(
                "UPDATE jobs SET state = ?, attempt = ?, sequence = sequence + 1, updated = ?"
                " WHERE number = ?",
                (state, attempt, now, number),
            )
            if worker_died:
                query = "INSERT INTO worker_deaths VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1"
                db.execute(query, (number,))
            self._insert_event(number, job.sequence + 1, now, event)
            self._link(number, job.owner, images_of(event), now, lasting=not isinstance(event, Previewed))
            job = self._expect(number)
            if isinstance(event, Finished):
                self._count(job)
            return job

    def entries(self, number: int, after: int, limit: int) -> list[Entry]:
        rows = self._read(
            "SELECT sequence, time, body FROM events WHERE job = ? AND sequence > ?"
            " ORDER BY sequence LIMIT ?",
            (number, after, limit),
        )
        return [Entry(row[0], row[1], events.from_json(json.loads(row[2]))) for row in rows]

    def job(self, number: int) -> Job | None:
        return first_job(self._read(f"SELECT {JOB_COLUMNS} FROM jobs WHERE number = ?", (number,)))

    def find(self, owner: str, id: str) -> Job | None:
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE owner = ? AND id = ?"
        return first_job(self._read(query, (owner, id)))

    def open_jobs(self) -> list[Job]:
        marks = ", ".join("?" * len(ENDED))
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE state NOT IN ({marks}) ORDER BY number"
        return [as_job(row) for row in self._read(query, tuple(ENDED))]

    def jobs(self, owner: str, before: int | None = None, limit: int = 100) -> list[Job]:
        """The owner's jobs, newest first; ``before`` is the number of the last one already seen."""
        newest = 2**62 if before is None else before
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?"
        return [as_job(row) for row in self._read(query, (owner, newest, limit))]

    def last(self, number: int, kind: type[Event]) -> Event | None:
        """The job's latest event of one kind."""
        rows = self._read(
            "SELECT body FROM events WHERE job = ? AND body LIKE ? ORDER BY sequence DESC LIMIT 1",
            (number, pattern_of(kind)),
        )
        return None if not rows else events.from_json(json.loads(rows[0][0]))

    def first_time(self, number: int, kind: type[Event]) -> float | None:
        """When the job's first event of one kind happened, seconds since the epoch."""
        rows = self._read(
            "SELECT time FROM events WHERE job = ? AND body LIKE ? ORDER BY sequence LIMIT 1",
            (number, pattern_of(kind)),
        )
        return None if not rows else rows[0][0]

    def request_cancel(self, number: int) -> None:
        with self._writing(durable=True) as db:
            db.execute("UPDATE jobs SET cancel_requested = 1 WHERE number = ?", (number,))

    def remove_jobs(self, before: float) -> int:
        """Forget the jobs that ended before this time; returns how many."""
        marks = ", ".join("?" * len(ENDED))
        with self._writing() as db:
            self._note_ended(db)
            db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (self._clock.now(),))
            query = "DELETE FROM jobs WHERE number IN (SELECT job FROM ended WHERE since < ?)"
            query += f" AND state IN ({marks})"
            removed = db.execute(query, (before, *ENDED)).rowcount
        self._swept += removed
        return removed

    def remove_job(self, number: int) -> tuple[str, ...]:
        """Forget an ended job; returns the pictures that no other job of its owner names."""
        with self._writing(durable=True) as db:
            job = self._expect(number)
            assert job.ended, f"job {number} has not ended"
            query = "SELECT image FROM job_images WHERE job = ? ORDER BY image"
            images = [row[0] for row in db.execute(query, (number,)).fetchall()]
            db.execute("DELETE FROM jobs WHERE number = ?", (number,))
            self._count(job)
            query = "SELECT 1 FROM job_images JOIN jobs ON job = number WHERE image = ? AND owner = ? LIMIT 1"
            return tuple(image for image in images if not db.execute(query, (image, job.owner)).fetchall())

    # What clients look at, to ask for the rest only when it has changed.

    def results_revision(self, owner: str) -> str:
        """Another text when the owner has other finished edits, and after each start of the server."""
        return f"{self._start}-{self._results[owner]}-{self._swept}"

    def open_pulls(self, owner: str) -> list[str]:
        """Ids of the owner's downloads that haven't ended, oldest first."""
        marks = ", ".join("?" * len(ENDED))
        query = f"SELECT id FROM jobs WHERE state NOT IN ({marks}) AND kind = 'pull' AND owner = ?"
        return [row[0] for row in self._read(f"{query} ORDER BY number", (*ENDED, owner))]

    def _identify(self) -> str:
        """Random, and made with the file: a client knows by it whether what it knew still holds."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO identity VALUES (1, ?)", (secrets.token_hex(8),))
        return self._read("SELECT value FROM identity", ())[0][0]

    def _count(self, job: Job) -> None:
        """A draft is no result."""
        if job.submission.kind == "edit" and not job.submission.request.get("draft"):
            self._results[job.submission.owner] += 1

    def _insert_event(self, number: int, sequence: int, now: float, event: Event) -> None:
        body = json.dumps(events.to_json(event))
        self._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (number, sequence, now, body))

    def _expect(self, number: int) -> Job:
        job = self.job(number)
        assert job is not None, f"job {number} is gone"
        return job


def open_requests(path: Path) -> list[str]:
    """What the jobs that haven't ended ask for, as JSON, whether a server runs over them or not.

    Nothing where there is no list of jobs, or none that can be read: no job will be taken up from it.
    """
    if not path.is_file():
        return []
    marks = ", ".join("?" * len(ENDED))
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as db:
            query = f"SELECT request FROM jobs WHERE state NOT IN ({marks})"
            return [row[0] for row in db.execute(query, tuple(ENDED))]
    except sqlite3.DatabaseError as error:
        if is_passing(error) and "no such table" not in str(error):
            raise explained(error, path) from error
        return []


def pattern_of(kind: type[Event]) -> str:
    """How the bodies of its events begin, for LIKE."""
    return json.dumps({"event": kind.__name__.lower()})[:-1] + "%"


def images_of(event: Event) -> tuple[str, ...]:
    if isinstance(event, Previewed):
        return (event.image,)
    return tuple(event.artifacts.values()) if isinstance(event, Finished) else ()


def first_job(rows: Sequence[tuple[Any, ...]]) -> Job | None:
    return as_job(rows[0]) if rows else None


def as_job(row: tuple[Any, ...]) -> Job:
    number, owner, id, kind, request, priority, unattended, *rest = row
    state, attempt, sequence, created, updated, cancel_requested, worker_deaths, origin = rest
    submission = Submission(
        id=id,
        owner=owner,
        kind=kind,
        request=json.loads(request),
        priority=priority,
        unattended_seconds=unattended,
        origin=origin or "",
    )
    cancelling, deaths = bool(cancel_requested), worker_deaths or 0
    return Job(number, submission, state, attempt, sequence, created, updated, cancelling, deaths)
