"""One lane of work: a thread that feeds one worker process and outlives any number of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from palimpsest.errors import JobStalledError, Text
from palimpsest.jobs import events
from palimpsest.jobs.events import Cancelled, Event, Failed, Finished, Queued
from palimpsest.jobs.process import WorkerEndedError, WorkerProcess
from palimpsest.jobs.state import Job
from palimpsest.jobs.worker import explain

TICK = 0.25  # seconds between looks at the clock
YIELDED = "It makes way for an edit and goes on after it."


@dataclass(frozen=True)
class Lane:
    """A queue's outlet: one worker on one device, and the kinds of job it takes.

    patient: those of the kinds whose running job makes way for an interactive one of another kind. It is
    broken off between two steps, queued again and taken up later; its task must go on where it was.
    """

    name: str
    device: str
    kinds: tuple[str, ...]
    patient: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timeouts:
    """How long the engine waits, in seconds."""

    idle_unload: float = 600.0  # then an idle worker is ended and its memory is free
    cancel_grace: float = 15.0  # then a worker that doesn't stop is killed
    stall: float = 1800.0  # without any event; then the job is failed


class JobSource(Protocol):
    """What a supervisor needs of the engine."""

    stopping: bool

    def next_job(self, lane: Lane, timeout: float) -> Job | None: ...
    def record(self, number: int, event: Event) -> None: ...
    def send_back(self, job: Job, ended: WorkerEndedError) -> None: ...
    def cancelling(self, number: int) -> bool: ...
    def should_yield(self, job: Job, lane: Lane) -> bool: ...


class Supervisor:
    """Start with ``start``; it ends when the job source is stopping and ``nudge`` was called."""

    def __init__(
        self, lane: Lane, jobs: JobSource, start_worker: Callable[[Lane], WorkerProcess], timeouts: Timeouts
    ) -> None:
        self.lane = lane
        self.working_on: int | None = None
        self.status: dict[str, Any] = {}  # what the worker last said of itself
        self._jobs = jobs
        self._start_worker = start_worker
        self._timeouts = timeouts
        self._worker: WorkerProcess | None = None
        self._heard = False  # anything of the job that runs
        self._unload = threading.Event()
        self._idle_since = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"lane-{lane.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    @property
    def pid(self) -> int | None:
        worker = self._worker
        return None if worker is None else worker.pid

    def nudge(self) -> None:
        """Look at the job source now: a cancellation or the end."""
        worker = self._worker
        if worker is not None:
            worker.nudge()

    def unload(self) -> None:
        """End the worker as soon as it is idle; the next job gets a new one."""
        self._unload.set()

    def _run(self) -> None:
        while not self._jobs.stopping:
            job = self._jobs.next_job(self.lane, TICK)
            if job is None:
                self._rest()
            else:
                self.working_on = job.number
                self._serve(job)
                self.working_on = None
                self._idle_since = time.monotonic()
        self._end_worker()

    def _rest(self) -> None:
        idle = time.monotonic() - self._idle_since > self._timeouts.idle_unload
        gone = self._worker is not None and self._worker.ended
        if self._unload.is_set() or idle or gone:
            self._unload.clear()
            self._end_worker()

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _serve(self, job: Job) -> None:
        """The job ends or is sent back, whatever happens: this lane must live on."""
        try:
            if self._worker is None or not self._reuse_worker(job):
                self._worker = self._start_worker(self.lane)
                self._ask(self._worker, job)
        except WorkerEndedError as ended:
            self._worker = None
            if not self._jobs.stopping or ended.killed:
                self._jobs.send_back(job, ended)
        except Exception as error:
            self._end_worker()
            self._jobs.record(job.number, Failed(explain(error)))

    def _reuse_worker(self, job: Job) -> bool:
        """Give the job to the worker that idled; False if that had died before it said a word of the job,
        which is then not the job's doing."""
        assert self._worker is not None
        self._heard = False
        try:
            self._ask(self._worker, job)
        except WorkerEndedError:
            if self._heard or self._jobs.stopping:
                raise
            return False
        return True

    def _ask(self, worker: WorkerProcess, job: Job) -> None:
        worker.send(message_for(job))
        self._follow(job, worker)

    def _follow(self, job: Job, worker: WorkerProcess) -> None:
        """Until the job has ended, or the engine stops and leaves it for the next start."""
        heard = time.monotonic()
        cancelled_at: float | None = None
        pausing = False
        while not self._jobs.stopping:
            message = worker.receive(TICK)
            now = time.monotonic()
            if message is not None:
                heard = now
                self.status = message.get("status", self.status)
                self._heard |= message.get("job") == job.number
                if message.get("job") == job.number and self._pass_on(job, message, pausing):
                    return
            if not pausing and self._jobs.should_yield(job, self.lane):
                pausing = True  # a worker that takes its time to stop is not ended for that
                worker.send({"cancel": job.number})
            if self._jobs.cancelling(job.number) and cancelled_at is None:
                cancelled_at = now
                worker.send({"cancel": job.number})
            if cancelled_at is not None and now - cancelled_at > self._timeouts.cancel_grace:
                return self._end(job, worker, Cancelled("the worker did not stop and was ended"))
            if now - heard > self._timeouts.stall:
                return self._end(job, worker, stall_failure(self._timeouts.stall))
        worker.raise_if_killed()  # a server that is told to stop because of that must not forget it

    def _pass_on(self, job: Job, message: dict[str, Any], pausing: bool) -> bool:
        """Record the event; whether it was the last. After memory ran out the worker is replaced."""
        event = events.from_json({key: value for key, value in message.items() if key != "job"})
        if isinstance(event, Cancelled) and pausing and not self._jobs.cancelling(job.number):
            event = Queued(job.attempt, YIELDED)
        self._jobs.record(job.number, event)
        if isinstance(event, Failed) and event.error.get("code") == "out_of_memory":
            self._end_worker()
        return isinstance(event, (Finished, Failed, Cancelled, Queued))

    def _end(self, job: Job, worker: WorkerProcess, event: Event) -> None:
        worker.kill()
        self._end_worker()
        self._jobs.record(job.number, event)


def message_for(job: Job) -> dict[str, Any]:
    """What a worker is told of a job."""
    request = job.submission.request
    return {"run": job.number, "kind": job.kind, "request": request, "owner": job.owner}


def stall_failure(seconds: float) -> Failed:
    error = JobStalledError(Text("job-stalled", n=f"{seconds:g}"), Text("submit-again"))
    return Failed(error.to_json())
