"""A small job beside the one that is under way: sent and followed by questions, and then forgotten.

The session never has it as its job: nothing is placed, nothing waits behind it, and it is no result.
"""

from __future__ import annotations

import secrets
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from ..http.client import Client
from ..http.job_view import JobView
from ..http.protocol import UNATTENDED, ClientError, RefusedError
from ..http.session import Session
from ..http.submission import Submission, upload_and_submit

TAKEN_FOR_GONE = "unattended"  # a code of ``failed``: the backend cancelled the job, having heard nothing
WAIT_SECONDS = 0.2  # one long poll: as long as a job may have to wait for the network's thread
UNATTENDED_SECONDS = 10.0  # of silence, after which the backend cancels the job


class BackgroundJob:
    """``done`` gets its pictures, artifact name → bytes; ``failed`` the code of what went wrong: of the
    error, TAKEN_FOR_GONE, or "cancelled" by somebody."""

    def __init__(
        self,
        session: Session,
        request: Mapping[str, Any],
        done: Callable[[Mapping[str, bytes]], None],
        failed: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        id = "beside-" + secrets.token_hex(12)  # not as an editor's own, which are taken up after a restart
        submission = Submission("edit", request, fetch=None, id=id, unattended_seconds=UNATTENDED_SECONDS)
        self._session, self._clock = session, clock
        self._done, self._failed = done, failed
        self._view = JobView(submission.id)
        self._began: Optional[float] = None
        self._stopped = False
        session.ask(lambda client: upload_and_submit(client, submission), lambda _: self._look(), self._broke)

    @property
    def seconds(self) -> float:
        """For which a worker has been busy with it."""
        return 0.0 if self._began is None else self._clock() - self._began

    def stop(self) -> None:
        """Ask for its end. Nobody is told anything any more."""
        self._stopped = True
        self._session.ask(lambda client: client.cancel(self._view.id))

    def _look(self) -> None:
        view, wait = self._view, 0.0 if self._stopped else WAIT_SECONDS
        self._session.ask(lambda client: next_events(client, view, wait), self._have, self._broke)

    def _have(self, found: Tuple[JobView, Mapping[str, bytes]]) -> None:
        self._view, pictures = found
        if self._began is None and self._view.state != "queued":
            self._began = self._clock()
        if not self._view.ended:
            self._look()
        elif self._stopped:
            return
        elif self._view.state == "finished":
            self._done(pictures)
        else:
            taken = self._view.state == "cancelled" and self._view.notice == UNATTENDED
            self._failed(TAKEN_FOR_GONE if taken else str(self._view.error.get("code", self._view.state)))

    def _broke(self, error: ClientError) -> None:
        if not self._stopped:
            self._failed(error.code)


def next_events(client: Client, view: JobView, wait: float) -> Tuple[JobView, Mapping[str, bytes]]:
    """Its next events and, at its end, its pictures. Then the backend forgets it: it is nothing to keep."""
    for event in client.events(view.id, view.sequence, wait)["events"]:
        view = view.after(event)
    pictures: Dict[str, bytes] = {}
    if view.state == "finished":
        pictures = {name: client.download(image) for name, image in view.artifacts.items()}
    if view.ended:
        try:
            client.forget(view.id)
        except RefusedError:
            pass  # somebody else did
    return view, pictures
