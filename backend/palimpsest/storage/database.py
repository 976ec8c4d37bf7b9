"""Jobs, their events and the pictures' owners in one SQLite file (write-ahead log).

A process that is killed loses nothing that was written: SQLite replays its log at the next opening.
What the client was promised (an accepted job, the end of a job) is also forced to the disk. A file that
can't be read is moved aside, never deleted, and a new one is begun; the pictures are files of their own,
and whose they are is also written beside them (``storage.owners``).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from palimpsest.errors import DiskFullError, StorageError
from palimpsest.jobs import events
from palimpsest.jobs.events import Event, Finished, Previewed, Progressed, Queued
from palimpsest.jobs.log import Entry
from palimpsest.jobs.state import ENDED, Job, Submission, follow
from palimpsest.storage.atomic import make_folder, private
from palimpsest.storage.clock import Clock
from palimpsest.storage.owners import Owners

VERSION = 1
BUSY_SECONDS = 5.0
NOBODY = ""  # the owner of pictures of which nothing is known; no token has this name
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, request TEXT NOT NULL,
    priority TEXT NOT NULL, unattended REAL,
    state TEXT NOT NULL, attempt INTEGER NOT NULL, sequence INTEGER NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, cancel_requested INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, id)
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state);
CREATE TABLE IF NOT EXISTS events (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    sequence INTEGER NOT NULL, time REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (job, sequence)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_images (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    image TEXT NOT NULL,
    PRIMARY KEY (job, image)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS job_images_by_image ON job_images (image);
CREATE TABLE IF NOT EXISTS ended (
    job INTEGER PRIMARY KEY REFERENCES jobs (number) ON DELETE CASCADE, since REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS worker_deaths (
    job INTEGER PRIMARY KEY REFERENCES jobs (number) ON DELETE CASCADE, count INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS origins (
    job INTEGER PRIMARY KEY REFERENCES jobs (number) ON DELETE CASCADE, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS identity (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clock (only INTEGER PRIMARY KEY CHECK (only = 1), seen REAL NOT NULL);
CREATE TABLE IF NOT EXISTS image_owners (
    image TEXT NOT NULL, owner TEXT NOT NULL, used REAL NOT NULL,
    PRIMARY KEY (image, owner)
) WITHOUT ROWID;
"""
JOB_COLUMNS = (
    "number, owner, id, kind, request, priority, unattended, state, attempt, sequence, created, updated,"
    " cancel_requested, (SELECT count FROM worker_deaths WHERE job = number),"
    " (SELECT body FROM origins WHERE job = number)"
)


