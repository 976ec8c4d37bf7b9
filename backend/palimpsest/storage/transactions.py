"""One connection to the SQLite file behind one lock, and its clock."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from palimpsest.jobs.state import ENDED
from palimpsest.storage.clock import Clock
from palimpsest.storage.sqlite_file import connect, explained, is_passing, move_aside


class Transactions:
    """What is read and written is one transaction each. Raises StorageError, DiskFullError.

    ``jumps``: how often the system's clock has jumped; what is kept by its age (``ended.since``,
    ``image_owners.used``) then moves along, what people see doesn't.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        self.jumps = 0
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
        self._look_at_clock()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
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

    def _note_ended(self, db: sqlite3.Connection) -> None:
        marks = ", ".join("?" * len(ENDED))
        query = f"INSERT OR IGNORE INTO ended SELECT number, updated FROM jobs WHERE state IN ({marks})"
        db.execute(query, tuple(ENDED))
