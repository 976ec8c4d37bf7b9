"""A subject is cut out by its mask, and lies in a selection where it is said to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from palimpsest.core.picture.cutout import INSIDE, ROOM, CutOut, by_fit, cut_out, paste, place
from palimpsest.errors import SelectionEmptyError


def flat(height: int, width: int, value: float = 1.0) -> CutOut:
    """All opaque and of one grey, in [-1, 1]."""
    return CutOut(torch.full((1, 3, height, width), value), torch.ones(1, 1, height, width))


def selected(top: int, bottom: int, left: int, right: int, size: tuple[int, int] = (64, 96)) -> torch.Tensor:
    mask = torch.zeros(1, 1, *size)
    mask[..., top:bottom, left:right] = 1
    return mask


def laid_in(photo: torch.Tensor, cutout: CutOut, selection: torch.Tensor) -> torch.Tensor:
    return paste(photo, cutout, place(cutout, selection), selection)[0]


def test_what_the_mask_selects_is_cut_out_and_nothing_else() -> None:
    picture = np.random.default_rng(0).random((40, 60, 3), np.float32)
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 5:15] = 255
    mask[12, 7] = 0
    found = cut_out(picture, mask, None, 512)
    assert found.shape == (20, 10, 4)
    assert np.array_equal(found[..., :3], np.rint(picture[10:30, 5:15] * 255))
    assert np.array_equal(found[..., 3], mask[10:30, 5:15])


def test_a_large_cut_out_is_made_smaller_and_keeps_its_shape() -> None:
    found = cut_out(np.zeros((300, 400, 3), np.float32), np.full((300, 400), 255, np.uint8), None, 100)
    assert found.shape == (75, 100, 4)
    assert (found[..., 3] == 255).all()


def test_the_white_under_a_transparent_picture_is_not_kept() -> None:
    opacity = np.full((20, 20), 0.5, np.float32)
    blue = np.broadcast_to(np.array([0, 0.2, 1], np.float32), (20, 20, 3))
    found = cut_out(1 + opacity[..., None] * (blue - 1), np.full((20, 20), 255, np.uint8), opacity, 512)
    assert np.abs(found[..., :3] / 255 - blue).max() < 0.01
    assert (found[..., 3] == 128).all()


@pytest.mark.parametrize("opacity", [None, np.zeros((20, 20), np.float32)])
def test_a_mask_of_nothing_is_refused(opacity: np.ndarray | None) -> None:
    mask = np.full((20, 20), 0 if opacity is None else 255, np.uint8)
    with pytest.raises(SelectionEmptyError, match="picture 3 selects nothing that can be seen") as refusal:
        cut_out(np.zeros((20, 20, 3), np.float32), mask, opacity, 512, 3)
    assert refusal.value.hint


def test_it_stands_on_the_selections_foot_in_its_middle_as_large_as_fits() -> None:
    photo, selection = torch.zeros(1, 3, 64, 96), selected(12, 52, 30, 50)
    laid = laid_in(photo, flat(60, 15), selection)[0, 0] > 0.5
    rows, columns = (torch.nonzero(laid.any(dim=d)).flatten() for d in (1, 0))
    assert len(rows) == round(ROOM * 40), "the higher one of both fits by its height"
    assert len(columns) == round(ROOM * 10)
    assert 52 - 2 <= int(rows[-1]) + 1 <= 52
    assert abs(float(columns[0] + columns[-1] + 1) / 2 - 40) <= 1
    wide = laid_in(photo, flat(10, 40), selection)[0, 0] > 0.5
    rows, columns = (torch.nonzero(wide.any(dim=d)).flatten() for d in (1, 0))
    assert len(columns) == round(ROOM * 20), "the wider one by its width"
    assert 52 - 2 <= int(rows[-1]) + 1 <= 52


def test_a_selection_that_is_no_rectangle_cuts_nothing_off() -> None:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(96.0), indexing="ij")
    slanted = ((x - 40 - (y - 32) / 4).abs() < 14) & ((y - 34).abs() < 26)
    selection, subject = slanted[None, None].float(), flat(50, 30)
    box = place(subject, selection)
    assert float(selection[(..., *box.slices)].mean()) >= INSIDE
    assert 50 < box.bottom <= 60, "it still stands there"
    assert box.size.height > 25, "and is no smaller than it must be"
    whole = torch.zeros_like(selection)
    whole[..., 8:60, 20:61] = 1
    assert place(subject, whole).size.height > box.size.height


def test_what_takes_anothers_place_stands_at_its_foot_and_is_as_large() -> None:
    selection, standing = selected(4, 60, 20, 80), selected(24, 54, 30, 50)
    box = place(flat(40, 40), selection, standing)
    assert abs(box.size.width * box.size.height - 30 * 20) < 40
    assert (box.bottom, (box.left + box.right) / 2) == (54, 40)
    wide = place(flat(10, 80), selection, selected(24, 54, 70, 80))
    assert wide.size.width <= ROOM * 60, "no larger than the selection has room"
    assert 20 <= wide.left < wide.right <= 80
    with pytest.raises(SelectionEmptyError):
        place(flat(4, 4), torch.zeros(1, 1, 64, 96), standing)


def test_what_is_transparent_or_not_selected_stays_the_photo_to_the_bit() -> None:
    photo = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    ring = selected(12, 52, 30, 70)
    ring[..., 22:42, 40:60] = 0
    subject = flat(40, 40)
    subject.opacity[..., :20] = 0
    laid = laid_in(photo, subject, ring)
    changed = (laid != photo).any(dim=1)
    assert changed.any()
    assert not changed[ring[:, 0] == 0].any()
    assert not changed[..., :49].any(), "the left half is transparent; a pixel beside it may be soft"


def test_the_whole_picture_and_a_single_pixel_can_be_selected() -> None:
    photo = torch.zeros(1, 3, 64, 96)
    for selection in (torch.ones(1, 1, 64, 96), selected(63, 64, 95, 96)):
        laid = laid_in(photo, flat(7, 5), selection)
        assert laid.shape == photo.shape
        assert (laid > 0.5).any()


def test_nothing_selected_is_refused() -> None:
    with pytest.raises(SelectionEmptyError):
        place(flat(7, 5), torch.zeros(1, 1, 64, 96))


def test_the_picture_whose_shape_is_the_selections_comes_first() -> None:
    cutouts = [flat(10, 40), flat(20, 10), flat(40, 20), flat(20, 20)]
    assert by_fit(cutouts, selected(0, 40, 0, 20)) == [2, 1, 3, 0]
    assert by_fit(cutouts, selected(0, 10, 0, 40)) == [0, 3, 2, 1]


def test_it_comes_back_from_its_bytes() -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (12, 9, 4), np.uint8)
    found = CutOut.of(rgba)
    assert found.size == (9, 12)
    again = torch.cat([(found.pixels + 1) / 2, found.opacity], dim=1)[0].permute(1, 2, 0) * 255
    assert np.array_equal(again.round().byte().numpy(), rgba)
