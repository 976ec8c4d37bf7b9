"""The outline that is found from a rough map: of drawn textures, and of the built-in model's own subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from palimpsest.contract import BUILT_IN
from palimpsest.core.learning import subject
from palimpsest.core.learning.subject import find_subject, find_subjects
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.outline import OutlineSettings, outline
from palimpsest.core.picture.region import Mask, plan
from palimpsest.core.steps import Step, Steps, finish
from palimpsest.models.catalog import find
from palimpsest.models.families import load
from palimpsest.scenes.concepts import CONCEPTS, views

Plane = NDArray[np.bool_]


@pytest.fixture(scope="module")
def built_in() -> DiffusionModel:
    return load(find(BUILT_IN, Path("none")), torch.device("cpu"))


def shared(one: Plane, other: Plane) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


def textured_disc(side: int = 96) -> tuple[NDArray[np.float32], Plane, NDArray[np.float64]]:
    """A disc of orange and white stripes on blue noise; and a map that sees it blurred, beside its place."""
    y, x = np.mgrid[:side, :side]
    disc = (x - 40) ** 2 + (y - 52) ** 2 < 20**2
    rng = np.random.default_rng(3)
    stripes = np.where(((x + y) // 5 % 2 > 0)[..., None], (0.95, 0.55, 0.1), (1.0, 1.0, 1.0))
    ground = np.array([0.2, 0.4, 0.8]) + 0.08 * rng.standard_normal((side, side, 1))
    picture = np.where(disc[..., None], stripes, ground).clip(0, 1).astype(np.float32)
    rough = np.exp(-((x - 44) ** 2 + (y - 50) ** 2) / (2 * 22**2))
    return picture, disc, rough


def test_a_rough_map_becomes_the_things_outline() -> None:
    picture, disc, rough = textured_disc()
    assert shared(rough > 0.5, disc) < 0.7
    chance = outline(picture, rough, 0.5, OutlineSettings())
    assert chance.shape == disc.shape
    assert 0 <= chance.min() <= chance.max() <= 1
    assert shared(chance > 0.5, disc) > 0.95


def test_a_picture_of_one_colour_keeps_about_the_maps_own_shape() -> None:
    _, _, rough = textured_disc()
    chance = outline(np.full((96, 96, 3), 0.5, np.float32), rough, 0.5, OutlineSettings())
    assert shared(chance > 0.5, rough > 0.5) > 0.7


def test_the_same_pictures_give_the_same_outline() -> None:
    picture, _, rough = textured_disc()
    one, other = (outline(picture, rough, 0.5, OutlineSettings()) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["friend", "teapot", "violet-star", "green-cat"])
def test_the_built_in_model_finds_a_subject_that_nobody_marked(built_in: DiffusionModel, name: str) -> None:
    concept = CONCEPTS[name]
    for view in views(concept, 2, seed=5, size=128):
        picture = view.image.astype(np.float32) / 255
        found = finish(find_subject(built_in, picture, concept.noun)) > 0
        assert shared(found, view.bodies[0]) > 0.6


def test_it_is_looked_for_only_where_no_mask_says_it(built_in: DiffusionModel) -> None:
    concept = CONCEPTS["friend"]
    pictures = [view.image.astype(np.float32) / 255 for view in views(concept, 2, seed=5, size=128)]
    given = np.zeros((128, 128), np.uint8)
    steps = find_subjects(built_in, pictures, [given, None], concept.noun)
    first, second = finish(steps)
    assert first is None
    assert second is not None
    assert second.shape == (128, 128)


@pytest.mark.parametrize(("share", "counts"), [(0.002, False), (0.01, True), (0.6, True), (0.8, False)])
def test_next_to_nothing_and_nearly_everything_are_not_found(
    built_in: DiffusionModel, monkeypatch: pytest.MonkeyPatch, share: float, counts: bool
) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask.ravel()[: round(share * mask.size)] = 255

    def seen(*_: object) -> Steps[Mask]:
        yield Step("prepare", 1, 1)
        return mask

    monkeypatch.setattr(subject, "find_subject", seen)
    grey = np.full((100, 100, 3), 0.5, np.float32)
    (found,) = finish(find_subjects(built_in, [grey], [None], "mug"))
    assert (found is not None) is counts


def test_a_map_shows_the_reflection_too_which_is_no_part_of_a_wide_picture(built_in: DiffusionModel) -> None:
    """128 × 192 is seen as 96 × 144 in 96 × 160: the last tenth across is reflection."""
    picture = np.full((128, 192, 3), 0.5, np.float32)
    picture[40:90, 150:190] = (1, 0, 0)
    region = plan((192, 128), None, built_in.native_size, built_in.granularity)
    assert region.work.width > region.inner.width
    rows, columns = region.work.height // 8, region.work.width // 8
    right = torch.zeros(rows, columns)
    right[rows // 4 : 3 * rows // 4, round(columns * 0.7) : round(columns * 0.9)] = 1
    over = subject.over_picture(right, region)
    assert tuple(over.shape) == (region.inner.height, region.inner.width)
    centre = float((over.sum(0) * torch.arange(over.shape[1])).sum() / over.sum() / over.shape[1])
    assert abs(centre - 0.8 * region.work.width / region.inner.width) < 0.03
    found = subject.outlined(picture, over) > 0
    assert found[45:85, 155:185].all()
    assert not found[:, :120].any()