class Database:
    """One connection behind one lock; every method is one transaction. Raises StorageError, DiskFullError.

    ``owners``: where it is also written whose a picture is, before this is known here. ``jumps``: how often
    the system's clock has jumped; what is kept by its age (``ended.since``, ``image_owners.used``) then moves
    along, what people see doesn't.
    """

    def __init__(self, path: Path, owners: Owners | None = None, clock: Clock | None = None) -> None:
        self.path = path
        self.jumps = 0
        self._owners = owners
        self._clock = Clock() if clock is None else clock
        self.moved_aside: Path | None = None  # the unreadable file that was found, if one was
        self._lock = threading.RLock()
        try:
            self._connection = connect(path)
        except sqlite3.DatabaseError as error:
            if is_passing(error):
                raise explained(error, path) from error
            self.moved_aside = move_aside(path)
            self._connection = connect(path)
        self._start = secrets.token_hex(4)  # counts begin anew with each
        self._results: Counter[str] = Counter()  # owner → how often they have changed since the start
        self._swept = 0  # jobs of anybody that were forgotten by their age since then
        self._look_at_clock()
        self.identity = self._identify()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # Jobs and events: the engine's journal.

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

    def _note_ended(self, db: sqlite3.Connection) -> None:
        marks = ", ".join("?" * len(ENDED))
        query = f"INSERT OR IGNORE INTO ended SELECT number, updated FROM jobs WHERE state IN ({marks})"
        db.execute(query, tuple(ENDED))

    # Pictures: whose they are, and which of them a job needs.

    def own_image(self, image: str, owner: str) -> None:
        with self._writing():
            self._own(image, owner, self._clock.now())

    def see_images(self, owners: Mapping[str, Collection[str]]) -> None:
        """Begin to count the age of these pictures; those of nobody, too, belong to somebody perhaps."""
        with self._writing():
            now = self._clock.now()
            for image, names in owners.items():
                for owner in names if names else (NOBODY,):
                    self._use(image, owner, now)

    def owns_image(self, image: str, owner: str) -> bool:
        query = "SELECT 1 FROM image_owners WHERE image = ? AND owner = ?"
        return bool(self._read(query, (image, owner)))

    def needed_images(self, owner: str | None = None) -> set[str]:
        """The pictures of every job that hasn't ended, or of every one of this owner's."""
        marks = ", ".join("?" * len(ENDED))
        query = f"SELECT image FROM job_images JOIN jobs ON job = number WHERE state NOT IN ({marks})"
        if owner is None:
            return {row[0] for row in self._read(query, tuple(ENDED))}
        return {row[0] for row in self._read(f"{query} AND owner = ?", (*ENDED, owner))}

    def image_uses(self) -> dict[str, float]:
        """When each picture was last used, by anybody."""
        return dict(self._read("SELECT image, MAX(used) FROM image_owners GROUP BY image", ()))

    def last_use(self, image: str) -> float:
        """0 for a picture that nobody owns."""
        rows = self._read("SELECT MAX(used) FROM image_owners WHERE image = ?", (image,))
        return 0.0 if rows[0][0] is None else rows[0][0]

    def images_of(self, owner: str) -> list[tuple[str, float]]:
        """The owner's pictures and when each was last used, the longest unused first."""
        query = "SELECT image, used FROM image_owners WHERE owner = ? ORDER BY used, image"
        return [(row[0], row[1]) for row in self._read(query, (owner,))]

    def disown_image(self, image: str, owner: str) -> bool:
        """End one owner's claim, here and beside the picture; whether it was the last."""
        with self._writing() as db:
            if self._owners is not None:
                self._owners.remove(image, owner)
            db.execute("DELETE FROM image_owners WHERE image = ? AND owner IN (?, ?)", (image, owner, NOBODY))
        return not self._read("SELECT 1 FROM image_owners WHERE image = ?", (image,))

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

    def forget_images(self, images: Sequence[str]) -> None:
        with self._writing() as db:
            db.executemany("DELETE FROM image_owners WHERE image = ?", [(image,) for image in images])

    def _insert_event(self, number: int, sequence: int, now: float, event: Event) -> None:
        body = json.dumps(events.to_json(event))
        self._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (number, sequence, now, body))

    def _link(self, number: int, owner: str, images: Sequence[str], now: float, lasting: bool = True) -> None:
        for image in images:
            self._connection.execute("INSERT OR IGNORE INTO job_images VALUES (?, ?)", (number, image))
            self._own(image, owner, now, lasting)

    def _own(self, image: str, owner: str, now: float, lasting: bool = True) -> None:
        """``lasting``: also beside the picture; previews are worth nothing without their job."""
        if lasting and self._owners is not None:
            self._owners.add(image, owner)
        self._use(image, owner, now)

    def _use(self, image: str, owner: str, now: float) -> None:
        query = "INSERT INTO image_owners VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used"
        self._connection.execute(query, (image, owner, now))

    def _expect(self, number: int) -> Job:
        job = self.job(number)
        assert job is not None, f"job {number} is gone"
        return job

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise explained(error, self.path) from error

    def _look_at_clock(self) -> None:
        """At the beginning: how far it is from where the last server saw it."""
        seen = self._read("SELECT seen FROM clock", ())
        with self._transaction() as db:
            self._move_along(db, self._clock.jump_since(seen[0][0]) if seen else 0.0)
        self._clock.settle()

    def watch_clock(self) -> None:
        """Before anything is stamped or judged by its age."""
        with self._lock:
            jump = self._clock.jump()
            if jump != 0.0:
                with self._transaction() as db:
                    self._move_along(db, jump)
                self._clock.settle()

    def _move_along(self, db: sqlite3.Connection, jump: float) -> None:
        if jump != 0.0:
            self._note_ended(db)
            db.execute("UPDATE ended SET since = since + ?", (jump,))
            db.execute("UPDATE image_owners SET used = used + ?", (jump,))
            self.jumps += 1
        db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (self._clock.now(),))

    @contextlib.contextmanager
    def _writing(self, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction; ``durable``: on the disk, not only in the system's memory, when it ends."""
        with self._lock:
            self.watch_clock()
            with self._transaction(durable) as db:
                yield db

    @contextlib.contextmanager
    def _transaction(self, durable: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = self._connection
            try:
                db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.Error as error:
                raise explained(error, self.path) from error
            finally:
                with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed: nothing is open in it
                    if db.in_transaction:
                        db.execute("ROLLBACK")


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


def connect(path: Path) -> sqlite3.Connection:
    """An open, checked connection with our tables in it. Raises sqlite3.DatabaseError."""
    make_folder(path.parent)
    with contextlib.suppress(OSError):  # SQLite says better what is wrong; its log gets the same permissions
        os.close(private(str(path), os.O_RDWR | os.O_CREAT))
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if found != "ok" or version not in (0, VERSION):
            raise sqlite3.DatabaseError(found if found != "ok" else f"it has version {version}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")
    except BaseException:
        db.close()
        raise
    return db


def move_aside(path: Path) -> Path:
    """Rename an unreadable database, with its log, to a name that is free."""
    number = 1
    while (aside := path.with_name(f"{path.name}.unreadable-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def is_passing(error: sqlite3.Error) -> bool:
    """Whether the file itself may be sound: locked, no room, no permission."""
    return isinstance(error, sqlite3.OperationalError)


def explained(error: sqlite3.Error, path: Path) -> StorageError | DiskFullError:
    if "full" in str(error):
        return DiskFullError(f"There is no room left to write {path.name}.", "Free some space on the disk.")
    if "locked" in str(error):
        return StorageError(f"{path.name} is locked by another program.", "Close that program.")
    if "readonly" in str(error):
        return StorageError(f"{path.name} can't be written.", "Check the permissions of its folder.")
    return StorageError(
        f"{path.name}: {error}.", "Restart the server: an unreadable file is then moved aside."
    )


def pattern_of(kind: type[Event]) -> str:
    """How the bodies of its events begin, for LIKE."""
    return json.dumps({"event": kind.__name__.lower()})[:-1] + "%"


def images_of(event: Event) -> tuple[str, ...]:
    if isinstance(event, Previewed):
        return (event.image,)
    return tuple(event.artifacts.values()) if isinstance(event, Finished) else ()


def first_job(rows: Sequence[tuple]) -> Job | None:
    return as_job(rows[0]) if rows else None


def as_job(row: tuple) -> Job:
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
