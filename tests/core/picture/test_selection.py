"""A selection's soft edge lies inside and suits each of its parts; a grown one frees what was selected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palimpsest.core.picture import selection
from palimpsest.core.picture.selection import coverage, distance_inside, grown, thickness


def mask_of(width: int, height: int, *boxes: tuple[int, int, int, int], value: int = 255) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = value
    return mask


def disc(side: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    return np.where(np.hypot(x, y) <= radius, 255, 0).astype(np.uint8)


def blobs(seed: int, width: int = 60, height: int = 45) -> np.ndarray:
    """Rectangles and lines of every thickness, some touching, with soft values."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(1, 6)):
        left, top = rng.integers(0, width - 1), rng.integers(0, height - 1)
        wide, high = rng.integers(1, 30), rng.integers(1, 12)
        mask[top : top + high, left : left + wide] = rng.integers(1, 256)
    return mask


def test_the_soft_edge_lies_inside_and_rises_by_distance() -> None:
    mask = mask_of(100, 60, (20, 0, 90, 60))
    alpha = coverage(mask, 4, mask.shape)
    assert np.allclose(alpha[30, 17:27], [0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1])
    assert np.allclose(alpha[30, 86:92], [0.8, 0.6, 0.4, 0.2, 0, 0])
    assert np.array_equal(alpha[0], alpha[30]), "the canvas border is no edge"


def test_a_thin_selection_is_still_fully_edited_in_its_middle() -> None:
    alpha = coverage(mask_of(50, 50, (10, 20, 40, 25)), 16, (50, 50))
    assert alpha.max() == 1
    one = coverage(mask_of(50, 50, (10, 20, 11, 21)), 16, (50, 50))
    assert one[20, 10] == 1
    assert one.sum() == 1


@pytest.mark.parametrize("feather", [1, 4, 8, 30])
@pytest.mark.parametrize("wide", [1, 2, 3, 6, 11])
def test_a_thin_part_is_edited_as_if_it_were_alone(wide: int, feather: int) -> None:
    """A leash with its dog: far from the thick part, it doesn't matter that there is one."""
    lead, dog = (5, 40, 300, 40 + wide), (300, 5, 380, 85)
    masks = mask_of(390, 90, lead, dog), mask_of(390, 90, lead)
    together, alone = (coverage(mask, feather, mask.shape) for mask in masks)
    far = np.s_[:, 10 : 300 - 2 * feather - 2]
    assert np.array_equal(together[far], alone[far])
    assert (together[40 : 40 + wide, 10 : 300 - 2 * feather - 2].max(axis=0) == 1).all()


def test_the_thick_part_keeps_the_whole_soft_edge() -> None:
    """The edge of a dog is as soft as without the leash."""
    lead, dog = (5, 40, 100, 43), (100, 5, 180, 85)
    together, alone = (coverage(mask_of(190, 90, *parts), 8, (90, 190)) for parts in ((lead, dog), (dog,)))
    assert np.array_equal(together[50:], alone[50:])
    assert np.allclose(together[45, 171:181], [1, *np.arange(8, -1, -1) / 9])


@given(st.integers(0, 999), st.integers(0, 14))
@settings(max_examples=80, deadline=None)
def test_nothing_outside_and_nowhere_more_than_selected(seed: int, feather: int) -> None:
    mask = blobs(seed)
    alpha = coverage(mask, feather, mask.shape)
    assert not alpha[mask == 0].any()
    assert (alpha[mask > 0] > 0).all()
    assert (alpha <= mask / np.float32(255)).all()


