"""Any canvas, any selection: the box, the working picture, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palimpsest.core.picture.region import (
    Box,
    Size,
    cut,
    latent_mask,
    plan,
    to_box,
    to_canvas,
    widened,
    working_mask,
)
from palimpsest.errors import RequestError, SelectionEmptyError, SelectionSizeError

NATIVE, GRANULARITY = 128, 32


def mask_of(width: int, height: int, box: tuple[int, int, int, int], value: int = 255) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = value
    return mask


@st.composite
def canvases(draw: st.DrawFn) -> tuple[tuple[int, int], np.ndarray]:
    width, height = draw(st.integers(64, 700)), draw(st.integers(64, 700))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    return (width, height), mask_of(width, height, (left, top, right, bottom))


@given(canvases(), st.floats(0, 2), st.sampled_from([None, 64, 96, 200, 333]))
@example(((140, 155), mask_of(140, 155, (0, 0, 60, 77))), 0.5, 333)  # its box is widened by a pixel
@settings(max_examples=150, deadline=None)
def test_every_plan_is_lawful(canvas: tuple, context: float, working_size: int | None) -> None:
    size, mask = canvas
    region = plan(size, mask, NATIVE, GRANULARITY, context, working_size)
    box, (width, height) = region.box, region.box.size
    assert 0 <= box.left < box.right <= size[0]
    assert 0 <= box.top < box.bottom <= size[1]
    outside = mask.copy()
    outside[box.slices] = 0
    assert not outside.any(), "the box covers the selection"
    assert region.work.width % GRANULARITY == region.work.height % GRANULARITY == 0
    assert 0 < region.inner.width <= region.work.width
    assert 0 < region.inner.height <= region.work.height
    across, down = region.inner.width / width, region.inner.height / height
    assert abs(across - down) <= max(1 / width, 1 / height), "scaled evenly: at most a pixel of rounding"


def test_without_a_selection_the_region_is_the_whole_canvas() -> None:
    region = plan((6000, 4000), None, 512, 64)
    assert region.box == Box(0, 0, 6000, 4000)
    assert region.work == region.inner == Size(576, 384), "near the area of 512 x 512, in the canvas's shape"


@given(st.integers(64, 4000), st.integers(64, 4000))
@settings(max_examples=150, deadline=None)
def test_a_whole_canvas_of_ordinary_shape_is_mostly_picture_and_near_native(width: int, height: int) -> None:
    region = plan((width, height), None, 512, 64)
    if max(width, height) <= 2 * min(width, height):
        used = region.inner.width * region.inner.height
        assert used > 0.84 * region.work.width * region.work.height, "little reflection"
        assert 0.75 < region.work.width * region.work.height / 512**2 < 1.3


def test_a_small_selection_is_seen_at_the_canvas_own_resolution() -> None:
    mask = mask_of(2000, 1500, (1990, 3, 1998, 10))
    region = plan((2000, 1500), mask, 512, 64)
    assert region.box.size == Size(512, 512)
    assert region.work == region.inner == Size(512, 512)


def test_a_large_selection_is_scaled_down_to_about_native_size() -> None:
    mask = mask_of(4000, 3000, (500, 500, 3500, 2500))
    region = plan((4000, 3000), mask, 512, 64)
    assert region.scale < 0.25
    assert 0.7 < region.work.width * region.work.height / 512**2 < 1.4


def test_the_working_size_is_the_long_side() -> None:
    assert max(plan((900, 600), None, 512, 64, working_size=768).work) == 768


def test_a_strip_is_continued_by_reflection_and_not_squashed() -> None:
    region = plan((2000, 100), None, 128, 32)
    assert region.work.width == 192, "the long side stops at 1.5 x native"
    assert region.inner == Size(192, 10)
    assert region.work.height == 32
    pixels = np.random.default_rng(0).random((100, 2000, 3)).astype(np.float32)
    seen = cut(pixels, region)[0]
    assert torch.equal(seen[:, 10], seen[:, 8])
    assert torch.equal(seen[:, 18], seen[:, 0])
    assert torch.equal(seen[:, 19], seen[:, 1])


def test_at_native_size_the_model_sees_the_very_pixels() -> None:
    pixels = np.random.default_rng(0).random((128, 128, 3)).astype(np.float32)
    region = plan((128, 128), None, NATIVE, GRANULARITY)
    seen = cut(pixels, region)
    assert torch.equal(seen[0].permute(1, 2, 0), torch.from_numpy(pixels) * 2 - 1)
    assert torch.equal(to_box(seen, region), seen)


def test_the_box_alone_and_the_whole_canvas_are_cut_alike() -> None:
    pixels = np.random.default_rng(0).random((300, 400, 3)).astype(np.float32)
    region = plan((400, 300), mask_of(400, 300, (200, 100, 260, 130)), NATIVE, GRANULARITY)
    assert torch.equal(cut(pixels, region), cut(pixels[region.box.slices], region))


def test_scaling_down_is_anti_aliased() -> None:
    stripes = np.zeros((1024, 1024, 3), np.float32)
    stripes[:, ::2] = 1
    seen = cut(stripes, plan((1024, 1024), None, NATIVE, GRANULARITY))
    assert float(seen[..., 2:-2].abs().max()) < 0.02, "stripes finer than a pixel are grey"


def test_a_smooth_picture_survives_the_way_there_and_back() -> None:
    y, x = np.mgrid[0:333, 0:501]
    smooth = np.stack([x / 501, y / 333, 0.5 + 0.4 * np.sin(x / 60)], axis=-1).astype(np.float32)
    region = plan((501, 333), None, NATIVE, GRANULARITY)
    back = to_box(cut(smooth, region), region)[0].permute(1, 2, 0).numpy() / 2 + 0.5
    assert np.abs(back - smooth)[6:-6, 6:-6].max() < 0.01, "nothing is shifted or squashed"


@given(canvases(), st.integers(0, 2))
@settings(max_examples=100, deadline=None)
def test_the_latent_mask_is_hard_and_covers_the_selection(canvas: tuple, dilate: int) -> None:
    size, mask = canvas
    region = plan(size, mask, NATIVE, GRANULARITY)
    cells = latent_mask(mask, region, 8, dilate)
    assert cells.shape == (1, 1, region.work.height // 8, region.work.width // 8)
    assert set(cells.unique().tolist()) <= {0.0, 1.0}
    rows, columns = np.nonzero(mask[region.box.slices])
    across = region.inner.width / region.box.size.width
    down = region.inner.height / region.box.size.height
    centres = ((rows + 0.5) * down / 8).astype(int), ((columns + 0.5) * across / 8).astype(int)
    assert bool(cells[0, 0][centres].all())


def test_one_selected_pixel_is_enough_at_any_reduction() -> None:
    mask = mask_of(3000, 2000, (1234, 777, 1235, 778), value=1)
    region = plan((3000, 2000), mask, NATIVE, GRANULARITY, context=8.0)
    assert working_mask(mask, region).sum() >= 1
    assert latent_mask(mask, region, 8, dilate=0).sum() == 1


def test_no_selection_frees_every_cell() -> None:
    assert bool((latent_mask(None, plan((200, 300), None, NATIVE, GRANULARITY), 8) == 1).all())


def test_a_map_returns_to_its_place_on_the_canvas() -> None:
    mask = mask_of(600, 400, (300, 100, 340, 140))
    region = plan((600, 400), mask, NATIVE, GRANULARITY)
    grid = working_mask(mask, region)[0, 0]
    canvas = to_canvas(grid, region)
    assert canvas.shape == (400, 600)
    assert np.array_equal(canvas > 0.5, mask > 0)


def test_unusable_requests_are_refused() -> None:
    with pytest.raises(SelectionEmptyError):
        plan((100, 80), np.zeros((80, 100), np.uint8), NATIVE, GRANULARITY)
    with pytest.raises(SelectionSizeError, match=r"80 x 100 .* 100 x 80"):
        plan((100, 80), np.ones((100, 80), np.uint8), NATIVE, GRANULARITY)
    with pytest.raises(RequestError, match="-1"):
        plan((100, 80), None, NATIVE, GRANULARITY, context=-1)
    with pytest.raises(RequestError, match="16"):
        plan((100, 80), None, NATIVE, GRANULARITY, working_size=16)


@pytest.mark.parametrize("canvas", [(300, 700), (1000, 1000), (100, 90), (777, 301), (128, 128)])
def test_parts_of_the_box_are_parts_of_the_whole(canvas: tuple[int, int]) -> None:
    """Enlarged, made smaller and neither; torch's own resize is the reference, on a smooth picture."""
    region = plan(canvas, None, NATIVE, GRANULARITY)
    rows, columns = torch.meshgrid(
        torch.arange(region.work.height), torch.arange(region.work.width), indexing="ij"
    )
    work = torch.stack([torch.sin(rows / 9), torch.cos(columns / 7), torch.sin((rows + columns) / 5)])[None]
    whole, wide = to_box(work, region), widened(work, region)
    height, width = whole.shape[-2:]
    assert torch.allclose(wide.part(slice(0, height), slice(0, width)), whole, atol=2e-5)
    part = wide.part(slice(7, 50), slice(11, 61))
    assert torch.equal(part, wide.part(slice(0, height), slice(0, width))[..., 7:50, 11:61])


def test_a_box_that_comes_in_bands_is_cut_to_the_very_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).random((611, 333, 3)).astype(np.float32)
    region = plan((333, 611), None, NATIVE, GRANULARITY)
    whole = cut(pixels, region)
    monkeypatch.setattr("palimpsest.core.picture.region.BAND", 5000)
    assert torch.equal(cut(pixels, region), whole)
