"""What a job is to the engine, and which event may follow in which state: the table.

            Queued      Started     Progressed  Finished    Failed    Cancelled
                                    Previewed
    (new)   queued
    queued              running                             failed    cancelled
    running queued      .           running     finished    failed    cancelled

The three states at the end of a job have no way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from palimpsest.jobs.events import Cancelled, Event, Failed, Finished, Previewed, Progressed, Queued, Started

State = Literal["queued", "running", "finished", "failed", "cancelled"]
Priority = Literal["interactive", "batch"]
PRIORITIES: tuple[Priority, ...] = ("interactive", "batch")  # in the order in which they are served

TABLE: dict[tuple[State | None, type[Event]], State] = {
    (None, Queued): "queued",
    ("queued", Started): "running",
    ("queued", Failed): "failed",
    ("queued", Cancelled): "cancelled",
    ("running", Queued): "queued",
    ("running", Progressed): "running",
    ("running", Previewed): "running",
    ("running", Finished): "finished",
    ("running", Failed): "failed",
    ("running", Cancelled): "cancelled",
}
ENDED: frozenset[State] = frozenset({"finished", "failed", "cancelled"})


def follow(state: State | None, event: Event) -> State:
    """The state after ``event``. An event that the table doesn't allow is a mistake of ours."""
    after = TABLE.get((state, type(event)))
    assert after is not None, f"{type(event).__name__} cannot follow in state {state}"
    return after


@dataclass(frozen=True)
class Submission:
    """What a client asks for. ``id`` is the client's own choice, unique among its owner's jobs.

    images: every picture the request names; they are kept as long as the job needs them.
    unattended_seconds: cancel the job when its owner hasn't asked for it that long; None = never.
    origin: the client's own note, kept unread; no part of what is asked for.
    """

    id: str
    owner: str
    kind: str
    request: dict[str, Any]
    priority: Priority = "interactive"
    images: tuple[str, ...] = ()
    unattended_seconds: float | None = None
    origin: str = ""


@dataclass(frozen=True)
class Job:
    """A submission that was accepted, as the store keeps it.

    number: the order of acceptance, and the job's name inside the server.
    attempt: from 1; one more for each death of a worker or a server under it.
    worker_deaths: how many of those were a worker's.
    sequence: number of the job's last event; events count from 1 without gaps.
    created, updated: seconds since the epoch, for people only; nothing is ordered by them.
    """

    number: int
    submission: Submission
    state: State
    attempt: int
    sequence: int
    created: float
    updated: float
    cancel_requested: bool = False
    worker_deaths: int = 0

    @property
    def server_deaths(self) -> int:
        """How often a server died while this job was running."""
        return self.attempt - 1 - self.worker_deaths

    @property
    def id(self) -> str:
        return self.submission.id

    @property
    def owner(self) -> str:
        return self.submission.owner

    @property
    def kind(self) -> str:
        return self.submission.kind

    @property
    def ended(self) -> bool:
        return self.state in ENDED
