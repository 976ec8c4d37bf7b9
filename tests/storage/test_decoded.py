"""A photo is read and decoded once: kept within a bound, and no longer than the store has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from palimpsest.errors import ImageNotFoundError, SelectionEmptyError, SelectionSizeError
from palimpsest.storage.decode import Limits
from palimpsest.storage.decoded import DecodedPictures
from palimpsest.storage.images import ImageStore
from palimpsest.storage.pictures import Selection, read_selection
from palimpsest.storage.png import encode

WIDTH, HEIGHT = 90, 70


class Counting(ImageStore):
    """Counts what is read."""

    reads = 0

    def get(self, image: str) -> bytes:
        self.reads += 1
        return super().get(image)


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "images")


def photo(shade: int) -> bytes:
    return encode(np.full((HEIGHT, WIDTH, 3), shade, np.uint8))


def mask(*edges: int) -> np.ndarray:
    left, top, right, bottom = edges
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    found[top:bottom, left:right] = 200
    return found


def test_what_was_decoded_is_neither_read_nor_decoded_again(store: Counting) -> None:
    decoded = DecodedPictures(store, Limits())
    image, selection = store.put(photo(40)), store.put(encode(mask(10, 20, 30, 25)))
    assert decoded.picture(image) is decoded.picture(image)
    assert decoded.selection(selection, (WIDTH, HEIGHT)) is decoded.selection(selection, (WIDTH, HEIGHT))
    assert store.reads == 2


def test_the_longest_unused_goes_when_the_bound_is_reached(store: Counting) -> None:
    decoded = DecodedPictures(store, Limits(), most=2 * HEIGHT * WIDTH * 3)
    first, second, third = (store.put(photo(shade)) for shade in (10, 20, 30))
    for image in (first, second, first, third, first):
        decoded.picture(image)
    assert store.reads == 3
    decoded.picture(second)
    assert store.reads == 4


def test_a_picture_beyond_the_bound_is_decoded_and_not_kept(store: Counting) -> None:
    decoded = DecodedPictures(store, Limits(), most=HEIGHT * WIDTH * 3 - 1)
    image = store.put(photo(40))
    assert decoded.picture(image).pixels[0, 0, 0] == decoded.picture(image).pixels[0, 0, 0] == 40
    assert store.reads == 2


def test_a_picture_that_was_removed_is_not_there_any_more(store: Counting) -> None:
    decoded = DecodedPictures(store, Limits())
    image = store.put(photo(40))
    decoded.picture(image)
    store.discard(image)
    with pytest.raises(ImageNotFoundError):
        decoded.picture(image)


def test_what_is_kept_cannot_be_written_to(store: Counting) -> None:
    decoded = DecodedPictures(store, Limits())
    found = decoded.picture(store.put(photo(40)))
    with pytest.raises(ValueError, match="read-only"):
        found.pixels[0, 0, 0] = 1


def test_a_selection_of_another_size_is_refused_for_every_picture(store: Counting) -> None:
    decoded = DecodedPictures(store, Limits())
    selection, empty = store.put(encode(mask(10, 20, 30, 25))), store.put(encode(mask(0, 0, 0, 0)))
    decoded.selection(selection, (WIDTH, HEIGHT))
    with pytest.raises(SelectionSizeError):
        decoded.selection(selection, (WIDTH, HEIGHT + 1))
    with pytest.raises(SelectionEmptyError):
        decoded.selection(empty, (WIDTH, HEIGHT))


@pytest.mark.parametrize(
    "edges", [(10, 20, 30, 25), (0, 0, WIDTH, HEIGHT), (WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT)]
)
def test_a_selection_is_the_same_within_a_box(edges: tuple[int, int, int, int]) -> None:
    whole = read_selection(encode(mask(*edges)), (WIDTH, HEIGHT))
    found = Selection.of(whole)
    assert found.box == edges
    left, top = max(0, edges[0] - 3), max(0, edges[1] - 7)
    box = left, top, WIDTH, HEIGHT
    assert np.array_equal(found.within(box), whole[top:, left:])
