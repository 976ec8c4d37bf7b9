"""An engine over a real database and real worker processes that run the fixture tasks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from palimpsest.jobs.engine import Engine, Limits
from palimpsest.jobs.log import EventLog
from palimpsest.jobs.process import WorkerProcess, WorkerSpec
from palimpsest.jobs.state import Job, Submission
from palimpsest.jobs.supervisor import Lane, Timeouts
from palimpsest.storage.database import Database

PATIENCE, LIMITS = Timeouts(cancel_grace=2.0), Limits()
LANES = (Lane("main", "cpu", ("edit", "learn")), Lane("net", "", ("pull",)))


@contextlib.contextmanager
def open_shop(
    folder: Path,
    lanes: tuple[Lane, ...] = LANES,
    timeouts: Timeouts = PATIENCE,
    limits: Limits = LIMITS,
    runner: str = "jobs.fixture_tasks:open_fixtures",
) -> Iterator[Engine]:
    """A started engine; stopped at the end, which leaves unfinished jobs in the database."""
    database = Database(folder / "jobs.db")
    spec = WorkerSpec(runner, folder)

    def start_worker(lane: Lane) -> WorkerProcess:
        return WorkerProcess(spec, lane.name, lane.device)

    engine = Engine(EventLog(database), lanes, start_worker, timeouts, limits)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
        database.close()


def submission(
    id: str, do: str = "steps", kind: str = "edit", owner: str = "anna", **rest: Any
) -> Submission:
    known = {name: rest.pop(name) for name in ("priority", "unattended_seconds", "images") if name in rest}
    return Submission(id, owner, kind, {"do": do, **rest}, **known)


def eventually(holds: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What ``holds`` returns, as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def ended(engine: Engine, id: str, owner: str = "anna", seconds: float = 120.0) -> Job:
    return eventually(lambda: (job := engine.job(owner, id)).ended and job, seconds)


def names(engine: Engine, job: Job) -> list[str]:
    """The job's events by name; their numbers must be 1, 2, 3, …"""
    entries = engine.log.after(job.number, 0)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    return [type(entry.event).__name__ for entry in entries]


def last(engine: Engine, job: Job) -> Any:
    return engine.log.after(job.number, 0)[-1].event
