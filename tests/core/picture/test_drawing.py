"""A thing is drawn alone and cut out: what belongs to it, and the same again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.drawing import LOOKS, MOST_STEPS, draw_thing, drawing_steps, main_parts
from palimpsest.core.steps import Steps, finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import tiny_model


def mask(*boxes: tuple[slice, slice]) -> np.ndarray:
    drawn = np.zeros((40, 60), np.uint8)
    for box in boxes:
        drawn[box] = 255
    return drawn


BODY, ARM = np.s_[10:30, 10:30], np.s_[12:18, 40:58]


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([BODY], [BODY]),
        ([BODY, ARM], [BODY, ARM]),
        ([BODY, np.s_[35:39, 50:54]], [BODY]),
        ([BODY, np.s_[20:21, 0:60]], [BODY]),
        ([BODY, np.s_[30:34, 30:50]], [BODY, np.s_[30:34, 30:50]]),
        ([np.s_[20:21, 0:60]], [np.s_[20:21, 0:60]]),
    ],
    ids=["whole", "two", "a speck", "a horizon", "joined at a corner", "nothing but a line"],
)
def test_of_a_mask_the_main_parts_are_kept(
    found: list[tuple[slice, slice]], kept: list[tuple[slice, slice]]
) -> None:
    assert np.array_equal(main_parts(mask(*found)), mask(*kept))


def test_a_hole_stays() -> None:
    ring = mask(BODY)
    ring[18:22, 18:22] = 0
    assert np.array_equal(main_parts(ring), ring)


@pytest.fixture(scope="module")
def model() -> DiffusionModel:
    return tiny_model()


def drawn(model: DiffusionModel, seed: int) -> np.ndarray:
    with concepts_installed(model, []) as vocabulary:
        return finish(draw_thing(model, vocabulary, "a photo of a dog on grass", "a dog", 3.0, seed))


def test_the_same_seed_draws_the_same_thing(model: DiffusionModel) -> None:
    first = drawn(model, 0)
    assert first.shape[-1] == 4
    assert max(first.shape) <= model.native_size
    assert first[..., 3].max() == 255
    assert np.array_equal(first, drawn(model, 0))
    other = drawn(model, 1)
    assert other.shape != first.shape or not np.array_equal(other, first)


def test_it_tells_each_step(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        steps: Steps[np.ndarray] = draw_thing(model, vocabulary, "a dog", "a dog", 3.0, 0)
        told = [(step.phase, step.index, step.total) for step in steps]
    assert told == [
        *(("draw", index, MOST_STEPS) for index in range(1, MOST_STEPS + 1)),
        *(("probe", index, LOOKS) for index in range(1, LOOKS + 1)),
    ]


def test_a_model_of_fewer_steps_draws_in_as_many(model: DiffusionModel) -> None:
    assert drawing_steps(model) == MOST_STEPS < model.steps
    assert drawing_steps(replace(model, steps=10)) == 10
