"""Every operation does what it says, and none does what another says: the judge sees it in the picture.

With the built-in model on development cases, which no reported figure is of.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from palimpsest.bench.quality import edited
from palimpsest.bench.quality_cases import make_case
from palimpsest.builtin.judge import load_judge
from palimpsest.contract import BUILT_IN
from palimpsest.core.editing.recipes import RECIPES, Recipes
from palimpsest.tasks.runner import TaskRunner

FAINT = replace(RECIPES["restyle"].selected, noise=0.1)
REMOVE = RECIPES["remove"].selected
#: operation → what is put in place of its recipe, and must be found out. A style comes through by every
#: recipe that lets the words in: so restyle's is kept, with too little noise for them. What is drawn to be
#: inserted goes only under all of the noise.
WRONG = {
    "replace": RECIPES["remove"],
    "insert": Recipes(REMOVE, viewed=replace(REMOVE, noise=1.0)),
    "remove": RECIPES["replace"],
    "restyle": Recipes(FAINT, FAINT),
}
CASE = 1


def achieved(runner: TaskRunner, operation: str) -> bool:
    """Whether the judge sees what the case asks for."""
    judge, case = load_judge(), make_case(operation, CASE, "development")
    outcome = edited(runner, BUILT_IN, judge, case, CASE)
    assert outcome.pixels_changed_outside == 0
    return outcome.success


@pytest.mark.parametrize("operation", WRONG)
def test_an_operation_does_what_it_says_and_by_a_wrong_recipe_does_not(
    operation: str, runner: TaskRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert achieved(runner, operation)
    monkeypatch.setitem(RECIPES, operation, WRONG[operation])
    assert not achieved(runner, operation)