@given(st.integers(0, 999), st.integers(1, 14))
@settings(max_examples=60, deadline=None)
def test_the_thickness_is_that_of_the_largest_disc(seed: int, most: int) -> None:
    """Against the definition, for every radius that is tried, pixel by pixel."""
    depth = distance_inside(blobs(seed, 30, 25) > 0, most)
    y, x = np.mgrid[0:25, 0:30]
    expected = np.ones(depth.shape, np.float32)
    for radius in range(2, min(most, int(depth.max())) + 1):
        rows, columns = np.nonzero(depth >= radius)
        squared = (y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2
        expected[(squared < radius * radius).any(axis=-1)] = radius
    found = thickness(depth, most)
    inside = depth > 0
    assert (found[inside] <= expected[inside]).all()
    assert (found[inside] >= np.maximum(1, np.floor(expected[inside] / 1.125))).all()
    if most <= 9:
        assert np.array_equal(found[inside], expected[inside]), "small radii are all tried"


@given(st.integers(0, 999), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_tiles_leave_no_trace(seed: int, feather: int) -> None:
    mask = blobs(seed)
    whole = coverage(mask, feather, mask.shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "TILE", 7)
        assert np.array_equal(coverage(mask, feather, mask.shape), whole)


def test_a_large_selection_costs_its_edge_only() -> None:
    """Distances are measured in tiles that the edge comes near, never over the whole canvas."""
    mask = mask_of(6000, 5000, (700, 600, 5300, 4400))
    looked: list[int] = []
    measure = selection.distance_inside
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "distance_inside", lambda s, n: (looked.append(s.size), measure(s, n))[1])
        coverage(mask, 8, mask.shape)
    assert max(looked) <= (selection.TILE + 4 * 9) ** 2
    assert len(looked) < 200


def test_no_soft_edge_is_the_selection_itself() -> None:
    mask = np.random.default_rng(0).integers(0, 256, (40, 30)).astype(np.uint8)
    assert np.array_equal(np.rint(coverage(mask, 0, mask.shape) * 255), mask)


@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 12), st.integers(0, 99), st.floats(0.3, 0.99))
@settings(max_examples=100, deadline=None)
def test_distances_are_exact(width: int, height: int, limit: int, seed: int, density: float) -> None:
    """Against the definition: the nearest of all unselected pixels, one by one."""
    selected = np.random.default_rng(seed).random((height, width)) < density
    rows, columns = np.nonzero(~selected)
    y, x = np.mgrid[0:height, 0:width]
    if len(rows) == 0:
        expected = np.full((height, width), limit, float)
    else:
        squared = (y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2
        expected = np.minimum(np.sqrt(squared.min(axis=-1)), limit)
    assert np.allclose(distance_inside(selected, limit), expected)


@given(st.integers(0, 999), st.integers(0, 25))
@example(504, 9)  # a line along the canvas's border
@settings(max_examples=80, deadline=None)
def test_growing_is_the_greatest_value_within_so_many_pixels(seed: int, pixels: int) -> None:
    """Against the definition: every offset of the disc, one by one."""
    mask = blobs(seed, 31, 22)
    expected = np.zeros_like(mask)
    for dy in range(-pixels, pixels + 1):
        for dx in range(-pixels, pixels + 1):
            if dy * dy + dx * dx <= pixels * pixels:
                padded = np.pad(mask, pixels)
                expected = np.maximum(expected, padded[pixels + dy :, pixels + dx :][:22, :31])
    found = grown(mask, pixels)
    assert np.array_equal(found, expected)
    assert found.dtype == np.uint8


def test_growing_leaves_the_selection_it_was_given() -> None:
    mask = mask_of(40, 40, (10, 10, 20, 20))
    kept = mask.copy()
    assert grown(mask, 0) is mask
    grown(mask, 5)
    assert np.array_equal(mask, kept)
    assert not grown(np.zeros((9, 9), np.uint8), 3).any()


@pytest.mark.parametrize(("pixels", "feather"), [(1, 1), (4, 4), (8, 8), (8, 3)])
def test_the_soft_edge_of_a_grown_selection_lies_in_what_was_added(pixels: int, feather: int) -> None:
    mask = disc(101, 20.5)
    mask[50, :50] = 200  # a thin part with values between
    wide = grown(mask, pixels)
    alpha = coverage(wide, feather, mask.shape, mask)
    assert np.array_equal(alpha[mask > 0], (wide / np.float32(255))[mask > 0])
    added = (wide > 0) & (mask == 0)
    assert not alpha[wide == 0].any()
    assert (alpha[added] > 0).all()
    row = alpha[50, 70 : 70 + pixels + 3]
    assert (np.diff(row) <= 0).all()
    if feather == pixels:
        assert np.allclose(row[1 : 1 + pixels], np.arange(pixels, 0, -1) / (pixels + 1), atol=0.1)
