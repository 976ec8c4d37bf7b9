"""Everything that can happen to a job: seven events, frozen, JSON both ways, standard library only.

A task (see ``palimpsest.tasks``) is a generator that yields ``Progressed`` and ``Previewed`` and, as its
last event, ``Finished``; to fail it raises a PalimpsestError. The engine itself says ``Queued``,
``Started``, ``Failed`` and ``Cancelled``.  Pictures travel by the sha256 under which the image store
keeps them, so an event is always a small line of JSON.

    Queued → Started → (Progressed | Previewed)* → Finished | Failed | Cancelled

A worker that dies, or that is needed for something more urgent, sends its job back: a second ``Queued``
that says why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from palimpsest.errors import StorageError


@dataclass(frozen=True)
class Queued:
    """The job is accepted and waits. ``reason`` is empty the first time."""

    attempt: int = 1
    reason: str = ""


@dataclass(frozen=True)
class Started:
    """A worker took the job."""

    device: str = ""
    attempt: int = 1


@dataclass(frozen=True)
class Progressed:
    """``index`` of ``total`` steps of ``phase`` are done.

    phase: a short present participle that people read: "loading", "inverting", "editing", "learning".
    index: 0 … total. seconds_left: of the whole job, or None while nothing sensible can be said.
    """

    phase: str
    index: int
    total: int
    seconds_left: float | None = None


@dataclass(frozen=True)
class Previewed:
    """The picture as it forms: ``image`` is the sha256 of a small PNG in the image store."""

    image: str
    name: str = "preview"


@dataclass(frozen=True)
class Finished:
    """The result.

    artifacts: name → sha256 in the image store ("layer", "composite", "reconstruction", "map:cat", …).
    result: what else there is to say, plain JSON (measures, caption, recipe, concept name, …).
    """

    artifacts: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """``error`` is ``PalimpsestError.to_json()``: code, message, hint, details."""

    error: dict[str, Any]


@dataclass(frozen=True)
class Cancelled:
    """The job was stopped on request; ``reason`` says by whom if not by its owner."""

    reason: str = ""


Event = Queued | Started | Progressed | Previewed | Finished | Failed | Cancelled
Result = TypeVar("Result")
Events = Generator[Event, None, Result]
"""What does a job, or a part of it that returns a result. Closing it ends the work."""
EVENTS: dict[str, type[Event]] = {
    cls.__name__.lower(): cls for cls in (Queued, Started, Progressed, Previewed, Finished, Failed, Cancelled)
}


def to_json(event: Event) -> dict[str, Any]:
    """An event as plain JSON values: ``{"event": "progressed", "phase": …}``."""
    return {"event": type(event).__name__.lower(), **dataclasses.asdict(event)}


def from_json(data: dict[str, Any]) -> Event:
    """The inverse of ``to_json``. Raises StorageError for something that is no event."""
    fields = dict(data)
    kind = fields.pop("event", None)
    cls = EVENTS.get(kind) if isinstance(kind, str) else None
    try:
        if cls is not None:
            return cls(**fields)
    except TypeError:
        pass
    raise StorageError(f"{data!r} is not an event.", f"Events: {', '.join(EVENTS)}.")
