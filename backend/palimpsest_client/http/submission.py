"""A job to be, and how it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from .client import Client
from .protocol import RefusedError


@dataclass(frozen=True)
class Submission:
    """A job to be: ``pictures`` are sent first, and their ids put into the request under their names.

    A name with dots puts the id deeper: "images.0" is the first of the list "images".
    """

    kind: str
    request: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # "image", "selection"
    fetch: tuple[str, ...] | None = ()  # artifacts to bring back; empty = all, None = none
    unattended_seconds: float | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    known: bool = False  # submitted before: only to be followed
    origin: str = ""  # kept by the backend with the job: ``Origin.note``
    ahead: Mapping[str, Callable[[], str]] = field(default_factory=dict)  # name → ``Outgoing.arrived``


def upload_and_submit(client: Client, submission: Submission) -> None:
    """Send it, on the network's thread; to do so twice is as to do it once."""
    ids = {name: arrived() for name, arrived in submission.ahead.items()}
    try:
        _submit_with(client, submission, ids)
    except RefusedError as error:
        if error.code != "image_not_found" or not any(ids.values()):
            raise
        _submit_with(client, submission, {})  # they were sent to another backend, or have gone there


def _submit_with(client: Client, submission: Submission, ids: Mapping[str, str]) -> None:
    """``ids``: of the pictures that are there; "" = not yet."""
    sent = {name: ids.get(name) or client.upload(content) for name, content in submission.pictures.items()}
    request, seconds = filled(submission.request, sent), submission.unattended_seconds
    client.submit(
        submission.id, submission.kind, request, unattended_seconds=seconds, origin=submission.origin
    )


def filled(request: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The request with the pictures' ids in it; numbered names ("images.0") make lists."""
    whole = dict(request)
    for name, id in ids.items():
        head, dot, place = name.partition(".")
        if not dot:
            whole[head] = id
            continue
        listed = list(whole.get(head, ()))
        listed += [None] * (int(place) + 1 - len(listed))
        listed[int(place)] = id
        whole[head] = listed
    return whole
