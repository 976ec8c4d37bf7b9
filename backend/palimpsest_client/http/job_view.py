"""A job as the client sees it: events in, state out. Pure; no clock, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..text.wording import duration, error_text, phase, say
from .protocol import ENDED


@dataclass(frozen=True)
class JobView:
    """Feed it with ``after``; an event that it has seen already changes nothing."""

    id: str
    state: str = "queued"
    sequence: int = 0
    ahead: int | None = None  # jobs before this one
    phase: str = ""
    index: int = 0
    total: int = 0
    seconds_left: float | None = None
    preview: str | None = None  # sha256 of the latest preview
    artifacts: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    notice: str = ""  # why it was sent back or cancelled

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def fraction(self) -> float:
        """Of the current phase, 0 … 1."""
        return self.index / self.total if self.total > 0 else 0.0

    def after(self, event: Mapping[str, Any]) -> JobView:
        """The view after one event. Old numbers and events of a later protocol are ignored."""
        if event["sequence"] <= self.sequence:
            return self
        change = CHANGES.get(event["event"])
        told = {} if change is None else change(event)
        return replace(self, sequence=event["sequence"], **told)

    def with_ahead(self, ahead: int | None) -> JobView:
        return replace(self, ahead=ahead)

    def text(self) -> str:
        """One line for people."""
        if self.state == "queued":
            return waiting_text(self.ahead)
        if self.state == "running":
            return running_text(self)
        if self.state == "failed":
            return error_text(self.error) or say("failed")
        return say("done") if self.state == "finished" else say("cancelled")


CHANGES = {
    "queued": lambda event: {"state": "queued", "notice": event["reason"], "index": 0, "total": 0},
    "started": lambda event: {"state": "running", "ahead": None},
    "progressed": lambda event: {name: event[name] for name in ("phase", "index", "total", "seconds_left")},
    "previewed": lambda event: {"preview": event["image"]},
    "finished": lambda event: {
        "state": "finished",
        "artifacts": event["artifacts"],
        "result": event["result"],
    },
    "failed": lambda event: {"state": "failed", "error": event["error"]},
    "cancelled": lambda event: {"state": "cancelled", "notice": event["reason"]},
}


def waiting_text(ahead: int | None) -> str:
    return say("waiting-behind", n=ahead) if ahead else say("waiting")


def running_text(view: JobView) -> str:
    parts = [phase(view.phase)]
    if view.total > 1:
        parts.append(say("n-of-m", n=view.index, m=view.total))
    if view.seconds_left is not None:
        parts.append(duration(view.seconds_left))
    return " · ".join(parts)
