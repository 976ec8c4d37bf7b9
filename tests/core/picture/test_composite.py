"""The pixel law: outside the selection nothing changes, at 8 and at 16 bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.picture.composite import changed, composite
from palimpsest.core.picture.region import Size, plan
from palimpsest.core.picture.selection import grown

DEPTHS = (np.uint8, np.uint16)


def noise(
    width: int, height: int, depth: type, seed: int = 0, channels: tuple[int, ...] = (3,)
) -> np.ndarray:
    top = np.iinfo(depth).max
    return np.random.default_rng(seed).integers(0, top + 1, (height, width, *channels)).astype(depth)


def mask_of(width: int, height: int, box: tuple[int, int, int, int], value: int = 255) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = value
    return mask


def edit_of(region, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((*region.box.size[::-1], 3)).astype(np.float32)


@st.composite
def selections(draw: st.DrawFn) -> np.ndarray:
    """Odd sizes; rectangles anywhere, touching borders, one pixel, everything; hard, soft, ragged."""
    width, height = draw(st.integers(64, 161)), draw(st.integers(64, 161))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    mask = mask_of(width, height, (left, top, right, bottom), draw(st.integers(1, 255)))
    if draw(st.booleans()):
        mask = mask * noise(width, height, np.uint8, draw(st.integers(0, 9)), ()) // 255
        mask[top, left] = 255
    return mask


@pytest.mark.parametrize("depth", DEPTHS)
@given(mask=selections(), feather=st.integers(0, 20), transparent=st.booleans())
@settings(max_examples=60, deadline=None)
def test_nothing_changes_where_nothing_is_selected(
    depth: type, mask: np.ndarray, feather: int, transparent: bool
) -> None:
    height, width = mask.shape
    original, alpha = noise(width, height, depth), noise(width, height, depth, 2, ())
    region = plan((width, height), mask, 64, 16)
    found = composite(original, edit_of(region), mask, region, feather, alpha if transparent else None)
    outside = mask == 0
    assert np.array_equal(found.merged[outside], original[outside])
    assert not found.layer[outside].any(), "the layer is transparent there, alpha exactly 0"
    assert found.pixels_changed_outside == 0
    assert found.merged.dtype == found.layer.dtype == depth
    assert found.pixels_changed_inside == int((found.merged != original).any(axis=-1)[~outside].sum())


@pytest.mark.parametrize("depth", DEPTHS)
def test_inside_is_the_rounded_mixture(depth: type) -> None:
    mask = mask_of(101, 77, (20, 0, 80, 60)) // 2
    original = noise(101, 77, depth)
    region = plan((101, 77), mask, 64, 16)
    edited = edit_of(region)
    found = composite(original, edited, mask, region, feather=6)
    top = np.iinfo(depth).max
    alpha = found.layer[..., 3].astype(np.float64) / top
    full = np.zeros((77, 101, 3))
    full[region.box.slices] = edited
    expected = alpha[..., None] * full * top + (1 - alpha[..., None]) * original
    assert np.abs(found.merged - expected).max() <= 1.0, "one rounding of the edit, one of the mixture"
    assert alpha.max() == pytest.approx(127 / 255, abs=1 / top)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_layer_over_the_picture_is_the_merged_picture(depth: type) -> None:
    mask = mask_of(90, 70, (10, 5, 60, 70), 200)
    original = noise(90, 70, depth)
    region = plan((90, 70), mask, 64, 16)
    found = composite(original, edit_of(region), mask, region, feather=8)
    top = int(np.iinfo(depth).max)
    alpha = found.layer[..., 3:].astype(np.int64)
    over = (alpha * found.layer[..., :3] + (top - alpha) * original.astype(np.int64) + top // 2) // top
    assert np.array_equal(over, found.merged)


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_edit_that_is_the_original_changes_nothing_at_any_alpha(depth: type) -> None:
    mask = mask_of(120, 80, (3, 3, 110, 70), 137)
    original = noise(120, 80, depth)
    region = plan((120, 80), mask, 64, 16)
    same = (original[region.box.slices] / np.iinfo(depth).max).astype(np.float32)
    found = composite(original, same, mask, region, feather=8)
    assert np.array_equal(found.merged, original)
    assert found.pixels_changed_inside == 0


@pytest.mark.parametrize("depth", DEPTHS)
def test_without_a_selection_the_whole_canvas_is_the_edit(depth: type) -> None:
    original = noise(65, 67, depth)
    region = plan((65, 67), None, 64, 16)
    edited = edit_of(region)
    found = composite(original, edited, None, region, feather=8)
    top = np.iinfo(depth).max
    assert np.array_equal(found.merged, np.floor(edited.astype(np.float64) * top + 0.5).astype(depth))
    assert (found.layer[..., 3] == top).all()
    assert found.pixels_changed_outside == 0


def test_a_full_selection_is_not_feathered_at_the_canvas_border() -> None:
    mask = np.full((70, 90), 255, np.uint8)
    region = plan((90, 70), mask, 64, 16)
    found = composite(noise(90, 70, np.uint8), edit_of(region), mask, region)
    assert (found.layer[..., 3] == 255).all()


def test_the_layer_never_paints_on_transparent_parts() -> None:
    mask = mask_of(80, 80, (0, 0, 80, 80))
    alpha = mask_of(80, 80, (40, 0, 80, 80))
    region = plan((80, 80), mask, 64, 16)
    found = composite(noise(80, 80, np.uint8), edit_of(region), mask, region, 8, alpha)
    assert not found.layer[:, :40].any()
    assert (found.layer[:, 40:, 3] == 255).all()


@pytest.mark.parametrize("depth", DEPTHS)
@given(mask=selections(), pixels=st.integers(0, 12), feather=st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_a_grown_selection_bounds_the_change_and_frees_what_was_selected(
    depth: type, mask: np.ndarray, pixels: int, feather: int
) -> None:
    """Outside the grown selection nothing changes; inside the selection itself there is no soft edge."""
    height, width = mask.shape
    original, wide = noise(width, height, depth), grown(mask, pixels)
    region = plan((width, height), mask, 64, 16, reach=pixels)
    found = composite(original, edit_of(region), wide, region, feather, selected=mask)
    assert np.array_equal(found.merged[wide == 0], original[wide == 0])
    assert not found.layer[wide == 0].any()
    assert found.pixels_changed_outside == 0
    top = np.iinfo(depth).max
    inside = mask > 0
    assert np.array_equal(
        found.layer[..., 3][inside], np.floor(wide[inside] / np.float32(255) * np.float64(top) + 0.5)
    )


def test_changes_are_counted_and_not_assumed() -> None:
    before = noise(70, 70, np.uint16)
    mask = mask_of(70, 70, (10, 10, 20, 20))
    after = before.copy()
    after[5, 5, 2] ^= 1
    after[12, 12] ^= 1
    after[69, 69, 0] ^= 1
    assert changed(before, after, mask) == (2, 1)
    assert changed(before, after, None) == (0, 3)
    assert changed(before, before, mask) == (0, 0)


def test_the_original_is_left_alone() -> None:
    original = noise(70, 70, np.uint8)
    kept = original.copy()
    region = plan((70, 70), None, 64, 16)
    composite(original, edit_of(region), None, region)
    assert np.array_equal(original, kept)
    assert region.canvas == Size(70, 70)


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_empty_selection_changes_nothing_at_all(depth: type) -> None:
    original = noise(70, 90, depth)
    region = plan((70, 90), None, 64, 16)
    found = composite(original, edit_of(region), np.zeros((90, 70), np.uint8), region)
    assert np.array_equal(found.merged, original)
    assert not found.layer.any()
    assert (found.pixels_changed_outside, found.pixels_changed_inside) == (0, 0)
