"""Long work on an editor's own thread, a slice at a time: generators that go on at each turn of its timer.

A piece of work is a generator that yields after each short step: ``WORKED``, or ``WAITING`` when there is
nothing to do before the next turn. Sentences for people are raised as ``WorkError``.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Generator, TypeVar

from ..text.wording import fault

BUDGET = 0.015  # seconds per turn; a step that has begun is finished
WORKED, WAITING = True, False

Result = TypeVar("Result")
Steps = Generator[bool, None, Result]


class WorkError(Exception):
    """What happened, as a sentence for people."""


class Slices:
    """``turn`` is called from the editor's timer while ``busy``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._work: list[tuple[Steps[Any], Callable[[str], None]]] = []
        self._turning = False

    @property
    def busy(self) -> bool:
        return bool(self._work)

    def add(self, steps: Steps[Any], failed: Callable[[str], None]) -> None:
        """``failed`` gets a sentence if it raises. Nothing runs before the next turn."""
        self._work.append((steps, failed))

    def turn(self) -> None:
        """Go on with all work in turn until the time is up or everything waits.

        An editor that is called in a step may let its timers run meanwhile: such a turn does nothing.
        """
        if self._turning:
            return
        self._turning = True
        try:
            end = self._clock() + BUDGET
            while self._round() and self._clock() < end:
                pass
        finally:
            self._turning = False

    def _round(self) -> bool:
        """One step of everything; whether anything was done."""
        worked = False
        for work in list(self._work):
            worked = self._step(*work) or worked
        return worked

    def _step(self, steps: Steps[Any], failed: Callable[[str], None]) -> bool:
        try:
            return next(steps)
        except StopIteration:
            self._work.remove((steps, failed))
        except WorkError as error:
            self._work.remove((steps, failed))
            failed(str(error))
        except Exception as error:  # a fault of ours: people get a sentence, the log the rest
            self._work.remove((steps, failed))
            traceback.print_exc()
            failed(fault(error))
        return WORKED


def finish(steps: Steps[Result]) -> Result:
    """What the work comes to, done in one go: for what may not be seen half done."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def on_thread(call: Callable[[], Result]) -> Steps[Result]:
    """What ``call`` returns or raises, run on a thread of its own: ``value = yield from on_thread(call)``."""
    told: dict[str, Any] = {}

    def run() -> None:
        try:
            told["value"] = call()
        except BaseException as error:
            told["error"] = error

    thread = threading.Thread(target=run, name="palimpsest-pixels", daemon=True)
    thread.start()
    while thread.is_alive():
        yield WAITING
    if "error" in told:
        raise told["error"]
    return told["value"]
