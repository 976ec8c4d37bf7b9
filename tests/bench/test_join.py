"""The join in fourteen cases: eight edits by known words, and six by words learned earlier, without adapters:
three begun from a picture of the thing itself, which replaces something in two, one from the photo, and two
photos in a learned style.

``record_join.py`` made what is recorded. The cases are a sample of what works: they say when something
breaks, not how good it is; docs/quality.md says that.
"""

from __future__ import annotations

import json

from bench.record_join import CASES, FIGURES, PICTURES, RECORDED, VIEWED, Figures, run_cases
from palimpsest.bench.quality_cases import make_case
from palimpsest.bench.quality_identity import LARGEST
from palimpsest.models.families import published_widths
from palimpsest.storage.concepts import ConceptLibrary
from palimpsest.tasks.runner import TaskRunner

POINTS = 3  # by which joint success may fall below what is recorded


def test_the_edits_reach_what_is_recorded(runner: TaskRunner) -> None:
    recorded = Figures(**json.loads(FIGURES.read_text(encoding="utf-8")))
    outcomes = run_cases(runner)
    reached = Figures.of(outcomes)
    told = "; ".join(
        f"{o.kind} {o.number}: asked {o.success}, kept {o.kept}, distance {o.distance}" for o in outcomes
    )
    assert 100 * reached.joint / len(CASES) >= 100 * recorded.joint / len(CASES) - POINTS, told
    broken = [name for name, held in recorded.identity.items() if held and not reached.identity[name]]
    assert not broken, told
    assert all(o.nearer for o in outcomes if o.kind == "learned-style"), told
    assert all(o.pixels_changed_outside == 0 for o in outcomes)


def test_what_is_recorded_is_worth_holding() -> None:
    recorded = Figures(**json.loads(FIGURES.read_text(encoding="utf-8")))
    assert recorded.joint == len(CASES) == 14
    assert list(recorded.identity) == list(recorded.distance)
    assert sum(recorded.identity.values()) >= 8
    for name, held in recorded.identity.items():
        assert recorded.distance[name] <= LARGEST or not held
    assert recorded.distance["insert-learned-combination 68"] < 0.75 * LARGEST, "far from the threshold"


def test_the_learned_words_have_pictures_of_their_own() -> None:
    for kind, number in CASES:
        concept = make_case(kind, number).concept
        if kind in VIEWED:
            assert concept is not None
            assert len(ConceptLibrary(RECORDED, published_widths()).pictures(concept.name)) == PICTURES
