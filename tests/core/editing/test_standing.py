"""What stands beside a selection, found by its words' maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch

from palimpsest.core.editing import standing
from palimpsest.core.editing.standing import find_beside
from palimpsest.core.picture.region import Size, plan
from palimpsest.core.steps import Steps, finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model

SIDE = 64


@pytest.mark.parametrize(
    ("rows", "columns", "found"),
    [
        (slice(8, 56), slice(40, 56), True),
        (slice(34, 56), slice(28, 60), True),
        (slice(32, 64), slice(0, 64), False),
    ],
)
def test_what_stands_beside_is_found_unless_it_is_what_the_selection_lies_in(
    monkeypatch: pytest.MonkeyPatch, rows: slice, columns: slice, found: bool
) -> None:
    model = tiny_model("sd1")
    photo = torch.full((1, 3, SIDE, SIDE), -0.8)
    photo[..., rows, columns] = 0.9
    seen = (photo[0, 0] > 0).float()
    selection = torch.zeros(1, 1, SIDE, SIDE)
    selection[..., 16:48, 8:30] = 1

    def probe(*_: Any) -> Steps[Mapping[str, torch.Tensor]]:
        yield from ()
        return {"dog": seen}

    def states(*_: Any) -> Sequence[Any]:
        return []

    monkeypatch.setattr(standing, "probe", probe)
    monkeypatch.setattr(standing, "noised_states", states)
    with concepts_installed(model, []) as vocabulary:
        source, region = vocabulary.parse("a man and a dog"), plan(Size(SIDE, SIDE), None, SIDE, 8)
        things = finish(find_beside(model, vocabulary, source, ["dog"], photo, photo, region, selection))
    assert (things is not None) == found
    if things is not None:
        assert not (things * selection).any()
        truth = (seen * (1 - selection[0, 0])).bool()
        agreed = (things[0, 0] > 0) & truth
        assert agreed.sum() > 0.9 * truth.sum()
