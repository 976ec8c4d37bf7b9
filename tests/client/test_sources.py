"""Which layer is read, and which one a result belongs above."""

from __future__ import annotations

import pytest

from palimpsest_client.editor.editor import CANVAS, LAYER
from palimpsest_client.editor.slices import WorkError
from palimpsest_client.editor.sources import layer_below, required_layer
from palimpsest_client.text.wording import say

THERE = {"1": "sky", "2": "grass"}


def test_the_layer_that_is_read_is_the_active_one_or_the_named_one_or_none_for_what_is_seen():
    assert required_layer(LAYER, THERE.get, "grass") == "grass"
    assert required_layer("1", THERE.get, "grass") == "sky"
    assert required_layer(CANVAS, THERE.get, "grass") is None


@pytest.mark.parametrize(("source", "told"), [(LAYER, "no-active-layer"), ("9", "layer-gone")])
def test_a_layer_that_is_not_there_cannot_be_read(source: str, told: str):
    with pytest.raises(WorkError) as raised:
        required_layer(source, THERE.get, None)
    assert str(raised.value) == say(told)


def test_a_result_belongs_above_what_it_was_made_from_or_the_active_layer_or_everything():
    assert layer_below("1", THERE.get, "grass") == "sky"
    assert layer_below("9", THERE.get, "grass") == "grass", "what it was made from is gone"
    assert layer_below(LAYER, THERE.get, "grass") == "grass"
    assert layer_below(CANVAS, THERE.get, "grass") is None
    assert layer_below("9", THERE.get, None) is None
