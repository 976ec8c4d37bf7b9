"""The comparison of a pane knows the new thing's image from every other one that may have been left there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from palimpsest.bench.quality_cases import Case, make_case
from palimpsest.bench.quality_mirror import pane_of, reflection, reflects
from palimpsest.scenes import edits
from palimpsest.scenes.rendering import render
from palimpsest.scenes.things import Animal, Mirror, Person, Scene, Solid, Thing

SIZE = 128
OTHERS: dict[type, Thing] = {
    Solid: Solid("ring", "pink"),
    Animal: Animal("bird", "red"),
    Person: Person("light", "red", "brown", "pink"),
}


def mirrors(count: int) -> list[Case]:
    return [make_case("mirror", number, "development") for number in range(count)]


def other_pane(case: Case, scene: Scene) -> np.ndarray:
    """The true result with the pane of another scene."""
    pane = pane_of(case.after, SIZE)[..., None]
    return np.where(pane, render(scene, SIZE).image, case.drawn(SIZE)[1].image)


def with_thing(case: Case, **changes: object) -> Scene:
    assert case.thing is not None
    placed = list(case.after.placed)
    placed[case.thing] = replace(placed[case.thing], **changes)
    return replace(case.after, placed=tuple(placed))


def test_the_truth_is_reflected_and_nothing_else_is() -> None:
    for case in mirrors(6):
        assert case.thing is not None
        thing = case.after.placed[case.thing].thing
        assert reflects(case, case.drawn(SIZE)[1].image)
        third = with_thing(case, thing=OTHERS[type(thing)])
        for shown in (case.before, edits.remove(case.after, case.thing), third):
            assert not reflects(case, other_pane(case, shown))


def test_an_animal_that_looks_the_wrong_way_is_no_reflection() -> None:
    animals = [case for case in mirrors(9) if isinstance(case.after.placed[case.thing or 0].thing, Animal)]
    told = []
    for case in animals:
        assert case.thing is not None
        turned = other_pane(case, with_thing(case, pose=-case.after.placed[case.thing].pose))
        found = reflection(case, turned)
        assert found is not None
        told.append(found.turned is not None)
        assert found.right == (found.turned is None)
    assert np.mean(told) > 0.5


def test_where_no_mirror_is_nothing_is_said_of_one() -> None:
    case = make_case("replace", 0)
    assert reflects(case, case.drawn(SIZE)[0].image) is None


@pytest.mark.parametrize("split", ["development", "test"])
def test_of_each_sort_there_are_cases_beside_a_mirror(split: str) -> None:
    cases = [make_case("mirror", number, split) for number in range(6)]
    assert {type(case.after.placed[case.thing or 0].thing) for case in cases} == {Solid, Animal, Person}
    for case in cases:
        assert sum(isinstance(placed.thing, Mirror) for placed in case.before.placed) == 1
        changed = (case.drawn(SIZE)[0].image != case.drawn(SIZE)[1].image).any(-1)
        assert (changed & pane_of(case.after, SIZE)).any(), "the reflection is to change"
