"""Several methods by the same cases: tables, differences and the picture."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from palimpsest.bench import quality_store
from palimpsest.bench.quality import Extent, files, measure
from palimpsest.bench.quality_methods import PHOTO, TRUTH, best, pareto, side_by_side
from palimpsest.bench.quality_report import Outcome
from palimpsest.bench.quality_store import Store
from palimpsest.contract import BUILT_IN, InversionMethod
from palimpsest.tasks.runner import TaskRunner

OUTCOME = Outcome(
    "direct", "replace", 0, "a", "b", success=True, kept=None, reflected=None, joint=True, ceiling=True,
    reflected_ceiling=None, distance=0.05, ceiling_distance=0.05, pixels_changed_outside=0,
    outside_psnr=30.0, truth_psnr=20.0, photo_psnr=10.0, unet_evaluations=100, backward_evaluations=0,
    seconds=1.0, picture=np.zeros((4, 12, 3), np.uint8),
)  # fmt: skip


def outcomes() -> list[Outcome]:
    """Of two cases: the second method is 3 dB better in one, fails in the other, and costs twice as much."""
    first = [replace(OUTCOME, number=number) for number in (0, 1)]
    second = [replace(one, method="virtual", unet_evaluations=200) for one in first]
    second[0] = replace(second[0], truth_psnr=23.0)
    second[1] = replace(second[1], joint=False)
    limits = [replace(one, method=name) for one in first for name in (PHOTO, TRUTH)]
    return [*first, *second, *limits]


def test_differences_are_taken_case_by_case_against_the_first() -> None:
    found = side_by_side(outcomes(), ["direct", "virtual"])["replace"]
    assert list(found) == ["direct", "virtual", TRUTH, PHOTO]
    assert found["direct"]["against"]["joint"]["mean"] == 0
    assert found["virtual"]["against"]["joint"]["mean"] == -0.5
    assert found["virtual"]["against"]["truth_psnr"]["mean"] == pytest.approx(1.5)
    assert [case["truth_psnr"] for case in found["virtual"]["cases"]] == [23.0, 20.0]
    assert found["virtual"]["unet_evaluations"]["mean"] == 200


def test_the_best_are_those_that_none_beats_in_both() -> None:
    points = {"dear": (4.0, 9.0), "bad": (3.0, 1.0), "cheap": (1.0, 2.0), "as good": (5.0, 9.0)}
    assert best(points) == ["cheap", "dear"]
    assert best({"worse": (1.0, 1.0), "better": (1.0, 2.0)}) == ["better"]


def test_the_picture_has_two_plots_for_each_kind() -> None:
    one = side_by_side(outcomes(), ["direct", "virtual"])
    sizes = [Image.open(io.BytesIO(pareto(kinds))).size for kinds in (one, {**one, "again": one["replace"]})]
    assert sizes[0][0] == sizes[1][0]
    assert sizes[0][1] < sizes[1][1]


def test_a_run_by_several_methods_reports_each_and_what_they_are_measured_by(
    runner: TaskRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cold by each, and done once: the next run finds each method's own picture."""
    by: tuple[InversionMethod, ...] = ("direct", "straight")
    extent = Extent(0, 1, edited_by=by, kinds=("remove",))
    report, made = measure(runner, BUILT_IN, extent, Store(tmp_path))
    assert [outcome.method for outcome in made] == list(by)
    assert [case["method"] for case in report["cases"]] == ["direct"]
    direct, straight = (outcome.unet_evaluations for outcome in made)
    assert direct - straight == report["steps"] / 2, "a removal begins at half of the noise"
    found = report["methods"]["remove"]
    assert found[PHOTO]["joint"]["rate"] == 0
    assert found[TRUTH]["joint"]["rate"] == 1
    written = files(report, made)
    assert "| straight: one remembered noise |" in written["report.md"].decode()
    assert written["pareto.png"][1:4] == b"PNG"
    monkeypatch.setattr(quality_store, "finish", lambda *_: pytest.fail("was done before"))
    again = measure(runner, BUILT_IN, extent, Store(tmp_path))[1]
    assert again == made
    assert not np.array_equal(made[0].picture, made[1].picture)
