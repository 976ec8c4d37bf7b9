"""A cut-out in a photo: where it lies, what goes for it, and how fine it is on the canvas."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from palimpsest.core.picture.cutout import CutOut
from palimpsest.core.picture.detail import alike, restorer
from palimpsest.core.picture.fill import harmonic_fill
from palimpsest.core.picture.laid import cleared, lay, on_canvas
from palimpsest.core.picture.region import Region, cut, plan

SIZE = (256, 256)  # of the canvas: the model sees all of it at half its size
WORK = 128


def striped(side: int, every: int) -> CutOut:
    """Opaque, of fine stripes; each ``every`` pixels wide."""
    stripes = (torch.arange(side) // every % 2 * 2 - 1).float().expand(1, 3, side, side)
    return CutOut(stripes.clone(), torch.ones(1, 1, side, side))


def seen() -> tuple[np.ndarray, torch.Tensor, torch.Tensor, Region]:
    """The canvas, the photo and the selection where the model sees them."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    canvas = np.stack([x / 256, y / 256, np.full(SIZE, 0.5)], -1).astype(np.float32)
    region = plan(SIZE, None, WORK, 32)
    selection = torch.zeros(1, 1, WORK, WORK)
    selection[..., 30:100, 40:90] = 1
    return canvas, cut(canvas, region), selection, region


def test_what_stood_there_is_filled_and_the_rest_is_the_photo() -> None:
    _, photo, selection, _ = seen()
    standing = torch.zeros_like(selection)
    standing[..., 50:90, 55:75] = 1
    red = torch.where(standing > 0, torch.tensor([1.0, -1, -1])[:, None, None], photo)
    laid = lay(cleared(red, selection, standing), striped(20, 5))
    beside = (standing > 0) & (laid.opacity == 0)
    assert beside.any()
    assert (laid.pixels - photo)[beside.expand_as(photo)].abs().max() < 0.1, "no red left, but its ground"
    far = functional.max_pool2d(torch.maximum(standing, laid.opacity), 13, stride=1, padding=6) == 0
    assert torch.equal(laid.pixels[far.expand_as(photo)], red[far.expand_as(photo)])
    assert not laid.changed[far].any()
    assert laid.changed[(standing > 0) | (laid.opacity > 0.5)].all()


def test_nothing_of_what_stood_there_is_left_on_the_canvas() -> None:
    """Not even its edge, which is sharper there than where the model sees it."""
    canvas, _, selection, region = seen()
    clean = canvas.copy()
    canvas[101:179, 111:149] = (1, 0, 0)
    standing = torch.zeros_like(selection)
    standing[..., 50:90, 55:75] = 1
    laid = lay(cleared(cut(canvas, region), selection, standing), striped(4, 2))
    made = on_canvas(laid, region).part(canvas, slice(0, 256), slice(0, 256))
    bare = np.ones(SIZE, bool)
    box = on_canvas(laid, region).box
    bare[box.top - 4 : box.bottom + 4, box.left - 4 : box.right + 4] = False
    assert np.abs(made - clean)[bare].max() < 0.1


def test_without_a_thing_that_goes_nothing_is_filled() -> None:
    _, photo, selection, _ = seen()
    laid = lay(cleared(photo, selection), striped(20, 5))
    assert not laid.filled.any()
    assert torch.equal(laid.ground, photo)
    assert torch.equal(laid.changed > 0, laid.opacity > 0.5)


def test_on_the_canvas_the_cut_out_has_all_its_pixels_and_every_part_is_the_wholes() -> None:
    canvas, photo, selection, region = seen()
    laid = lay(cleared(photo, selection), striped(90, 1))  # one pixel wide: more than the model sees
    fine = on_canvas(laid, region)
    whole = fine.part(canvas, slice(0, 256), slice(0, 256))
    inside = np.s_[fine.box.top + 4 : fine.box.bottom - 4, fine.box.left + 4 : fine.box.right - 4]
    assert whole[inside].std() > 3 * float((laid.pixels[..., 70:90, 50:80] / 2).std())
    outside = np.ones(SIZE, bool)
    outside[fine.box.slices] = False
    assert np.array_equal(whole[outside], canvas[outside])
    for rows, columns in ((slice(0, 100), slice(0, 256)), (slice(100, 256), slice(90, 140))):
        assert np.allclose(fine.part(canvas[rows, columns], rows, columns), whole[rows, columns], atol=1e-6)


