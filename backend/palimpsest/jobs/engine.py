"""The engine: accepts jobs, runs them one per lane, and loses none of them.

A job is on disk before it is accepted, and so is the beginning of every attempt at it, before a worker gets
it. A server that stops in order queues again what it ran; what is found running was running when a server
died, which counts against the job: it may be the reason. When a worker dies, its job alone is sent back,
once, however many servers have died under it. Owners take turns; a job of a patient kind, such as learning,
makes way for an edit and goes on after it.
Every change of a job happens under one lock and is written by ``record``, so events have no gaps.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from palimpsest.errors import (
    JobExistsError,
    JobNotFoundError,
    PalimpsestError,
    QueueFullError,
    RequestError,
    ServerDiedError,
    Text,
    WorkerDiedError,
)
from palimpsest.jobs.events import Cancelled, Event, Failed, Previewed, Progressed, Queued, Started
from palimpsest.jobs.log import EventLog
from palimpsest.jobs.process import WorkerEndedError, WorkerProcess
from palimpsest.jobs.queue import URGENT, JobQueue
from palimpsest.jobs.state import Job, Submission
from palimpsest.jobs.supervisor import Lane, Supervisor, Timeouts

UNATTENDED = "Nobody was waiting for it."  # panels know it by this text
logger = logging.getLogger(__name__)

STOPPED = "The server stopped while this job was running."
RETRY_SECONDS = 1.0  # between attempts to write an event that must not be lost


@dataclass(frozen=True)
class Limits:
    waiting: int = 200  # jobs in the queue
    waiting_per_owner: int = 100
    worker_deaths: int = 2  # after so many a job is failed
    server_deaths: int = 6  # the same, counted apart; a server may have died of something else


class WorkerView(NamedTuple):
    """A lane as it is now. pid: of its worker, if it has one; kind: of the job it runs, if it does."""

    lane: Lane
    pid: int | None
    kind: str | None
    status: dict[str, Any]


class Engine:
    """``start``, then ``submit`` and ``cancel`` from any thread, then ``stop``."""

    def __init__(
        self,
        log: EventLog,
        lanes: tuple[Lane, ...],
        start_worker: Callable[[Lane], WorkerProcess],
        timeouts: Timeouts,
        limits: Limits,
    ) -> None:
        self.log = log
        self.lanes = lanes
        self.stopping = False
        self._limits = limits
        self._queue = JobQueue(patient={kind for lane in lanes for kind in lane.patient})
        self._running: dict[int, Job] = {}
        self._cancelling: dict[int, str] = {}  # number → why
        self._watched: dict[int, tuple[float, float]] = {}  # number → (allowed, last seen)
        self._changed = threading.Condition(threading.RLock())
        self._supervisors = tuple(Supervisor(lane, self, start_worker, timeouts) for lane in lanes)
        self._watcher = threading.Thread(target=self._watch, name="unattended", daemon=True)

    def start(self) -> None:
        """Queue again what the last server left, then open the lanes."""
        with self._changed:
            for job in self.log.journal.open_jobs():
                self._resume(job)
        for supervisor in self._supervisors:
            supervisor.start()
        self._watcher.start()

    def stop(self) -> None:
        """End the workers. Jobs that wait or run are kept for the next start."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()
        for supervisor in self._supervisors:
            supervisor.nudge()
        for supervisor in self._supervisors:
            supervisor.join()
        self._watcher.join()
        self.set_aside()

    def set_aside(self) -> None:
        """Queue again what still runs: the server stops in order, so nothing is held against its jobs."""
        with self._changed:
            self.stopping = True
            for job in list(self._running.values()):
                try:
                    self._write(job.number, Queued(job.attempt, STOPPED))
                except PalimpsestError as error:
                    logger.error("Job %d was not set aside: %s", job.number, error)

    def submit(self, submission: Submission) -> tuple[Job, bool]:
        """The accepted job, and whether it is new: the same submission twice is the same job.

        Raises JobExistsError for an id in use by something else, QueueFullError, and the store's errors.
        """
        with self._changed:
            known = self.log.journal.find(submission.owner, submission.id)
            if known is not None:
                return same(known, submission), False
            self._refuse_unknown(submission.kind)
            self._refuse_if_full(submission.owner)
            job = self.log.open(submission, Queued())
            self._place(job)
            return job, True

    def cancel(self, owner: str, id: str, reason: str = "") -> Job:
        """Ask for the end of one's own job; asking again, or after its end, changes nothing."""
        with self._changed:
            job = self.job(owner, id)
            if self._queue.waits(job.number):
                self._write(job.number, Cancelled(reason))
            elif job.number in self._running and job.number not in self._cancelling:
                self.log.journal.request_cancel(job.number)
                self._cancelling[job.number] = reason
                self._nudge(job.number)
            return self.job(owner, id)

    def job(self, owner: str, id: str) -> Job:
        """Raises JobNotFoundError, also for somebody else's job."""
        job = self.log.journal.find(owner, id)
        if job is None:
            raise JobNotFoundError(Text("job-not-there", job=id), Text("removed-by-age"))
        return job

    def attend(self, job: Job) -> None:
        """The owner asked for this job: it isn't unattended."""
        with self._changed:
            if job.number in self._watched:
                self._watched[job.number] = (self._watched[job.number][0], time.monotonic())

    def ahead(self, job: Job) -> int | None:
        """How many jobs come before a waiting one; None when it doesn't wait."""
        kinds = {kind for lane in self.lanes if job.kind in lane.kinds for kind in lane.kinds}
        with self._changed:
            if not self._queue.waits(job.number):
                return None
            lanes = sum(job.kind in lane.kinds for lane in self.lanes)
            urgent = self._queue.grade(job) == URGENT
            running = [other for other in self._running.values() if other.kind in kinds]
            busy = sum(not (urgent and self._queue.grade(other).patient) for other in running)
            return self._queue.ahead(job.number, kinds) + (busy if busy >= lanes else 0)

    def unload(self) -> None:
        """Free the devices' memory: every worker ends as soon as it is idle."""
        for supervisor in self._supervisors:
            supervisor.unload()

    def counts(self) -> dict[str, int]:
        with self._changed:
            return {"waiting": len(self._queue), "running": len(self._running)}

    def workers(self) -> list[WorkerView]:
        with self._changed:
            kinds = {number: job.kind for number, job in self._running.items()}
        return [WorkerView(s.lane, s.pid, kinds.get(s.working_on or 0), s.status) for s in self._supervisors]

    # What supervisors need (JobSource).

    def next_job(self, lane: Lane, timeout: float) -> Job | None:
        with self._changed:
            job = self._take(lane)
            if job is None:
                self._changed.wait(timeout)
                job = self._take(lane)
            return None if job is None else self._begin(job, lane)

    def _take(self, lane: Lane) -> Job | None:
        """The next job of a lane. Of those that may see no further server die one runs at a time, in all
        lanes together: when the server dies of it, the others are not blamed."""
        if self.stopping:
            return None
        one_runs = any(map(self._is_last_chance, self._running.values()))
        return self._queue.take(lane.kinds, lambda job: not (one_runs and self._is_last_chance(job)))

    def _is_last_chance(self, job: Job) -> bool:
        return job.server_deaths + 1 >= self._limits.server_deaths

    def record(self, number: int, event: Event, *, worker_died: bool = False) -> None:
        """Write the event. Progress may be lost to a full disk; what changes the state is tried again."""
        while True:
            try:
                with self._changed:
                    if not (self.stopping and number not in self._running):  # it was set aside
                        self._write(number, event, worker_died)
                return
            except PalimpsestError as error:
                logger.error("Job %d: %s was not written: %s", number, type(event).__name__, error)
            if isinstance(event, (Progressed, Previewed)) or self.stopping:
                return
            time.sleep(RETRY_SECONDS)

    def send_back(self, job: Job, ended: WorkerEndedError) -> None:
        """A worker died under this job: queue it once more, or fail it with the reason."""
        if job.number in self._cancelling:
            self.record(job.number, Cancelled("Its worker ended."))
        elif job.worker_deaths + 1 < self._limits.worker_deaths:
            again = Queued(job.attempt + 1, f"The worker ended: {ended.reason}.")
            self.record(job.number, again, worker_died=True)
        else:
            self.record(job.number, worker_death_failure(job, ended))

    def cancelling(self, number: int) -> bool:
        return number in self._cancelling

    def should_yield(self, job: Job, lane: Lane) -> bool:
        """Whether a running job should let go of its worker for one that somebody waits for."""
        with self._changed:
            return job.kind in lane.patient and self._queue.urgent(lane.kinds)

    def _write(self, number: int, event: Event, worker_died: bool = False) -> None:
        with self._changed:
            if event == Cancelled():  # the worker doesn't know why
                event = Cancelled(self._cancelling.get(number, ""))
            self._place(self.log.append(number, event, worker_died=worker_died))

    def _place(self, job: Job) -> None:
        """Where a job in this state belongs: in the queue, among the running, or nowhere."""
        self._queue.remove(job.number)
        self._running.pop(job.number, None)
        if job.state == "queued":
            self._queue.put(job)
            self._watch_over(job)
            self._changed.notify_all()
        elif job.state == "running":
            self._running[job.number] = job
        else:
            self._cancelling.pop(job.number, None)
            self._watched.pop(job.number, None)

    def _begin(self, job: Job, lane: Lane) -> Job | None:
        """Mark the job as running; if that can't be written now it waits on."""
        try:
            self._write(job.number, Started(lane.device, job.attempt))
            return job
        except PalimpsestError as error:
            logger.error("Job %d was not started: %s", job.number, error)
            self._queue.put(job)
            self._changed.wait(RETRY_SECONDS)
            return None

    def _resume(self, job: Job) -> None:
        if job.cancel_requested:
            job = self.log.append(job.number, Cancelled())
        elif job.state == "running" and self._is_last_chance(job):
            job = self.log.append(job.number, server_death_failure(job))
        elif job.state == "running":
            reason = "The server ended while this job was running."
            job = self.log.append(job.number, Queued(job.attempt + 1, reason))
        self._place(job)

    def _refuse_unknown(self, kind: str) -> None:
        kinds = [kind for lane in self.lanes for kind in lane.kinds]
        if kind not in kinds:
            raise RequestError(f"This server runs no jobs of kind {kind!r}.", f"It runs: {', '.join(kinds)}.")

    def _refuse_if_full(self, owner: str) -> None:
        limits = self._limits
        if len(self._queue) >= limits.waiting or self._queue.count(owner) >= limits.waiting_per_owner:
            raise QueueFullError(Text("jobs-waiting", n=len(self._queue)), Text("wait-or-cancel-some"))

    def _nudge(self, number: int) -> None:
        for supervisor in self._supervisors:
            if supervisor.working_on == number:
                supervisor.nudge()

    def _watch_over(self, job: Job) -> None:
        if job.submission.unattended_seconds is not None:
            self._watched[job.number] = (job.submission.unattended_seconds, time.monotonic())

    def _watch(self) -> None:
        """Cancel the jobs whose owners went away without a word."""
        while not self.stopping:
            with self._changed:
                for number in self._unattended():
                    self._cancel_unattended(number)
                self._changed.wait(0.5)

    def _cancel_unattended(self, number: int) -> None:
        try:
            job = self.log.journal.job(number)
            if job is not None:
                self.cancel(job.owner, job.id, UNATTENDED)
        except PalimpsestError as error:
            logger.error("Unattended job %d was not cancelled: %s", number, error)

    def _unattended(self) -> list[int]:
        now = time.monotonic()
        return [
            number
            for number, (allowed, seen) in self._watched.items()
            if now - seen > allowed and number not in self._cancelling and not self.log.attended(number)
        ]


def same(known: Job, submission: Submission) -> Job:
    """``known`` if it is what ``submission`` asks for; otherwise JobExistsError."""
    if (known.kind, known.submission.request) != (submission.kind, submission.request):
        raise JobExistsError(
            f"Job {submission.id!r} exists and asks for something else.", "Choose another id."
        )
    return known


def worker_death_failure(job: Job, ended: WorkerEndedError) -> Failed:
    error = WorkerDiedError(
        Text("worker-died", n=job.attempt, reason=ended.reason),
        Text("killed-for-memory"),
        log=ended.tail.splitlines()[-10:],
    )
    return Failed(error.to_json())


def server_death_failure(job: Job) -> Failed:
    error = ServerDiedError(Text("server-died", n=job.attempt), Text("ended-for-memory"))
    return Failed(error.to_json())
