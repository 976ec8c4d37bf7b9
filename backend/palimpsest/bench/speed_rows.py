"""The rows of ``bench speed``: what a piece of work took, beside diffusers' pipeline on the same networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median as middle
from typing import Any

from palimpsest.bench.meter import Metered, median, metered
from palimpsest.bench.plain import plain_sampling
from palimpsest.contract import Request
from palimpsest.core.model import DiffusionModel
from palimpsest.jobs.events import Progressed
from palimpsest.tasks.progress import PHASES, is_out_of_memory
from palimpsest.tasks.runner import TaskRunner

PROMPT = "a photo of a red ball on grass"
STEPPED = frozenset(PHASES.values()) - {"comparing"}  # phases whose progress is told after each step


@dataclass(frozen=True)
class Row:
    """One piece of work; of several runs the median one. ``failed`` instead, where memory didn't suffice."""

    name: str
    runs: int
    seconds: float | None = None
    evaluations: int = 0  # forward
    backward: int = 0
    calls: int = 0
    against: float | None = None  # of the seconds that diffusers' pipeline takes for as many evaluations
    outside: float | None = None  # share of the time outside the networks
    peak: int | None = None  # bytes of memory, see ``meter.peak_memory``
    phases: dict[str, float] = field(default_factory=dict)  # seconds
    failed: str = ""
    series: str = ""  # what grows from row to row, where something does
    at: int = 0  # how large that is here
    times: float | None = None  # the seconds of the series' first row


@dataclass(frozen=True)
class Run:
    """What one run took, and how long each of its phases did."""

    metered: Metered
    phases: dict[str, float] = field(default_factory=dict)
    against: float | None = None


@dataclass(frozen=True)
class Stopwatch:
    """Measures work with one loaded model."""

    runner: TaskRunner
    model: DiffusionModel

    def work(self, work: Callable[[], Any], beside: bool = False) -> Run:
        """``beside``: diffusers' pipeline is measured right after it."""
        with metered(self.model) as made:
            work()
        return Run(made, against=self._against(made) if beside else None)

    def job(self, request: Request, beside: bool = False) -> Run:
        """A job as the product runs it."""
        phases: dict[str, float] = {}
        before, latest = time.perf_counter(), ""
        with metered(self.model) as made:
            for event in self.runner.do(request):
                now, phase = time.perf_counter(), event.phase if isinstance(event, Progressed) else ""
                spent_on = phase if phase in STEPPED else latest or phase
                if spent_on:
                    phases[spent_on] = phases.get(spent_on, 0.0) + now - before
                before, latest = now, phase or latest
        return Run(made, phases, self._against(made) if beside else None)

    @cached_property
    def plain(self) -> Callable[[int], Any]:
        """Diffusers' pipeline, warmed up; a function of the steps."""
        pipeline = plain_sampling(self.model, PROMPT)
        pipeline(1)
        return pipeline

    def _against(self, made: Metered) -> float | None:
        """None where gradients ran, which are another kind of work, and where the pipeline had no memory
        or evaluated nothing."""
        if made.backward or not made.evaluations:
            return None
        try:
            pipeline, steps = self.plain, max(1, round(made.evaluations / 2))
            with metered(self.model) as plain:
                pipeline(steps)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                return None
            raise
        if not plain.evaluations:
            return None
        return made.seconds / made.evaluations / (plain.seconds / plain.evaluations)


def row_of(name: str, runs: Sequence[Run]) -> Row:
    chosen = median([run.metered for run in runs])
    phases = next(run.phases for run in runs if run.metered is chosen)
    against = [run.against for run in runs if run.against is not None]
    return Row(
        name,
        len(runs),
        round(chosen.seconds, 5),
        chosen.evaluations,
        chosen.backward,
        chosen.calls,
        round(middle(against), 4) if against else None,
        None if chosen.outside is None else round(chosen.outside, 4),
        chosen.peak,
        {phase: round(seconds, 4) for phase, seconds in phases.items()},
    )
