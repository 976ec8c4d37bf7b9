"""The join in ten cases: words learned earlier, replaced and inserted by, with known words beside them.

``record_join.py`` made what is recorded. The cases are a sample of what works: they say when something
breaks, not how good it is; docs/quality.md says that.
"""

from __future__ import annotations

import json

from bench.record_join import CASES, FIGURES, Figures, run_cases
from palimpsest.tasks.workplace import Workplace
from workplaces import place

__all__ = ["place"]
POINTS = 3  # by which joint success may fall below what is recorded


def test_ten_edits_reach_what_is_recorded(place: Workplace) -> None:
    recorded = Figures(**json.loads(FIGURES.read_text(encoding="utf-8")))
    outcomes = run_cases(place)
    reached = Figures.of(outcomes)
    told = "; ".join(
        f"{o.kind} {o.number}: asked {o.success}, kept {o.kept}, distance {o.distance}" for o in outcomes
    )
    assert 100 * reached.joint / len(CASES) >= 100 * recorded.joint / len(CASES) - POINTS, told
    broken = [name for name, held in recorded.identity.items() if held and not reached.identity[name]]
    assert not broken, told
    assert all(o.pixels_changed_outside == 0 for o in outcomes)


def test_what_is_recorded_is_worth_holding() -> None:
    recorded = Figures(**json.loads(FIGURES.read_text(encoding="utf-8")))
    assert len(CASES) == 10
    assert recorded.joint >= 9
    assert sum(recorded.identity.values()) >= 8
