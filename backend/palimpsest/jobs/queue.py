"""Who is next: jobs in order of priority, then of acceptance. Pure; whoever shares it brings the lock."""

from __future__ import annotations

from collections.abc import Collection

from palimpsest.jobs.state import PRIORITIES, Job


class JobQueue:
    """The waiting jobs. A lane takes only the kinds it can run, so a pull never waits for a learn."""

    def __init__(self) -> None:
        self._waiting: dict[int, Job] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> None:
        self._waiting[job.number] = job

    def take(self, kinds: Collection[str]) -> Job | None:
        """The next job of one of ``kinds``, removed from the queue, or None."""
        job = min(self._of(kinds), key=rank, default=None)
        if job is not None:
            del self._waiting[job.number]
        return job

    def remove(self, number: int) -> bool:
        """Whether the job was waiting; it no longer is."""
        return self._waiting.pop(number, None) is not None

    def waits(self, number: int) -> bool:
        return number in self._waiting

    def ahead(self, number: int, kinds: Collection[str]) -> int:
        """How many jobs of ``kinds`` will be taken before this one. 0 if it isn't waiting."""
        job = self._waiting.get(number)
        return 0 if job is None else sum(rank(other) < rank(job) for other in self._of(kinds))

    def count(self, owner: str) -> int:
        return sum(job.owner == owner for job in self._waiting.values())

    def _of(self, kinds: Collection[str]) -> list[Job]:
        return [job for job in self._waiting.values() if job.kind in kinds]


def rank(job: Job) -> tuple[int, int]:
    """Smaller is served earlier. A job sent back by a dead worker keeps its place."""
    return PRIORITIES.index(job.submission.priority), job.number
