"""The panels' limits are the backend's, and scripts in GIMP are held to them."""

from __future__ import annotations

import pytest

from palimpsest import contract
from palimpsest_client.editor.slices import WorkError
from palimpsest_client.fields import controls
from palimpsest_client.gimp.procedures import PROCEDURES, check_values


def test_the_panels_weights_are_within_the_contracts():
    weights = [controls.factor(at) for at in (-1, 0, 1)] + [controls.strength_factor(at) for at in (0, 1)]
    assert contract.WEIGHT.least <= min(weights)
    assert max(weights) <= contract.WEIGHT.most


def test_what_a_panel_sends_by_itself_is_within_them():
    form = controls.Form(source_prompt="a cat", operands={"replace": "a dog"})
    request = {"image": "1" * 64, **controls.edit_fields(form)}
    assert contract.from_json(contract.EditRequest, request).target_prompt == "a dog"


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
def test_scripts_are_refused_what_the_backend_would_refuse(procedure):
    values = {argument.name: argument.default for argument in procedure.arguments}
    check_values(procedure, values)
    for argument in procedure.arguments:
        for beyond in () if argument.limits is None else (argument.limits[0] - 1, argument.limits[1] + 1):
            if beyond != argument.default:
                with pytest.raises(WorkError, match=f"{argument.name} is {beyond}; it can be"):
                    check_values(procedure, {**values, argument.name: beyond})
