"""Models on their way to the backend, beside what is asked for the open picture, and whoever began them.

A download is the backend's: it goes on when the panel is closed, and every panel of the same token shows it,
by what the backend tells of itself (``downloads`` in ``GET /v1/system``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Set, Tuple

from ..http.protocol import ENDED, ClientError, UnreachableError
from ..http.session import Session
from ..http.submission import Submission, upload_and_submit
from ..text.wording import GIB, duration, error_text, gigabytes, number, say
from .requests import job_id
from .status import Progress

LOOK_SECONDS = 0.5  # between questions how far they are
UNIT = 1 << 20  # bytes that a download is counted in


@dataclass(frozen=True)
class Download:
    """One that hasn't ended. ``job_json``: the job as the backend told of it last; empty = it waits, or the
    backend is away."""

    job: str
    model: str
    job_json: Mapping[str, Any]
    cancelling: bool = False
    title: str = ""  # of the model, for people

    @property
    def line(self) -> str:
        return f"{self.title or self.model} · {self.progress.text}"

    @property
    def progress(self) -> Progress:
        if self.cancelling:
            return Progress(say("cancelling"), None, can_cancel=False)
        if self.job_json.get("state") != "running":
            return Progress(say("waiting"))
        how_far = self.job_json.get("progress") or {}
        done, total = UNIT * how_far.get("index", 0), UNIT * how_far.get("total", 0)
        if total == 0:
            return Progress(gigabytes(done) if done else say("phase-downloading"))
        text = say("n-of-m", n=number(done / GIB, 1), m=gigabytes(total))
        left = how_far.get("seconds_left")
        return Progress(text if left is None else f"{text} · {duration(left)}", done / total)


class Downloads:
    """``ended`` is called with the model's name when one is there, ``changed`` whenever something here has
    become another. ``message``: what came of the last one, until ``read``."""

    def __init__(
        self,
        session: Session,
        editor: str,
        changed: Callable[[], None],
        ended: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.message = ""
        self._open: Dict[str, Download] = {}  # by the job's id
        self._known: Set[str] = set()  # ids that were asked about, those of ended ones too
        self._asked: Set[str] = set()  # ids whose answer is on its way
        self._looked_at = float("-inf")
        self._session, self._editor = session, editor
        self._changed, self._ended, self._clock = changed, ended, clock

    @property
    def open(self) -> Tuple[Download, ...]:
        return tuple(self._open.values())

    def begin(self, model: str) -> None:
        """Fetch one of the catalogue; one that is on its way isn't begun twice."""
        if any(one.model == model for one in self.open):
            return
        submission = Submission("pull", {"model": model}, fetch=None, id=job_id(self._editor))
        self._known.add(submission.id)
        self._open[submission.id], self.message = Download(submission.id, model, {}), ""
        self._ask(submission.id, lambda client: upload_and_submit(client, submission))
        self._changed()

    def cancel(self, job: str) -> None:
        if job in self._open:
            self._open[job] = replace(self._open[job], cancelling=True)
            self._session.ask(lambda client: client.cancel(job), failed=lambda error: self._kept(job, error))
            self._changed()

    def read(self) -> None:
        """What came of the last one has been seen."""
        if self.message:
            self.message = ""
            self._changed()

    def look(self, ids: Sequence[str]) -> None:
        """How far they are. ``ids``: of all that the backend has open."""
        if self._clock() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = self._clock()
        for job in {*self._open, *(id for id in ids if id not in self._known)} - self._asked:
            self._ask(job)

    def forget(self) -> None:
        """Another backend is used: what the one before fetches goes on there."""
        self._open, self._known, self.message = {}, set(), ""

    def _ask(self, job: str, first: Callable[[Any], None] = lambda client: None) -> None:
        self._known.add(job)
        self._asked.add(job)

        def ask(client: Any) -> Mapping[str, Any]:
            first(client)
            return client.job(job)

        self._session.ask(ask, lambda told: self._have(job, told), lambda error: self._broke(job, error))

    def _have(self, job: str, told: Mapping[str, Any]) -> None:
        self._asked.discard(job)
        if job not in self._known:
            return
        before = self._open.get(job)
        now = Download(job, told["request"]["model"], told, before is not None and before.cancelling)
        if told["state"] not in ENDED:
            self._open[job] = now
        elif self._open.pop(job, None) is not None:
            self._end(now)
        if self._open.get(job) != before:
            self._changed()

    def _end(self, one: Download) -> None:
        state = one.job_json["state"]
        if state == "finished":
            self.message = say("downloaded", model=one.model)
            self._ended(one.model)
        else:
            self.message = error_text(one.job_json["error"]) if state == "failed" else say("cancelled")

    def _broke(self, job: str, error: ClientError) -> None:
        """A backend that is away goes on with it, if it was sent there at all."""
        self._asked.discard(job)
        one: Optional[Download] = self._open.get(job)
        if one is not None and one.job_json and isinstance(error, UnreachableError):
            return
        self._known.discard(job)  # it is asked about again where the backend tells of it
        if one is not None:
            del self._open[job]
            self.message = str(error)
            self._changed()

    def _kept(self, job: str, error: ClientError) -> None:
        """It couldn't be cancelled."""
        if job in self._open:
            self._open[job], self.message = replace(self._open[job], cancelling=False), str(error)
            self._changed()
