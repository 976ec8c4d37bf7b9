"""What makes another result of the same request, read from two recipes."""

from __future__ import annotations

from typing import Any

from palimpsest.tasks.differences import differences_between

RECIPE: dict[str, Any] = {
    "engine": 3,
    "palimpsest": "0.1.0",
    "model": {"name": "tiny", "weights": "abc", "device": "cpu"},
    "concepts": {"<my-toy>": ["123"]},
}


def test_what_decides_the_bytes_is_compared_and_nothing_else() -> None:
    assert differences_between(RECIPE, RECIPE) == []
    assert differences_between({**RECIPE, "region": [1]}, {**RECIPE, "region": [2]}) == []
    moved = {**RECIPE, "model": {**RECIPE["model"], "device": "cuda"}, "palimpsest": "0.2.0"}
    assert differences_between(RECIPE, moved) == [
        "palimpsest was 0.1.0, is 0.2.0",
        "model device was cpu, is cuda",
    ]
    anew = {**RECIPE, "concepts": {"<my-toy>": ["456"]}}
    assert differences_between(RECIPE, anew) == ["the concept <my-toy> has been learned anew since"]


def test_a_recipe_that_says_nothing_of_it_differs() -> None:
    assert differences_between({"model": "gone", "concepts": None}, RECIPE)[:2] == [
        "engine was None, is 3",
        "palimpsest was None, is 0.1.0",
    ]
