"""The quality benchmark's cases are true, its judgement can tell right from wrong, its report adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from palimpsest.bench.quality import WHOLE, Extent, edited, files, keeps, measure, psnr, succeeds
from palimpsest.bench.quality_cases import KINDS, make_case
from palimpsest.contract import BUILT_IN
from palimpsest.core.selection import grown
from palimpsest.demo.judge import load_judge
from palimpsest.demo.scenes import TEST_SEEDS
from palimpsest.tasks.workplace import Workplace
from palimpsest.tour.make_pictures import MARGIN
from workplaces import place

__all__ = ["place"]
SIZE = 128


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_changes_only_its_selection(kind: str) -> None:
    for number in range(4):
        case = make_case(kind, number)
        assert case == make_case(kind, number)
        assert case.before.seed in TEST_SEEDS
        assert case.shows != case.should_show
        before, after = case.drawn(SIZE)
        mask = case.selection(SIZE)
        if mask is not None:
            assert 0 < (mask > 0).mean() < 0.9
            assert np.array_equal(before.image[mask == 0], after.image[mask == 0])


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_of_a_whole_run_is_there(kind: str) -> None:
    assert all(make_case(kind, number).before.seed in TEST_SEEDS for number in range(WHOLE[1]))


def test_the_judge_accepts_the_truth_and_refuses_the_unedited_photo() -> None:
    """Over all kinds together: a judge that always agreed, or never, would be useless."""
    judge, cases = load_judge(), [make_case(kind, number) for kind in KINDS for number in range(4)]
    true = [succeeds(judge, case, case.drawn(SIZE)[1].image, SIZE) for case in cases]
    unedited = [succeeds(judge, case, case.drawn(SIZE)[0].image, SIZE) for case in cases]
    kept = [keeps(judge, case, case.drawn(SIZE)[1].image, SIZE) for case in cases]
    assert np.mean(true) - np.mean(unedited) > 0.5
    assert any(value is not None for value in kept)


def test_psnr_is_that_of_the_definition() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    b = a.copy()
    b[0, 0, 0] = 255
    assert psnr(a, b) == pytest.approx(10 * np.log10(48), abs=1e-3)
    assert psnr(a, a) == 100


def test_the_report_adds_up(place: Workplace, tmp_path: Path) -> None:
    """One photo, one removal, with the built-in model at its own steps."""
    extent = Extent(1, 1, methods=("ddim", "direct"), kinds=("remove",))
    report, outcomes = measure(place, BUILT_IN, extent)
    recorded = report["reconstruction_psnr"]
    assert recorded["direct"]["values"] == recorded["autoencoder"]["values"]
    assert report["edits"]["remove"]["success"]["n"] == len(outcomes) == len(report["cases"]) == 1
    assert report["pixels_changed_outside"] == 0
    made = files(report, [replace(outcome, success=False) for outcome in outcomes])
    assert set(made) == {"report.json", "report.md", "edits.png"}
    assert json.loads(made["report.json"]) == json.loads(json.dumps(report))
    assert "| remove |" in made["report.md"].decode()


@pytest.mark.parametrize("kind", ["replace", "remove"])
def test_a_snug_selection_is_exactly_what_changes(kind: str) -> None:
    case = make_case(kind, 0)
    before, after = case.drawn(SIZE)
    snug, loose = case.selection(SIZE, 0), case.selection(SIZE)
    assert snug is not None
    assert loose is not None
    assert np.array_equal(snug > 0, (before.image != after.image).any(axis=-1))
    assert (loose[snug > 0] == 255).all()
    assert np.array_equal(case.selection(SIZE, 2), grown(snug, 2))


def test_what_is_selected_snugly_is_gone(place: Workplace) -> None:
    """With the operation's own growth, as well as with a loose selection, and as near to the truth."""
    judge, cases = load_judge(), [make_case("remove", number) for number in (0, 1)]
    snug, loose = (
        [edited(place, BUILT_IN, judge, case, 0, margin) for case in cases] for margin in (0, MARGIN)
    )
    assert all(outcome.success for outcome in snug)
    assert [outcome.kind for outcome in (snug[0], loose[0])] == ["remove, margin 0", "remove"]
    assert np.mean([o.truth_psnr for o in snug]) > np.mean([o.truth_psnr for o in loose]) - 2


def test_what_is_removed_does_not_come_back_as_its_neighbour(place: Workplace) -> None:
    """Another thing stands beside the hole and is named; nothing like it may grow there."""
    judge, cases = load_judge(), [make_case("remove", number) for number in (1, 3, 105, 123)]
    assert all(len(case.after.placed) == 1 for case in cases)
    outcomes = [edited(place, BUILT_IN, judge, case, 0) for case in cases]
    assert np.mean([outcome.truth_psnr for outcome in outcomes]) > 23
