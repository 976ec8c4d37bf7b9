"""GIMP's menu items: the letters that Alt leads to in their dialogs."""

from __future__ import annotations

import pytest

from palimpsest_client.gimp.procedures import BY_NAME, Procedure


def letters(told: Procedure) -> list[str]:
    return [label[label.index("_") + 1].lower() for label in told.labels.values() if "_" in label]


@pytest.mark.parametrize("told", BY_NAME.values(), ids=lambda told: told.name)
def test_a_letter_leads_to_one_field_and_never_to_a_button_of_gimps(told: Procedure) -> None:
    found = letters(told)
    assert len(found) == len(set(found)) == sum(argument.asked for argument in told.arguments)
    assert not set(found) & set("oclrs")  # OK, Cancel, Load, Reset, Save


def test_a_number_that_stands_for_automatic_says_so_where_it_is_asked_for() -> None:
    (grow,) = (a for a in BY_NAME["plug-in-palimpsest-replace"].arguments if a.name == "grow")
    assert (grow.label, grow.default) == ("Grow (-1: automatic)", -1)
    assert grow.blurb.endswith("\n-1: automatic.")
    (steps,) = (a for a in BY_NAME["plug-in-palimpsest-replace"].arguments if a.name == "steps")
    assert steps.label == "Steps", "it is for scripts, and not in the dialog"
