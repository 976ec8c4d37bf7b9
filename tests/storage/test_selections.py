"""Selections of every kind of file: clear at their ends, as large as their picture, not empty."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from palimpsest.core.picture.region import Size, bounds
from palimpsest.errors import (
    SelectionEmptyError,
    SelectionSizeError,
)
from palimpsest.storage.pictures import (
    read_selection,
)
from palimpsest.storage.png import encode
from storage.picture_files import HEIGHT, WIDTH, colours, saved

SIZE = (WIDTH, HEIGHT)


def clear(grey: np.ndarray) -> np.ndarray:
    """Within 8 levels of black or white is black or white."""
    return np.where(grey <= 8, 0, np.where(grey >= 247, 255, grey)).astype(np.uint8)


def test_selections_of_every_kind() -> None:
    grey = colours(1)[..., 0]
    hard = np.where(grey > 128, 255, 0).astype(np.uint8)
    opaque = np.full_like(grey, 255)
    cases = {
        "grey": (encode(grey), grey),
        "grey 16": (encode(grey.astype(np.uint16) * 257), grey),
        "1 bit": (saved(Image.fromarray(hard > 0), "PNG"), hard),
        "rgb": (encode(np.stack([grey] * 3, axis=-1)), grey),
        "rgba opaque": (encode(np.stack([grey] * 3 + [opaque], axis=-1)), grey),
        "alpha": (encode(np.stack([hard, hard // 2, opaque, grey], axis=-1)), grey),
        "grey and alpha": (encode(np.stack([hard, grey], axis=-1)), grey),
        "palette": (saved(Image.fromarray(grey).convert("P"), "PNG"), grey),
        "bmp": (saved(Image.fromarray(grey), "BMP"), grey),
    }
    for name, (data, expected) in cases.items():
        found = read_selection(data, SIZE)
        assert found.dtype == np.uint8
        assert np.array_equal(found, clear(expected)), name


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_ends_of_a_selection_are_clear_and_what_lies_between_is_kept(depth: type) -> None:
    levels = np.resize(np.arange(256, dtype=np.uint8), (HEIGHT, WIDTH))
    found = read_selection(encode(levels.astype(depth) * (257 if depth is np.uint16 else 1)), SIZE)
    assert np.array_equal(found, clear(levels))
    assert not found[levels == 8].any()
    assert (found[levels == 9] == 9).all()
    assert (found[levels == 246] == 246).all()
    assert (found[levels == 247] == 255).all()


@pytest.mark.parametrize("quality", [60, 75, 95])
def test_a_lossy_files_noise_is_no_selection(quality: int) -> None:
    """A thing in the middle, saved as a JPEG over a black that isn't quite black."""
    mask = np.random.default_rng(0).integers(0, 4, (240, 320)).astype(np.uint8)
    mask[100:140, 150:200] = 255 - mask[100:140, 150:200]
    found = read_selection(saved(Image.fromarray(mask), "JPEG", quality=quality), (320, 240))
    box = bounds(found, Size(320, 240))
    assert box.left >= 150 - 16
    assert box.top >= 100 - 16
    assert box.right <= 200 + 16
    assert box.bottom <= 140 + 16
    assert (found[110:130, 160:190] == 255).all()


def test_a_selection_of_next_to_nothing_is_empty() -> None:
    with pytest.raises(SelectionEmptyError, match="above 8 of 255"):
        read_selection(encode(np.full((HEIGHT, WIDTH), 8, np.uint8)), SIZE)


def test_black_is_exactly_zero_and_white_exactly_full() -> None:
    mask = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    mask[10:20] = 65535
    found = read_selection(encode(mask), SIZE)
    assert set(np.unique(found)) == {0, 255}
    assert np.array_equal(found > 0, mask[..., 0] > 0)


def test_a_selection_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(SelectionSizeError, match=r"90 x 70.* 91 x 70") as caught:
        read_selection(encode(colours(1)), (91, 70))
    assert caught.value.details == {"selection": [90, 70], "picture": [91, 70]}


def test_an_empty_selection_is_refused() -> None:
    with pytest.raises(SelectionEmptyError):
        read_selection(encode(np.zeros((HEIGHT, WIDTH), np.uint8)), SIZE)
    with pytest.raises(SelectionEmptyError):
        read_selection(encode(colours(4) * np.array([1, 1, 1, 0], np.uint8)), SIZE)


def test_a_selection_is_turned_upright_like_its_picture() -> None:
    grey = colours(1)[..., 0]
    exif = Image.Exif()
    exif[274] = 6
    lying = saved(Image.fromarray(grey).transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    assert np.array_equal(read_selection(lying, SIZE), clear(grey))
