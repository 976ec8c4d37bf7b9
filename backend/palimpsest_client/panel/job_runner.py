"""One job after the other: its steps, its end, and those that wait behind it.

A job reads the picture, is sent and followed, and something is done with its answer. At every step the
document may be closed, the backend may stop and the user may cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

from ..editor.editor import CANVAS, Capture, DocumentFacts, Editor
from ..editor.picture_file import PictureFile
from ..folders import config_folder
from ..http.job_view import JobView
from ..http.sending import Outgoing
from ..http.session import Session, SessionListener
from ..http.submission import Submission
from ..text.wording import say
from .origins import Origins
from .outcome import Outcome, outcome_of
from .queue import Finished, JobQueue, QueuedJob, WaitingJob, send
from .requests import Crop
from .status import Progress, progress_of
from .stream import Changed, Connected, JobEnded, Stream

Captured = Callable[[DocumentFacts, Capture], None]  # gets the picture's facts when it was read, too


class Reading(NamedTuple):
    begin: Callable[[], None]
    wanted: Callable[[], bool]  # whether its job wasn't cancelled meanwhile


class JobRunner(SessionListener):
    """What happens is told through ``events``. ``folder``: where it is noted which picture is which."""

    def __init__(self, name: str, editor: Editor, folder: Optional[Path] = None) -> None:
        self.name = name  # of the editor: "krita", "gimp"
        self.origins = Origins(config_folder() if folder is None else folder, editor.session())
        self.progress: Optional[Progress] = None
        self.preview_picture: Optional[bytes] = None
        self.outcome: Optional[Outcome] = None
        self.events = Stream()
        self.unattended_seconds: Optional[float] = None
        self._editor = editor
        self._queue = JobQueue()
        self._next: Optional[QueuedJob] = None  # its turn has come and its picture is still being read
        self._readings: List[Reading] = []  # the first is under way
        self._job: Optional[JobView] = None  # as it is followed, once it is sent
        self._finished: Optional[Finished] = None
        self._cancelling = False
        self.placing = False  # a layer is on its way into its document
        self._turn = 0  # raised by cancel: what was begun before is dropped

    def attach(self, session: Session) -> None:
        self.session = session

    @property
    def busy(self) -> bool:
        return self.progress is not None

    @property
    def waiting(self) -> Tuple[WaitingJob, ...]:
        """Those behind the job that is under way, the next one first."""
        return self._queue.waiting

    @property
    def full(self) -> bool:
        return self._queue.full

    def look(self, facts: Optional[DocumentFacts]) -> None:
        """At what was told last: when it isn't so any more, it goes. ``facts``: of the open picture."""
        about = None if self.outcome is None else self.outcome.about
        if about is not None and not about.holds(facts, self._editor):
            self.outcome = None
            self.events.publish(Changed())

    def cancel(self) -> None:
        """What is only read or placed here is dropped at once; a job's end is asked for and waited for."""
        if not self.busy or self._cancelling:
            return
        job = self._job
        if self._finished is not None and job is not None and not job.ended:
            self._cancelling = True
            self.progress = progress_of(job, True)
            self.session.cancel(job.id)
            self.events.publish(Changed())
        else:
            self.end(Outcome("note", say("cancelled")))

    def cancel_waiting(self, number: int) -> None:
        """The one of this number; the others and what is under way go on."""
        self._queue.drop(number, self.session)
        self.events.publish(Changed())

    def cancel_all(self) -> None:
        """What is under way, and all that waits."""
        self._queue.drop(None, self.session)
        self.cancel()
        self.events.publish(Changed())

    def leave(self) -> None:
        """Another backend is used from now on: what was sent goes on at the one before."""
        left = self.busy
        self._queue.clear()
        self.session.leave()
        self.end(Outcome("note", say("left-behind")) if left else None)

    # The steps of a job.

    def capture(
        self,
        facts: DocumentFacts,
        source: str,
        crop: Crop,
        then: Captured,
        file: Optional[PictureFile] = None,
    ) -> None:
        """Into ``file``; None: into one that is sent to the backend while the picture is read."""
        self._begin("reading")
        turn = self._turn
        wanted = lambda: turn == self._turn  # noqa: E731
        self._read(facts, source, crop, self._guarded(then), self._guarded(self._failed), wanted, file)

    def _read(
        self,
        facts: DocumentFacts,
        source: str,
        crop: Crop,
        done: Captured,
        failed: Callable[[str], None],
        wanted: Callable[[], bool],
        file: Optional[PictureFile] = None,
    ) -> None:
        """One after the other: an editor reads one picture at a time. What is selected by then counts, for
        ``crop`` too."""

        def then(call: Callable[..., None], *before: Any) -> Callable[..., None]:
            def read(value: Any) -> None:
                del self._readings[0]
                if self._readings:
                    self._editor.later(self._read_next)
                call(*before, value)

            return read

        def begin() -> None:
            now = self._facts_now(facts)
            if now.refusal and not facts.refusal:
                then(failed)(now.refusal)
                return
            part = crop(now) if source == CANVAS else None
            into = Outgoing(self.session.transport) if file is None else file
            self._editor.capture(facts.key, source, part, into, then(done, now), then(failed))

        self._readings.append(Reading(begin, wanted))
        if len(self._readings) == 1:
            self._read_next()

    def _read_next(self) -> None:
        """The first whose job is still wanted."""
        while self._readings and not self._readings[0].wanted():
            del self._readings[0]
        if self._readings:
            self._readings[0].begin()

    def _facts_now(self, facts: DocumentFacts) -> DocumentFacts:
        """Of the same picture. Where another one is in front, nobody says what is selected in it by now."""
        now = self._editor.document()
        return now if now is not None and now.key == facts.key else replace(facts, selection=None, mark="")

    def run(self, submission: Submission, finished: Finished) -> None:
        """Now; in its turn where the next in line has begun already."""
        if self._job is not None:
            queued = self._queue.add(submission.kind)
            self._ready(queued, submission, finished)
            return
        self._begin("sending", can_cancel=True)
        self._submit(replace(submission, unattended_seconds=self.unattended_seconds), finished)

    def _submit(self, submission: Submission, finished: Finished) -> None:
        self._finished, self._job = finished, JobView(submission.id)
        self.session.submit(submission)

    def end(self, outcome: Optional[Outcome]) -> None:
        """Nothing is under way any more."""
        self._turn += 1
        self._finished, self._job, self._next = None, None, None
        self._cancelling = self.placing = False
        self.progress, self.preview_picture, self.outcome = None, None, outcome
        self.events.publish(Changed())
        if not self.busy:
            self._go_on()

    # Those that wait.

    def _is_wanted(self, queued: QueuedJob) -> bool:
        return queued is self._next or self._queue.holds(queued)

    def _ready(self, queued: QueuedJob, submission: Submission, finished: Finished) -> None:
        """Its picture is read: it is sent now, and followed in its turn."""
        queued.submission, queued.finished = submission, finished
        if queued is self._next:
            self._next = None
            self._take_up(queued)
        elif self._queue.holds(queued):
            send(submission, self.session)

    def _not_ready(self, queued: QueuedJob, reason: str) -> None:
        if queued is self._next:
            self._failed(reason)
        elif self._queue.holds(queued):
            self._queue.drop(queued.waiting.number, self.session)
            self.outcome = Outcome("error", reason)
            self.events.publish(Changed())

    def _go_on(self) -> None:
        """With the next in line, if there is one. What came of the one before stays to be read."""
        queued = self._queue.next()
        if queued is None:
            return
        self._turn += 1
        if queued.submission is None:
            self._next = queued
            self._stage("reading")
        else:
            self._take_up(queued)

    def _take_up(self, queued: QueuedJob) -> None:
        assert queued.submission is not None
        assert queued.finished is not None
        self._stage("sending")
        self._submit(queued.submission, queued.finished)

    def _begin(self, stage: str, can_cancel: bool = True) -> None:
        self._turn += 1
        self.outcome, self.preview_picture = None, None
        self._stage(stage, can_cancel)

    def _stage(self, stage: str, can_cancel: bool = True) -> None:
        self.progress = Progress(say(stage), None, can_cancel)
        self.events.publish(Changed())

    def _guarded(self, call: Callable[..., None]) -> Callable[..., None]:
        """``call``, unless something else has begun or this was cancelled meanwhile."""
        turn = self._turn

        def when_wanted(*values: Any) -> None:
            if turn == self._turn:
                call(*values)

        return when_wanted

    def _failed(self, reason: str) -> None:
        self.end(Outcome("error", reason))

    # What the session tells.

    def show(self, state: Any) -> None:
        view = state.job
        under_way = "" if self._finished is None or self._job is None else self._job.id
        if view is not None and view.id == under_way:
            self._job = view
            if view.state in ("failed", "cancelled"):
                self.end(outcome_of(view))
                self.events.publish(JobEnded(view))
                return
            if view.state != "finished":
                away = state.connection != "ready"
                self.progress = progress_of(view, self._cancelling, away)
        self.events.publish(Changed())

    def preview(self, id: str, picture: bytes) -> None:
        if self._job is not None and id == self._job.id:
            self.preview_picture = picture
            self.events.publish(Changed())

    def insert(self, view: JobView, pictures: Mapping[str, bytes]) -> None:
        if self._job is None or view.id != self._job.id:
            return
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(view, pictures)
            self.events.publish(JobEnded(view))

    def connected(self) -> None:
        self.events.publish(Connected())
