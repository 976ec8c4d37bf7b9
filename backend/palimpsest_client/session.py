"""Between a client and an editor: the network on one thread, everything else on the editor's own.

The plug-in calls ``drain`` from its timer. Nothing here waits on the editor's thread, and the host is
called on no other.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .client import Client
from .jobview import JobView
from .protocol import PROTOCOL, ClientError, RefusedError, UnreachableError

RETRY_SECONDS = 2.0
WAIT_SECONDS = 2.0  # one long poll: also how soon a cancel is sent while one waits

NO_BACKEND = "Palimpsest's backend isn't running."
STOPPED = "The backend stopped. Your job is kept and goes on when it is back."


class Host:
    """The editor, as far as results need it. A plug-in overrides these; all on the editor's thread."""

    def show(self, state: SessionState) -> None:
        """Something changed that people see."""

    def preview(self, picture: bytes) -> None:
        """A small PNG of the result as it forms."""

    def insert(self, view: JobView, pictures: Mapping[str, bytes]) -> None:
        """The job is done: put its pictures (artifact name → bytes) into the document."""


@dataclass(frozen=True)
class SessionState:
    """What the panel shows. connection: "searching", "ready", "gone", "refused" or "mismatch"."""

    connection: str = "searching"
    text: str = NO_BACKEND
    system: dict[str, Any] = field(default_factory=dict)
    job: JobView | None = None

    @property
    def can_submit(self) -> bool:
        return self.connection == "ready" and (self.job is None or self.job.ended)


@dataclass(frozen=True)
class Order:
    """A job to be: ``pictures`` are sent first, and their ids put into the request under their names."""

    kind: str
    request: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # "image", "selection"
    fetch: tuple[str, ...] = ()  # artifacts to bring back; empty = all
    unattended_seconds: float | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class Session:
    """``start``, then ``submit``, ``cancel`` and ``drain`` from the editor's thread, then ``stop``."""

    def __init__(self, connect: Callable[[], Client], host: Host) -> None:
        self.state = SessionState()
        self._connect = connect
        self._host = host
        self._client: Client | None = None
        self._orders: queue.Queue[Order | None] = queue.Queue()
        self._news: queue.Queue[Callable[[], None]] = queue.Queue()
        self._cancelled = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="palimpsest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave; a running job goes on without us. Doesn't wait for the network."""
        self._stopping.set()
        self._orders.put(None)

    def submit(self, order: Order) -> None:
        self._cancelled.clear()
        self._change(job=JobView(order.id))
        self._orders.put(order)

    def cancel(self) -> None:
        """Ask for the end of the present job."""
        self._cancelled.set()

    def drain(self) -> None:
        """Take in what happened since the last call. Call it from the editor's timer."""
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return
            news()

    # On the editor's thread.

    def _change(self, **change: Any) -> None:
        self.state = replace(self.state, **change)
        self._host.show(self.state)

    # On the network's thread.

    def _tell(self, **change: Any) -> None:
        self._news.put(lambda: self._change(**change))

    def _work(self) -> None:
        while not self._stopping.is_set():
            if self._client is None and not self._find():
                self._stopping.wait(RETRY_SECONDS)
                continue
            order = self._next_order()
            if order is not None:
                self._carry_out(order)

    def _next_order(self) -> Order | None:
        try:
            return self._orders.get(timeout=RETRY_SECONDS)
        except queue.Empty:
            self._check()
            return None

    def _find(self) -> bool:
        """Whether a server is there that we can talk to; says what is the matter if not."""
        try:
            client = self._connect()
            require_protocol(client.health())
            system = client.system()
        except ClientError as error:
            self._tell(connection=trouble(error), text=str(error))
            return False
        self._client = client
        self._tell(connection="ready", text="Ready", system=system)
        return True

    def _check(self) -> None:
        """Look whether the server is still there while nothing else happens."""
        assert self._client is not None
        try:
            self._tell(system=self._client.system())
        except ClientError as error:
            self._client = None
            self._tell(connection=trouble(error), text=str(error))

    def _carry_out(self, order: Order) -> None:
        """Until the job has ended. A server that goes away is waited for: the job is kept there."""
        view = JobView(order.id)
        while not self._stopping.is_set() and not view.ended:
            try:
                if self._client is not None or self._find():
                    view = self._step(order, view)
                else:
                    self._stopping.wait(RETRY_SECONDS)
            except UnreachableError:
                self._client = None
                self._tell(connection="gone", text=STOPPED)
            except ClientError as error:
                view = replace(view, state="failed", error=told(error))
                self._tell(job=view)

    def _step(self, order: Order, view: JobView) -> JobView:
        """Submit the job if it isn't, then bring its next events."""
        assert self._client is not None
        if view.sequence == 0:
            self._send(order)
        if self._cancelled.is_set():
            self._client.cancel(order.id)
        found = self._client.events(order.id, view.sequence, WAIT_SECONDS)
        before = view
        for event in found["events"]:
            view = view.after(event)
        view = view.with_ahead(found["job"]["ahead"])
        if view.preview is not None and view.preview != before.preview and not view.ended:
            self._bring_preview(view.preview)
        pictures = self._bring(order, view)
        self._tell(job=view)
        if view.state == "finished":
            self._news.put(lambda: self._host.insert(view, pictures))
        return view

    def _send(self, order: Order) -> None:
        assert self._client is not None
        ids = {name: self._client.upload(content) for name, content in order.pictures.items()}
        self._client.submit(
            order.id, order.kind, {**order.request, **ids}, unattended_seconds=order.unattended_seconds
        )

    def _bring_preview(self, image: str) -> None:
        """A preview that is gone already is no loss."""
        assert self._client is not None
        try:
            picture = self._client.download(image)
        except RefusedError:
            return
        self._news.put(lambda: self._host.preview(picture))

    def _bring(self, order: Order, view: JobView) -> dict[str, bytes]:
        assert self._client is not None
        wanted: list[str] = list(order.fetch) if order.fetch else list(view.artifacts)
        return {
            name: self._client.download(view.artifacts[name]) for name in wanted if name in view.artifacts
        }


def require_protocol(health: Mapping[str, Any]) -> None:
    if health["protocol"] != PROTOCOL:
        text = f"The backend speaks version {health['protocol']}, this plug-in version {PROTOCOL}"
        raise RefusedError(426, {"code": "protocol_mismatch", "message": text + ": run install.py again."})


def trouble(error: ClientError) -> str:
    """The connection's state after ``error``."""
    if error.code == "protocol_mismatch":
        return "mismatch"
    return "searching" if isinstance(error, UnreachableError) else "refused"


def told(error: ClientError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint, "details": {}}
