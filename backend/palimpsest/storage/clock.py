"""Notices when the system's clock jumps, so that nothing is thrown away for being as old as the jump.

While the program runs, a steady clock says how much time has really passed. For the time that no program ran
nothing says it: up to a day is believed, more is taken for a jump. So what is kept by its age may be kept
longer by the days that no server ran, and never shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable

JUMP = 60.0  # seconds; less is a clock that is being set right
DAY = 86400.0


def steady_seconds() -> float:
    """A clock that is never set; where the system has one that goes on in standby, that."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """Seconds since the epoch, and how far they have jumped since ``settle``."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady_seconds
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._settled = wall(), steady()

    def now(self) -> float:
        return self._wall()

    def settle(self) -> None:
        """The jump was dealt with."""
        self._settled = self._wall(), self._steady()

    def jump(self) -> float:
        """Seconds, negative for one back; 0 for none."""
        wall, steady = self._settled
        return jump_of(self._wall() - wall, self._steady() - steady)

    def jump_since(self, last: float) -> float:
        """The same since another program of ours saw the clock at ``last``."""
        passed = self._wall() - last
        return jump_of(passed, min(max(passed, 0.0), DAY))


def jump_of(shown: float, passed: float) -> float:
    return shown - passed if abs(shown - passed) > JUMP else 0.0
