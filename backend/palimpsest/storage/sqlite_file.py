"""The SQLite file of jobs: its tables, opening it checked, and what is wrong with it in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from palimpsest.errors import DiskFullError, StorageError
from palimpsest.storage.atomic import make_folder, private

VERSION = 1
BUSY_SECONDS = 5.0
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
