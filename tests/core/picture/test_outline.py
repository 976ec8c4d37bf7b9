"""The outline that is found from a rough map: of drawn textures, and of the built-in model's own subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from palimpsest.contract import BUILT_IN
from palimpsest.core.learning import subject
from palimpsest.core.learning.subject import find_subjects
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.outline import OutlineSettings, outlines, without_gaps
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


def outline(picture: NDArray[np.float32], rough: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of one picture alone."""
    (chance,) = finish(outlines([picture], [rough], [0.5], OutlineSettings()))
    return chance


def textured_disc(
    side: int = 96, ground: tuple[float, float, float] = (0.2, 0.4, 0.8), hole: int = 0, seed: int = 3
) -> tuple[NDArray[np.float32], Plane, NDArray[np.float64]]:
    """A disc of orange and white stripes on noise, with a hole of that radius; and a map that sees it
    blurred, whole, and beside its place."""
    y, x = np.mgrid[:side, :side]
    away = (x - 40) ** 2 + (y - 52) ** 2
    disc = (away < 20**2) & (away >= hole**2)
    rng = np.random.default_rng(seed)
    stripes = np.where(((x + y) // 5 % 2 > 0)[..., None], (0.95, 0.55, 0.1), (1.0, 1.0, 1.0))
    noise = np.array(ground) + 0.08 * rng.standard_normal((side, side, 1))
    picture = np.where(disc[..., None], stripes, noise).clip(0, 1).astype(np.float32)
    rough = np.exp(-((x - 44) ** 2 + (y - 50) ** 2) / (2 * 22**2))
    return picture, disc, rough


def test_a_rough_map_becomes_the_things_outline() -> None:
    picture, disc, rough = textured_disc()
    assert shared(rough > 0.5, disc) < 0.7
    chance = outline(picture, rough)
    assert chance.shape == disc.shape
    assert 0 <= chance.min() <= chance.max() <= 1
    assert shared(chance > 0.5, disc) > 0.95


def test_a_gap_in_a_thing_is_closed_and_its_own_hole_and_a_notch_stay() -> None:
    """Pupils of the ground's colour belong to a face; the ground seen through a ring does not."""
    y, x = np.mgrid[:60, :80]
    ring = ((x - 40) ** 2 + (y - 30) ** 2 < 25**2) & ((x - 40) ** 2 + (y - 30) ** 2 >= 8**2)
    found = np.where(ring, 0.9, 0.1)
    found[12:15, 38:41] = 0.2  # a gap of nine of some 1,760 pixels
    found[28:31, 14:18] = 0.2  # a notch: it opens outwards
    whole = without_gaps(found)
    assert (whole[12:15, 38:41] == 1).all()
    elsewhere = np.ones_like(ring)
    elsewhere[12:15, 38:41] = False
    assert np.array_equal(whole[elsewhere], found[elsewhere])


def test_the_shadow_that_a_thing_casts_is_no_part_of_it() -> None:
    """It is the ground, .6 as bright, right where the map still takes it for the thing."""
    picture, disc, rough = textured_disc()
    y, x = np.mgrid[: len(disc), : len(disc)]
    shadow = ((x - 46) ** 2 / 22**2 + (y - 70) ** 2 / 7**2 < 1) & ~disc
    picture[shadow] *= 0.6
    assert (rough[shadow] > 0.5).mean() > 0.4
    found = outline(picture, rough) > 0.5
    assert shared(found, disc) > 0.95
    assert (found & shadow).sum() < 0.02 * shadow.sum()


def test_what_is_of_its_colours_far_away_is_no_part_of_it() -> None:
    """A second disc, where the map says nothing of the thing; a piece beside the thing stays."""
    picture, disc, rough = textured_disc(side=128)
    far, near = np.s_[100:120, 100:120], np.s_[28:33, 38:44]
    for place in (far, near):
        picture[place] = (0.95, 0.55, 0.1)
    found = outline(picture, rough) > 0.5
    assert not found[far].any()
    assert found[near].all()
    assert shared(found, disc | found & (rough > 0.3)) > 0.93


def test_what_several_pictures_have_in_common_is_the_things() -> None:
    """The last ground is of the stripes' own orange, and is seen through the hole."""
    grounds = ((0.2, 0.4, 0.8), (0.1, 0.5, 0.2), (0.95, 0.6, 0.2))
    seen = [textured_disc(ground=ground, hole=8, seed=i) for i, ground in enumerate(grounds)]
    pictures, discs, roughs = zip(*seen, strict=True)
    alone = [shared(outline(picture, rough) > 0.5, disc) for picture, disc, rough in seen]
    found = finish(outlines(pictures, roughs, [0.5] * 3, OutlineSettings()))
    together = [shared(chance > 0.5, disc) for chance, disc in zip(found, discs, strict=True)]
    assert min(together[:2]) > 0.98
    assert together[2] > alone[2] + 0.05


def test_a_picture_of_one_colour_keeps_about_the_maps_own_shape() -> None:
    _, _, rough = textured_disc()
    chance = outline(np.full((96, 96, 3), 0.5, np.float32), rough)
    assert shared(chance > 0.5, rough > 0.5) > 0.7


def test_the_same_pictures_give_the_same_outline() -> None:
    picture, _, rough = textured_disc()
    assert np.array_equal(outline(picture, rough), outline(picture, rough))


def test_the_built_in_model_finds_subjects_that_nobody_marked(built_in: DiffusionModel) -> None:
    found = []
    for name in ("friend", "teapot", "violet-star", "tiger-ring"):
        concept = CONCEPTS[name]
        shown = views(concept, 4, seed=991, size=128)
        pictures = [view.image.astype(np.float32) / 255 for view in shown]
        masks = finish(find_subjects(built_in, pictures, [None] * 4, concept.noun))
        found += [shared(np.asarray(m) > 0, view.bodies[0]) for m, view in zip(masks, shown, strict=True)]
    assert np.mean(found) > 0.9
    assert min(found) > 0.7


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

    def drawn(*_: object) -> Steps[list[Mask]]:
        yield Step("probe", 1, 1)
        return [mask]

    monkeypatch.setattr(subject, "outlined", drawn)
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
    (found,) = (mask > 0 for mask in finish(subject.outlined([picture], [over])))
    assert found[45:85, 155:185].all()
    assert not found[:, :120].any()
