"""Figures carry their uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from palimpsest.bench.statistics import paired_difference


def test_a_paired_difference_is_that_of_the_cases() -> None:
    found = paired_difference([0, 0, 1, 1], [1, 1, 1, 1])
    assert (found.mean, found.n) == (0.5, 4)
    assert found.low == 0
    assert found.high == 1
    assert found == paired_difference([0, 0, 1, 1], [1, 1, 1, 1])


def test_pairing_leaves_out_what_the_cases_differ_in() -> None:
    """The same small gain in cases that differ widely is certain."""
    first = np.linspace(0, 30, 40)
    found = paired_difference(list(first), list(first + 0.5))
    assert (found.low, found.mean, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        gaps = rng.normal(0.3, 1, 48)
        found = paired_difference([0.0] * 48, list(gaps), rounds=500)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.3 <= found.high
    assert 0.88 < hits / 200 <= 1


def test_nothing_is_no_difference() -> None:
    assert paired_difference([], []).to_json() == {"mean": None, "low": None, "high": None, "n": 0}
