"""Edits that were asked for while another job was under way: they wait their turn, in order.

Each is read from the picture when it is asked for, and its job is sent to the backend at once, so that it is
done even if the editor goes meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Mapping, Optional, Tuple

from ..http.job_view import JobView
from ..http.session import Session
from ..http.submission import Order, post

MOST_WAITING = 20

Finished = Callable[[JobView, Mapping[str, bytes]], None]


@dataclass(frozen=True)
class Waiting:
    """One that waits, as the windows show it."""

    number: int
    name: str  # as its layer will be called


class Errand:
    """An edit from the asking to its turn. ``order`` and ``finished`` come when the picture is read."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.order: Optional[Order] = None
        self.finished: Optional[Finished] = None


class Line:
    """Those that wait, the next one first."""

    def __init__(self) -> None:
        self._errands: List[Errand] = []
        self._asked = 0

    @property
    def waiting(self) -> Tuple[Waiting, ...]:
        return tuple(errand.waiting for errand in self._errands)

    @property
    def full(self) -> bool:
        return len(self._errands) >= MOST_WAITING

    def add(self, name: str) -> Errand:
        self._asked += 1
        errand = Errand(Waiting(self._asked, name))
        self._errands.append(errand)
        return errand

    def holds(self, errand: Errand) -> bool:
        return errand in self._errands

    def next(self) -> Optional[Errand]:
        """Taken out of the line."""
        return self._errands.pop(0) if self._errands else None

    def clear(self) -> None:
        """What was sent goes on."""
        self._errands = []

    def drop(self, number: Optional[int], session: Session) -> None:
        """The one of this number, or all; what was sent of it is cancelled on the backend."""
        for errand in tuple(self._errands):
            if number is None or errand.waiting.number == number:
                self._errands.remove(errand)
                if errand.order is not None:
                    give_up(errand.order.id, session)


def send(order: Order, session: Session) -> None:
    """Now, while another job is followed. If that fails, it is sent again and the reason told in its turn."""
    session.ask(lambda client: post(client, order))


def give_up(id: str, session: Session) -> None:
    session.ask(lambda client: client.cancel(id))
