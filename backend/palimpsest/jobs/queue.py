"""Who is next: by priority, then owners by turns. Pure; whoever shares it brings the lock."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from palimpsest.jobs.state import PRIORITIES, Job


class Grade(NamedTuple):
    """Jobs of a smaller grade are served earlier, whoever's they are."""

    priority: int
    patient: bool


SUSPECT = 2  # servers that died while the job was running
URGENT = Grade(priority=0, patient=False)


class JobQueue:
    """The waiting jobs. A lane takes only the kinds it can run, so a pull never waits for a learn.

    Within a grade, what was begun already goes on first; then each owner in turn, with the oldest job; last
    what so many servers died under that it may be the reason.
    ``patient``: kinds that come after the others of their priority.
    """

    def __init__(self, patient: Collection[str] = ()) -> None:
        self._patient = frozenset(patient)
        self._waiting: dict[int, Job] = {}
        self._served: dict[tuple[Grade, str], int] = {}  # when an owner had the last turn
        self._turns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> None:
        self._waiting[job.number] = job

    def take(self, kinds: Collection[str], may: Callable[[Job], bool] = lambda job: True) -> Job | None:
        """The next job of one of ``kinds`` that may run now, removed from the queue, or None."""
        job = next(filter(may, self.order(kinds)), None)
        if job is not None:
            del self._waiting[job.number]
            if not was_started(job):
                self._turns += 1
                self._served[self.grade(job), job.owner] = self._turns
        return job

    def order(self, kinds: Collection[str]) -> list[Job]:
        """The waiting jobs of ``kinds`` as they will be served, if no others come."""
        rounds: Counter[tuple[Grade, str]] = Counter()
        first: dict[tuple[Grade, str], int] = {}
        ranks: dict[int, tuple[Any, ...]] = {}
        found = sorted((job for job in self._waiting.values() if job.kind in kinds), key=lambda j: j.number)
        for job in found:
            grade, turn = self.grade(job), (self.grade(job), job.owner)
            if was_started(job):
                ranks[job.number] = (grade, 0 if job.server_deaths < SUSPECT else math.inf, 0, 0, job.number)
                continue
            rounds[turn] += 1
            since = self._served.get(turn, 0)
            ranks[job.number] = (grade, rounds[turn], since, first.setdefault(turn, job.number), job.number)
        return sorted(found, key=lambda job: ranks[job.number])

    def grade(self, job: Job) -> Grade:
        return Grade(PRIORITIES.index(job.submission.priority), job.kind in self._patient)

    def urgent(self, kinds: Collection[str]) -> bool:
        """Whether a job of one of ``kinds`` waits for which patient ones make way."""
        return any(job.kind in kinds and self.grade(job) == URGENT for job in self._waiting.values())

    def remove(self, number: int) -> bool:
        """Whether the job was waiting; it no longer is."""
        return self._waiting.pop(number, None) is not None

    def waits(self, number: int) -> bool:
        return number in self._waiting

    def ahead(self, number: int, kinds: Collection[str]) -> int:
        """How many jobs of ``kinds`` will be taken before this one. 0 if it isn't waiting."""
        numbers = [job.number for job in self.order(kinds)]
        return numbers.index(number) if number in numbers else 0

    def count(self, owner: str) -> int:
        return sum(job.owner == owner for job in self._waiting.values())


def was_started(job: Job) -> bool:
    """Whether a worker has had the job before: it died, or the job made way for another."""
    return job.sequence > 1
