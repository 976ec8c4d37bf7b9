"""Cut-outs stand on grounds that the model draws: outside the subject only, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.ground import STEPS, put_on_grounds
from palimpsest.core.steps import finish
from tiny import tiny_model

SHAPE = (50, 72)


@pytest.fixture(scope="module")
def model() -> DiffusionModel:
    return tiny_model()


def cut_out() -> tuple[np.ndarray, np.ndarray]:
    opacity = np.zeros(SHAPE, np.float32)
    opacity[10:40, 20:50] = 1
    opacity[40:45, 20:50] = 0.5
    return np.repeat(1 + opacity[..., None] * np.float32(-0.75), 3, axis=-1), opacity


def placed(
    model: DiffusionModel, opacities: Sequence[np.ndarray | None], seed: int = 0
) -> tuple[np.ndarray, ...]:
    return finish(put_on_grounds(model, [cut_out()[0]] * len(opacities), opacities, seed))


def test_the_ground_is_where_nothing_was_and_shines_through_what_is_half_there(model: DiffusionModel) -> None:
    picture, opacity = cut_out()
    (made,) = placed(model, [opacity])
    assert made.shape == picture.shape
    assert np.abs(made[opacity == 1] - 0.25).max() < 1e-6
    assert made[opacity == 0].std() > 0.01, "a picture, no plain colour"
    assert made.min() >= 0
    assert made.max() <= 1 + 1e-6
    assert np.abs(made - picture)[opacity == 0.5].max() <= 0.5 + 1e-6


def test_each_has_its_own_and_the_same_again(model: DiffusionModel) -> None:
    opacity = cut_out()[1]
    first, plain, second = placed(model, [opacity, None, opacity])
    assert np.array_equal(plain, cut_out()[0])
    assert not np.array_equal(first, second)
    assert np.array_equal(first, placed(model, [opacity])[0])
    assert not np.array_equal(first, placed(model, [opacity], seed=1)[0])


def test_the_model_is_as_before_also_when_it_is_broken_off(model: DiffusionModel) -> None:
    before = [part.clone() for part in model.text[0].encoder.parameters()]
    steps = put_on_grounds(model, [cut_out()[0]] * 2, [cut_out()[1]] * 2)
    counted = [next(steps) for _ in range(3)]
    steps.close()
    assert [(step.index, step.total) for step in counted] == [(n, 2 * STEPS) for n in (1, 2, 3)]
    assert all(map(torch.equal, before, model.text[0].encoder.parameters()))
