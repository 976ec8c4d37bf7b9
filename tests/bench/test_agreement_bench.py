"""The odd-picture benchmark: thresholds are judged by sets that didn't choose them, on true sets."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from palimpsest.bench.agreement import VIEWS, Scored, chosen, gathered, judged, measure, named
from palimpsest.cli import main
from palimpsest.cli.bench import WEIGHTS
from palimpsest.errors import RequestError
from palimpsest.models.families import load
from palimpsest.scenes.concepts import CONCEPTS


def scored(score: float, stranger: bool, found: bool = True, choosing: bool = False) -> Scored:
    return Scored("a", "b" if stranger else None, True, score, found if stranger else None, choosing)


def test_a_threshold_is_judged_by_the_sets_that_did_not_choose_it() -> None:
    choosing = [scored(k / 100, False, choosing=True) for k in range(101)]
    others = [scored(0.5, False), scored(0.99, False), scored(2.0, True), scored(2.0, True, found=False)]
    sets = choosing + others
    assert chosen(sets) == pytest.approx(0.95)
    verdict = judged(sets, chosen(sets))
    assert (verdict.false_alarms.hits, verdict.false_alarms.n) == (1, 2)
    assert (verdict.caught.hits, verdict.caught.n) == (1, 2), "a high score for the wrong picture is no catch"
    assert (named(sets).hits, named(sets).n) == (1, 2)


def test_a_set_shows_one_subject_or_a_stranger_last() -> None:
    own, other = CONCEPTS["toy"], CONCEPTS["owl"]
    pictures, masks = gathered(own, None, 2_100_000)
    mixed, mixed_masks = gathered(own, other, 2_100_000)
    assert len(pictures) == len(mixed) == len(mixed_masks) == VIEWS
    assert all(mask.any() and not mask.all() for mask in masks)
    assert all(picture.dtype == np.float32 and picture.max() <= 1 for picture in pictures)
    assert np.array_equal(mixed[0], pictures[0])
    assert not np.array_equal(mixed[-1], pictures[-1])


def test_the_built_in_model_scores_each_set_with_masks_and_without_and_the_same_way_again() -> None:
    model = load(WEIGHTS)
    first = list(itertools.islice(measure(model, 1), 4))
    assert [(s.stranger is None, s.masked) for s in first] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert all(s.score > 0 for s in first)
    assert list(itertools.islice(measure(model, 1), 2)) == first[:2]


def test_one_round_is_refused_since_nothing_would_judge_its_threshold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "agreement.json"
    assert main(["bench", "agreement", "--rounds", "1", "--output", str(output)]) == RequestError.exit_code
    assert "1 rounds" in capsys.readouterr().err
    assert not output.exists()