def test_detail_belongs_to_what_is_the_same_in_another_light_and_to_nothing_else() -> None:
    trip = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.6
    trip = functional.avg_pool2d(trip, 3, stride=1, padding=1, count_include_pad=False)
    other = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    inner = np.s_[..., 8:-8, 8:-8]
    assert alike(0.8 * trip + 0.15, trip)[inner].min() > 0.45
    assert alike(0.5 * trip + 0.3, trip)[inner].mean() < alike(0.8 * trip + 0.15, trip)[inner].mean()
    assert alike(other, trip)[inner].max() < 0.2


def test_the_subjects_own_detail_comes_back_where_the_edit_shows_it_darker() -> None:
    canvas, photo, selection, region = seen()
    stripes = striped(90, 4)
    stripes.pixels.mul_(0.6)
    laid = lay(cleared(photo, selection), stripes)
    mask = np.zeros(SIZE, np.uint8)
    mask[60:200, 80:180] = 255

    def lossy(pixels: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(pixels, 3, stride=1, padding=1, count_include_pad=False)

    trip, lit = lossy(laid.pixels), 0.8 * laid.pixels - 0.1
    darker = torch.where(laid.opacity > 0, lossy(lit), lossy(photo))
    everything = slice(0, 256)
    inside = np.s_[80:180, 95:165]

    def error(with_detail: bool) -> float:
        made = restorer(darker, trip, laid.pixels, mask, region, laid if with_detail else None)
        truth = (0.8 * (2 * on_canvas(laid, region).part(canvas, everything, everything) - 1) - 0.1 + 1) / 2
        return float(np.abs(made.part(canvas, everything, everything) - truth)[inside].mean())

    assert error(with_detail=True) < 0.6 * error(with_detail=False)


def test_with_little_noise_all_detail_of_the_subject_is_its_own_and_with_much_none_is() -> None:
    canvas, photo, selection, region = seen()
    laid = lay(cleared(photo, selection), striped(90, 4))
    mask = np.zeros(SIZE, np.uint8)
    mask[60:200, 80:180] = 255
    smear = functional.avg_pool2d(laid.pixels, 21, stride=1, padding=10, count_include_pad=False)
    smeared = torch.where(laid.opacity > 0, smear - 0.2, laid.pixels)
    everything, box = slice(0, 256), on_canvas(laid, region).box
    inside = np.s_[box.top + 8 : box.bottom - 8, box.left + 8 : box.right - 8]
    own = on_canvas(laid, region).part(canvas, everything, everything)[inside]

    def shown(noise: float) -> np.ndarray:
        made = restorer(smeared, laid.pixels, laid.pixels, mask, region, laid, noise)
        return made.part(canvas, everything, everything)[inside]

    held, half, free = shown(0.15), shown(0.25), shown(0.35)
    assert np.abs(held - held.mean() - (own - own.mean())).mean() < 0.1 * own.std()
    assert own.mean() - 0.15 < held.mean() < own.mean() - 0.05
    assert free.std() < 0.5 * half.std() < 0.5 * held.std()


def test_what_lies_away_from_a_filled_part_has_no_part_in_it() -> None:
    generator = torch.Generator().manual_seed(2)
    large, small = torch.randn(1, 3, 60, 80, generator=generator), np.s_[..., 19:42, 9:52]
    region = torch.zeros(1, 1, 60, 80)
    region[..., 20:41, 10:51] = 1
    region[..., 30, 20:25] = 0
    filled = harmonic_fill(large, region)
    assert torch.equal(filled[small], harmonic_fill(large[small], region[small]))
    known = (region == 0).expand_as(large)
    assert torch.equal(filled[known], large[known])
    assert not torch.equal(filled, large)
