"""The few statistics that reports quote, each with its uncertainty.

Rates carry the Wilson score interval (Wilson 1927, eq. 1), which stays inside [0, 1] and keeps its
coverage for small n and for rates near 0 or 1, where most of ours lie. Means carry a normal interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

Z95 = 1.959963984540054  # two-sided 95 % point of the standard normal


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``n`` trials. ``rate``, ``low`` and ``high`` are None when nothing was tried."""

    hits: int
    n: int

    @property
    def rate(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson score interval at 95 %."""
        if not self.n:
            return None
        p, z2 = self.hits / self.n, Z95**2
        centre = (p + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = Z95 / (1 + z2 / self.n) * math.sqrt(p * (1 - p) / self.n + z2 / (4 * self.n**2))
        return max(0.0, centre - half), min(1.0, centre + half)

    def to_json(self) -> dict[str, float | int | None]:
        low, high = (None, None) if self.interval is None else self.interval
        return {"hits": self.hits, "n": self.n, "rate": self.rate, "low": low, "high": high}

    def __str__(self) -> str:
        if self.interval is None:
            return "not measured (n = 0)"
        low, high = self.interval
        return f"{100 * self.hits / self.n:.1f} % ({100 * low:.1f} to {100 * high:.1f}, n = {self.n})"


@dataclass(frozen=True)
class Mean:
    """Mean and standard deviation of ``n`` values."""

    mean: float | None
    deviation: float | None
    n: int

    @property
    def half_width(self) -> float | None:
        """Half of the normal 95 % interval of the mean; None below two values."""
        return None if self.deviation is None else Z95 * self.deviation / math.sqrt(self.n)

    def to_json(self) -> dict[str, float | int | None]:
        return {"mean": self.mean, "deviation": self.deviation, "half_width": self.half_width, "n": self.n}

    def __str__(self) -> str:
        if self.mean is None:
            return "not measured (n = 0)"
        spread = "" if self.half_width is None else f" ± {self.half_width:.2f}"
        return f"{self.mean:.2f}{spread} (n = {self.n})"


@dataclass(frozen=True)
class Difference:
    """Mean of ``n`` differences between two values of the same case, with its bootstrap interval."""

    mean: float | None
    low: float | None
    high: float | None
    n: int

    def to_json(self) -> dict[str, float | int | None]:
        return asdict(self)


def paired_difference(
    first: Sequence[float], second: Sequence[float], rounds: int = 10_000, seed: int = 0
) -> Difference:
    """Of ``second`` to ``first``, case by case: percentile bootstrap at 95 % (Efron 1979) over the cases."""
    gaps = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    if not len(gaps):
        return Difference(None, None, None, 0)
    drawn = np.random.default_rng(seed).integers(len(gaps), size=(rounds, len(gaps)))
    low, high = np.percentile(gaps[drawn].mean(1), [2.5, 97.5])
    return Difference(float(gaps.mean()), float(low), float(high), len(gaps))


def rate(outcomes: Iterable[bool]) -> Rate:
    trials = [bool(outcome) for outcome in outcomes]
    return Rate(sum(trials), len(trials))


def mean(values: Sequence[float]) -> Mean:
    n = len(values)
    if not n:
        return Mean(None, None, 0)
    centre = sum(values) / n
    if n < 2:
        return Mean(centre, None, n)
    return Mean(centre, math.sqrt(sum((value - centre) ** 2 for value in values) / (n - 1)), n)
