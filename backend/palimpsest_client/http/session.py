"""Between a client and an editor: the network on one thread, everything else on the editor's own.

The plug-in calls ``drain`` from its timer. Nothing here waits on the editor's thread, and the host is
called on no other. One job at a time is submitted and followed; smaller questions (``ask``) are answered
between two looks at it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Deque, TypeVar, Union

from ..text.wording import say
from .client import Client
from .job_view import JobView
from .problems import as_client_error, error_json, require_protocol, trouble
from .protocol import ClientError, RefusedError, UnreachableError
from .submission import Submission, upload_and_submit
from .transport import Transport

RETRY_SECONDS = 2.0
CHECK_SECONDS = 1.0  # between looks at what the server tells of itself
WAIT_SECONDS = 1.0  # one long poll: also how soon a cancel is sent while nothing happens

Found = TypeVar("Found")


class SessionListener:
    """Whom a session tells. A plug-in overrides these; all on the editor's thread."""

    def show(self, state: SessionState) -> None:
        """Something changed that people see."""

    def preview(self, id: str, picture: bytes) -> None:
        """A small PNG of a job's result as it forms."""

    def insert(self, view: JobView, pictures: Mapping[str, bytes]) -> None:
        """The job is done: put its pictures (artifact name → bytes) into the document."""

    def connected(self) -> None:
        """A backend was found, at the start or after it had gone."""


@dataclass(frozen=True)
class SessionState:
    """What the panel shows. connection: "searching", "ready", "gone", "refused" or "mismatch"."""

    connection: str = "searching"
    text: str = ""
    code: str = ""  # of the error that is the matter
    address: str = ""  # of the last backend that was tried
    system: dict[str, Any] = field(default_factory=dict)
    job: JobView | None = None


@dataclass(frozen=True)
class Question:
    """Something small to be asked on the network's thread, and who gets the answer on the editor's."""

    call: Callable[[Client], Any]
    done: Callable[[Any], None]
    failed: Callable[[ClientError], None]


