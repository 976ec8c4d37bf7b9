"""What the autoencoder loses comes back where the edit changed nothing, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from palimpsest.core.picture.detail import colour_fit, restorer, unchanged
from palimpsest.core.picture.region import Region, cut, plan

SIZE = (384, 256)


def photo() -> np.ndarray:
    """Fine noise on smooth colours: detail that no latent keeps."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    smooth = np.stack([x / SIZE[0], y / SIZE[1], 0.5 + 0.3 * np.sin(x / 40)], axis=-1)
    return (0.15 + 0.7 * smooth + generator.normal(0, 0.04, smooth.shape)).clip(0, 1).astype(np.float32)


def lossy(pixels: Tensor) -> Tensor:
    """An autoencoder's kind of loss: detail gone, contrast and colours shifted."""
    blurred = functional.avg_pool2d(pixels, 5, stride=1, padding=2, count_include_pad=False)
    return (0.94 * blurred + torch.tensor([0.05, -0.03, 0.02])[:, None, None]).clamp(-1, 1)


@pytest.fixture
def selection() -> np.ndarray:
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[60:200, 100:300] = 255
    return mask


@pytest.fixture
def region(selection: np.ndarray) -> Region:
    return plan(SIZE, selection, 128, 32)


def box_of(original: np.ndarray, region: Region) -> np.ndarray:
    return original[region.box.slices]


def restored(
    edited: torch.Tensor,
    roundtrip: torch.Tensor,
    original: np.ndarray,
    mask: np.ndarray | None,
    region: Region,
) -> np.ndarray:
    """The whole box, in one part."""
    made = restorer(edited, roundtrip, cut(original, region), mask, region)
    return made.part(original, slice(0, original.shape[0]), slice(0, original.shape[1]))


def test_an_edit_that_changed_nothing_gives_the_original_back(selection: np.ndarray, region: Region) -> None:
    original = box_of(photo(), region)
    roundtrip = lossy(cut(original, region))
    out = restored(roundtrip, roundtrip, original, selection, region)
    assert out.shape == original.shape
    assert np.abs(out - original).max() < 1e-5, "although the round trip lost detail and colour"


def test_changed_parts_are_the_edit_and_unchanged_parts_the_original(
    selection: np.ndarray, region: Region
) -> None:
    original = box_of(photo(), region)
    roundtrip = lossy(cut(original, region))
    edited = roundtrip.clone()
    edited[..., 40:80, 50:90] = torch.tensor([0.9, -0.9, -0.9])[:, None, None]
    out = restored(edited, roundtrip, original, selection, region)
    scale = region.scale
    inner = out[int(48 / scale) : int(72 / scale), int(58 / scale) : int(82 / scale)]
    assert inner.std(axis=(0, 1)).max() < 0.01, "none of the original's noise in the new content"
    assert inner[..., 0].min() > 0.9
    assert inner[..., 1].max() < 0.1
    far = np.ones(out.shape[:2], bool)
    far[int(30 / scale) : int(90 / scale), int(40 / scale) : int(100 / scale)] = False
    assert np.abs(out - original)[far].max() < 0.01


def test_a_colour_shift_of_the_whole_edit_is_seen_at_the_ring_and_removed(
    selection: np.ndarray, region: Region
) -> None:
    original = box_of(photo(), region)
    roundtrip = lossy(cut(original, region))
    shift = 10 / 255
    edited = roundtrip + 2 * shift  # the pictures are in [-1, 1]
    plain = restored(edited, roundtrip, original, None, region)
    matched = restored(edited, roundtrip, original, selection, region)
    assert np.abs(plain - original).mean() > 0.01, "with no selection there is no ring to tell by"
    assert np.abs(matched - original).mean() < 0.002


def test_a_ring_that_was_edited_does_not_vote() -> None:
    mask = np.full(SIZE[::-1], 0, np.uint8)
    mask[60:200, 100:300] = 255
    region = plan(SIZE, mask, 128, 32)
    original = box_of(photo(), region)
    roundtrip = lossy(cut(original, region))
    edited = torch.full_like(roundtrip, 0.5)  # everything was replaced by plain grey
    out = restored(edited, roundtrip, original, mask, region)
    changed_there = np.abs(original - 0.75).max(axis=-1) > 0.25
    assert np.abs(out[changed_there] - 0.75).mean() < 0.08


def test_small_noise_counts_as_unchanged_and_new_content_as_changed() -> None:
    trip = torch.full((1, 3, 64, 64), 0.5)
    edit = trip + torch.randn(trip.shape, generator=torch.Generator().manual_seed(0)) * 0.002
    edit[..., 20:40, 20:40] = 0.9
    keep = unchanged(edit, trip)
    assert keep.shape == (1, 1, 64, 64)
    assert float(keep[..., :14, :].min()) == 1
    assert float(keep[..., 22:38, 22:38].max()) == 0


def test_the_fit_finds_gain_and_offset_and_stays_sane() -> None:
    source = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(1, 1, 40, 40)
    gain, offset = colour_fit(source, 1.1 * source - 0.05, ones)
    assert torch.allclose(gain * source + offset, 1.1 * source - 0.05, atol=0.01)
    gain, offset = colour_fit(source, 5 * source, 0 * ones)
    assert torch.equal(gain, torch.ones_like(gain))
    assert torch.equal(offset, torch.zeros_like(offset))
    gain, _ = colour_fit(source, 50 * source, ones)
    assert float(gain.max()) <= 1.25
    flat = torch.full((1, 3, 40, 40), 0.4)
    gain, offset = colour_fit(flat, flat + 0.02, ones)
    assert torch.allclose(gain * flat + offset, flat + 0.02, atol=1e-3)
    assert torch.allclose(gain, torch.ones_like(gain), atol=1e-4), "a flat sample says nothing about contrast"
