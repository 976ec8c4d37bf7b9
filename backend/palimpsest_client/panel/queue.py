"""Edits that were asked for while another job was under way: they wait their turn, in order.

Each is read from the picture when it is asked for or, while the editor still reads for another, right after
that. Its job is sent to the backend as soon as it is read, so that it is done even if the editor goes
meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Mapping, Optional, Tuple

from ..http.job_view import JobView
from ..http.session import Session
from ..http.submission import Submission, upload_and_submit

MOST_WAITING = 20

Finished = Callable[[JobView, Mapping[str, bytes]], None]


@dataclass(frozen=True)
class WaitingJob:
    """One that waits, as the windows show it."""

    number: int
    name: str  # as its layer will be called


class QueuedJob:
    """An edit from the asking to its turn. ``submission`` and ``finished`` come when the picture is read."""

    def __init__(self, waiting: WaitingJob) -> None:
        self.waiting = waiting
        self.submission: Optional[Submission] = None
        self.finished: Optional[Finished] = None


class JobQueue:
    """Those that wait, the next one first."""

    def __init__(self) -> None:
        self._queued: List[QueuedJob] = []
        self._asked = 0

    @property
    def waiting(self) -> Tuple[WaitingJob, ...]:
        return tuple(queued.waiting for queued in self._queued)

    @property
    def full(self) -> bool:
        return len(self._queued) >= MOST_WAITING

    def add(self, name: str) -> QueuedJob:
        self._asked += 1
        queued = QueuedJob(WaitingJob(self._asked, name))
        self._queued.append(queued)
        return queued

    def holds(self, queued: QueuedJob) -> bool:
        return queued in self._queued

    def next(self) -> Optional[QueuedJob]:
        """Taken out of the line."""
        return self._queued.pop(0) if self._queued else None

    def clear(self) -> None:
        """What was sent goes on."""
        self._queued = []

    def drop(self, number: Optional[int], session: Session) -> None:
        """The one of this number, or all; what was sent of it is cancelled on the backend."""
        for queued in tuple(self._queued):
            if number is None or queued.waiting.number == number:
                self._queued.remove(queued)
                if queued.submission is not None:
                    give_up(queued.submission.id, session)


def send(submission: Submission, session: Session) -> None:
    """Now, while another job is followed. If that fails, it is sent again and the reason told in its turn."""
    session.ask(lambda client: upload_and_submit(client, submission))


def give_up(id: str, session: Session) -> None:
    session.ask(lambda client: client.cancel(id))
