"""The panels' limits are the backend's, and scripts in GIMP are held to them."""

from __future__ import annotations

import pytest

from palimpsest import contract
from palimpsest_client import controls, limits
from palimpsest_client.procedures import PROCEDURES, judged
from palimpsest_client.slices import WorkError

TWICE = {name for name in vars(limits) if name.isupper() and not name.startswith("MOST_")}


def test_the_panels_limits_are_the_contracts():
    told = {name: getattr(contract, name) for name in TWICE - {"EXAMPLES"}}
    assert {name: (limit.least, limit.most) for name, limit in told.items()} == {
        name: getattr(limits, name) for name in TWICE - {"EXAMPLES"}
    }
    assert limits.EXAMPLES == (contract.FEWEST_EXAMPLES, contract.MOST_EXAMPLES)
    assert contract.GROWTH.most >= limits.MOST_GROWTH
    assert contract.FEATHER.most >= limits.MOST_FEATHER
    assert contract.SEED.most >= limits.MOST_SEED
    weights = [controls.factor(at) for at in (-1, 0, 1)] + [controls.strength_factor(at) for at in (0, 1)]
    assert contract.WEIGHT.least <= min(weights)
    assert max(weights) <= contract.WEIGHT.most


def test_what_a_panel_sends_by_itself_is_within_them():
    form = controls.Form(first="a cat", seconds={"replace": "a dog"})
    request = {"image": "1" * 64, **controls.edit_fields(form)}
    assert contract.from_json(contract.EditRequest, request).target_prompt == "a dog"


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
def test_scripts_are_refused_what_the_backend_would_refuse(procedure):
    values = {argument.name: argument.default for argument in procedure.arguments}
    judged(procedure, values)
    for argument in procedure.arguments:
        for beyond in () if argument.limits is None else (argument.limits[0] - 1, argument.limits[1] + 1):
            if beyond != argument.default:
                with pytest.raises(WorkError, match=f"{argument.name} is {beyond}; it can be"):
                    judged(procedure, {**values, argument.name: beyond})
