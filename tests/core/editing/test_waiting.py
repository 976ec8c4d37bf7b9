"""What a device would have to wait for is done once, not at every layer: counted, as no card is here."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from palimpsest.core.attention import control, region_words
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.editing.draw import start_noise
from palimpsest.core.editing.edit import edit
from palimpsest.core.inversion import InvertSettings, invert
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model

STEPS = 4


@pytest.mark.parametrize("operation", ["replace", "remove", "insert"])
def test_regions_and_columns_are_made_once(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    regions: Counter[tuple[int, Any]] = Counter()
    columns: Counter[int] = Counter()
    cells, steps_columns = control.cells_of, TargetControl.columns

    def counted_cells(region: torch.Tensor, size: Any) -> torch.Tensor:
        regions[id(region), size] += 1
        return cells(region, size)

    def counted_columns(self: TargetControl, step: int) -> Any:
        columns[step] += 1
        return steps_columns(self, step)

    for module in (control, region_words):
        monkeypatch.setattr(module, "cells_of", counted_cells)
    monkeypatch.setattr(TargetControl, "columns", counted_columns)
    z0 = start_noise(model, 0)
    selection = torch.zeros(1, 1, *z0.shape[-2:])
    selection[..., 2:5, 2:6] = 1
    with concepts_installed(model, ()) as vocabulary:
        source, target = (vocabulary.parse(text) for text in ("a photo of a cat", "a photo of a big dog"))
        inversion = finish(invert(model, vocabulary, z0, source, InvertSettings(steps=STEPS)))
        finish(edit(model, vocabulary, inversion, source, [target], operation, selection=selection))
    assert set(regions.values()) == {1}
    assert all(count == 1 for count in columns.values())


def test_an_evaluation_does_not_walk_through_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """diffusers' ``dtype`` and ``device`` do: on SDXL that is 10 ms each."""
    model = tiny_model()
    expected = model.network.module.dtype, model.network.module.device
    with concepts_installed(model, ()) as vocabulary:
        null = vocabulary.null()

    def walked(_self: Any) -> Any:
        raise AssertionError("walked through all layers")

    for name in ("dtype", "device"):
        monkeypatch.setattr(type(model.network.module), name, property(walked))
    assert (model.dtype, model.device) == expected
    with torch.no_grad():
        model.predict(start_noise(model, 0), 1, null)