class Session:
    """``start``; ``submit``, ``ask``, ``cancel`` and ``drain`` from the editor's thread; then ``stop``."""

    def __init__(self, connect: Callable[[], Client], host: SessionListener) -> None:
        self.state = SessionState(text=say("searching"))
        self._connect = connect
        self._host = host
        self._client: Client | None = None
        self._inbox: queue.Queue[Union[Submission, Question, None]] = queue.Queue()
        self._submissions: Deque[Submission] = deque()  # came while a job ran; the network thread's own
        self._news: queue.Queue[Callable[[], None]] = queue.Queue()
        self._followed: set[str] = set()  # ids of jobs that were sent and are still ours
        self._cancelled: set[str] = set()
        self._backends = 0  # that were left
        self._checked = float("-inf")
        self._awaited = False  # a job was sent and hasn't ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="palimpsest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave; a running job goes on without us. Doesn't wait for the network."""
        self._stopping.set()
        self._inbox.put(None)

    def reconnect(self, connect: Callable[[], Client]) -> None:
        """Look for the backend elsewhere, or with another token."""
        self._connect = connect
        self._change(system={})
        self.ask(lambda _: self._forget())

    def leave(self) -> None:
        """What was sent and asked is another backend's: the jobs go on there, and are followed no more."""
        self._backends += 1
        self._followed.clear()
        self._change(job=None)

    def submit(self, submission: Submission) -> None:
        """The job becomes the session's; it is sent as soon as the one before has ended."""
        self._followed.add(submission.id)
        self._change(job=JobView(submission.id))
        self._inbox.put(submission)

    def ask(
        self,
        call: Callable[[Client], Found],
        done: Callable[[Found], None] = lambda _: None,
        failed: Callable[[ClientError], None] = lambda _: None,
    ) -> None:
        """Run ``call`` on the network's thread; ``done`` or ``failed`` come through ``drain``. What another
        backend answers, or answered, is no answer."""
        backends = self._backends

        def answered(found: Found) -> None:
            if backends == self._backends:
                done(found)
            else:
                failed(UnreachableError(say("searching")))

        self._inbox.put(Question(call, answered, failed))

    def aside(
        self,
        call: Callable[[], Found],
        done: Callable[[Found], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run ``call``, which needs no backend, on a thread of its own; ``drain`` brings the answer."""

        def work() -> None:
            try:
                found = call()
            except Exception as error:
                problem = error
                self._news.put(lambda: failed(problem))
            else:
                self._news.put(lambda: done(found))

        threading.Thread(target=work, name="palimpsest aside", daemon=True).start()

    def cancel(self, id: str) -> None:
        """Ask for the end of a job that was submitted here."""
        self._cancelled.add(id)
        self._inbox.put(Question(lambda _: None, lambda _: None, lambda _: None))  # wakes the thread

    def drain(self) -> None:
        """Take in what happened since the last call. Call it from the editor's timer."""
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return
            news()

    @property
    def transport(self) -> Transport | None:
        """To the backend that answered last; None = it has gone, or isn't found yet. Any thread."""
        client = self._client
        return None if client is None else client.transport

    # On the editor's thread.

    def _change(self, **change: Any) -> None:
        """The host is told what is new: a backend that is only still there isn't."""
        before, self.state = self.state, replace(self.state, **change)
        if self.state != before:
            self._host.show(self.state)

    # On the network's thread.

    def _tell(self, **change: Any) -> None:
        self._news.put(lambda: self._change(**change))

    def _forget(self) -> None:
        self._client = None
        self._tell(connection="searching", text=say("searching"))

    def _work(self) -> None:
        while not self._stopping.is_set():
            if self._client is None and not self._find():
                self._listen(RETRY_SECONDS)
                continue
            if self._submissions:
                self._carry_out(self._submissions.popleft())
            else:
                self._listen(max(0.0, self._checked + CHECK_SECONDS - time.monotonic()))
                self._check()

    def _listen(self, seconds: float) -> bool:
        """Take in one submission or answer one question, waiting up to ``seconds``. Whether one came."""
        try:
            item = self._inbox.get(timeout=seconds) if seconds > 0 else self._inbox.get_nowait()
        except queue.Empty:
            return False
        if isinstance(item, Submission):
            self._submissions.append(item)
        elif item is not None:
            self._answer(item)
        return True

    def _answer(self, question: Question) -> None:
        try:
            if self._client is None:
                raise UnreachableError(say("searching"))
            found = question.call(self._client)
        except Exception as error:
            problem = as_client_error(error)
            self._news.put(lambda: question.failed(problem))
        else:
            self._news.put(lambda: question.done(found))

    def _find(self) -> bool:
        """Whether a server is there that we can talk to; says what is the matter if not."""
        address = ""
        try:
            client = self._connect()
            address = client.transport.address
            require_protocol(client.health())
            system = client.system()
        except Exception as raised:
            self._tell_trouble(raised, address=address)
            return False
        self._client, self._checked = client, time.monotonic()
        self._tell(connection="ready", text="Ready", code="", system=system, address=address)
        self._news.put(self._host.connected)
        return True

    def _check(self) -> None:
        """Look whether the server is still there, and what has changed there, now and then."""
        if self._client is None or time.monotonic() < self._checked + CHECK_SECONDS:
            return
        self._checked = time.monotonic()
        try:
            self._tell(system=self._client.system())
        except Exception as raised:
            self._client = None
            self._tell_trouble(raised)

    def _tell_trouble(self, raised: Exception, **more: Any) -> None:
        error = as_client_error(raised)
        connection, text = trouble(error), str(error)
        if connection == "searching" and self._awaited:
            connection, text = "gone", say("gone")
        self._tell(connection=connection, text=text, code=error.code, **more)

    def _carry_out(self, submission: Submission) -> None:
        """Until the job has ended. A server that goes away is waited for: the job is kept there."""
        view, self._awaited = JobView(submission.id), True
        tried = False  # first it is sent: what is asked meanwhile may send those that come after it
        while submission.id in self._followed and not self._stopping.is_set() and not view.ended:
            while tried and self._listen(0):
                pass
            tried = True
            try:
                if self._client is not None or self._find():
                    view = self._step(submission, view)
                    self._check()
                else:
                    self._stopping.wait(RETRY_SECONDS)
            except UnreachableError:
                self._client = None
                self._tell(connection="gone", text=say("gone"))
            except Exception as error:
                view = replace(view, state="failed", error=error_json(as_client_error(error)))
                self._tell(job=view)
        self._awaited = False
        self._followed.discard(submission.id)
        self._cancelled.discard(submission.id)

    def _step(self, submission: Submission, view: JobView) -> JobView:
        """Submit the job if it isn't, then bring its next events."""
        assert self._client is not None
        if view.sequence == 0 and not submission.known:
            upload_and_submit(self._client, submission)
        if submission.id in self._cancelled:
            self._client.cancel(submission.id)
        found = self._client.events(submission.id, view.sequence, WAIT_SECONDS)
        before = view
        for event in found["events"]:
            view = view.after(event)
        view = view.with_ahead(found["job"]["ahead"])
        if view.preview is not None and view.preview != before.preview and not view.ended:
            self._bring_preview(submission.id, view.preview)
        pictures = self._bring(submission, view)
        self._tell(job=view)
        if view.state == "finished":
            self._news.put(lambda: self._host.insert(view, pictures))
        return view

    def _bring_preview(self, id: str, image: str) -> None:
        """A preview that is gone already is no loss."""
        assert self._client is not None
        try:
            picture = self._client.download(image)
        except RefusedError:
            return
        self._news.put(lambda: self._host.preview(id, picture))

    def _bring(self, submission: Submission, view: JobView) -> dict[str, bytes]:
        assert self._client is not None
        if submission.fetch is None:
            return {}
        wanted = submission.fetch if submission.fetch else tuple(view.artifacts)
        return {
            name: self._client.download(view.artifacts[name]) for name in wanted if name in view.artifacts
        }
