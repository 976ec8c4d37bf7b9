"""What a job is said to need of a card is what it needs, counted without one in the models' true shapes."""

from __future__ import annotations

import json

import pytest

from palimpsest.bench.peaks import JOBS, peaks
from palimpsest.bench.shapes import FAMILIES
from palimpsest.cli import main
from palimpsest.models.families.stable_diffusion.kinds import KINDS
from palimpsest.models.needs import FIGURES, fitting, needed, needs
from palimpsest.models.plan import HIGH, LOW, MEDIUM, PLANS

CELLS = {"sd15": 64**2, "sd21": 96**2, "sdxl": 128**2}
GOALS = {
    "sd15": {"edit": 3e9, "learn": 4e9},
    "sdxl": {"edit": 6e9, "learn": 8e9, "null-text": 12e9},
}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
@pytest.mark.parametrize("shape", CELLS)
def test_estimates_are_within_a_tenth_and_smaller_plans_reach_the_goals(shape: str, plan: object) -> None:
    assert isinstance(plan, type(HIGH))
    counted = peaks(shape, plan)
    for job in JOBS:
        estimate = needed(FAMILIES[shape], plan, job, CELLS[shape])
        assert estimate == pytest.approx(counted[job], rel=0.1), job
    if plan != HIGH:
        assert all(counted[job] <= most for job, most in GOALS.get(shape, {}).items())


def test_families_without_figures_are_left_alone() -> None:
    assert set(FIGURES) == set(KINDS) - {"demo"}
    assert needs("demo", 128, 8) == {}
    assert fitting("demo", 256, 0, HIGH) == HIGH


@pytest.mark.parametrize(
    ("gigabytes", "plan"), [(16, HIGH), (8, MEDIUM), (6.2, MEDIUM), (4, LOW), (0.1, LOW)]
)
def test_sdxl_takes_the_largest_plan_that_fits(gigabytes: float, plan: object) -> None:
    assert fitting("sdxl", CELLS["sdxl"], int(gigabytes * 1e9), HIGH) == plan


def test_the_command_prints_a_row_for_every_plan_and_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "memory", "--shape", "tiny"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| plan | job | tiny |"
    assert len(rows) == len(PLANS) * len(JOBS)
    assert main(["bench", "memory", "--shape", "tiny", "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)["tiny"]
    assert counted.keys() == {plan.name for plan in PLANS}
