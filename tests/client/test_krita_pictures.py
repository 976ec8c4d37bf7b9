"""Layers and masks in the pieces that Krita takes."""

from __future__ import annotations

import numpy as np
import pytest

from palimpsest_client.editor.editor import LayerResult
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.png import Layout, encode
from palimpsest_client.editor.slices import WorkError
from palimpsest_client.krita.pictures import GREY, layer_picture, mask_picture, read_layer, read_mask

BOUNDS = Bounds(7, 5, 12, 10)  # of the picture on the canvas


def reader(values: np.ndarray, deep: int):
    """Of (height, width, …) values that lie at BOUNDS."""

    def read(part: Bounds, depth: int) -> bytes:
        assert depth == deep
        inside = part.moved(-BOUNDS.x, -BOUNDS.y)
        return values[inside.y : inside.bottom, inside.x : inside.right].tobytes()

    return read


@pytest.mark.parametrize(("depth", "kind"), [(8, np.uint8), (16, np.uint16)])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_layer_is_opaque_where_its_mask_is_not_0(depth, kind, channels):
    values = np.random.default_rng(3).integers(0, np.iinfo(kind).max, (10, 12, 4), dtype=kind, endpoint=True)
    values[:4, :, 3] = 0
    part = Bounds(9, 6, 8, 7)
    found = layer_picture(reader(values, depth), Layout(Extent(12, 10), channels, depth), part, 24)
    assert (found.grey, found.depth, len(found.pieces)) == (channels == 2, depth, 3)
    seen = values[1:8, 2:10]
    mask = (seen[..., 3] >> (depth - 8)).astype(np.uint8)
    assert b"".join(piece.mask for piece in found.pieces) == mask.tobytes()
    pixels = np.frombuffer(b"".join(piece.pixels for piece in found.pieces), kind).reshape(7, 8, channels)
    assert np.array_equal(pixels[..., -1], np.where(mask > 0, np.iinfo(kind).max, 0))
    colours = seen[..., :1] if channels == 2 else seen[..., 2::-1] if depth == 16 else seen[..., :3]
    assert np.array_equal(pixels[..., :-1], colours)
    assert [piece.bounds.y for piece in found.pieces] == [6, 9, 12]


def test_a_mask_comes_as_its_outline_and_all_that_is_not_0():
    values = np.zeros((10, 12), np.uint8)
    values[2:7, 3:9] = 255
    values[8, 1] = 1  # too faint for the outline
    found = mask_picture(reader(values, GREY), BOUNDS, 12 * 3)
    assert found.whole == Bounds(10, 7, 6, 5)
    there = np.zeros_like(values)
    for piece in found.pieces:
        inside = piece.bounds.moved(-BOUNDS.x, -BOUNDS.y)
        rows = np.frombuffer(piece.mask, np.uint8).reshape(inside.height, inside.width)
        there[inside.y : inside.bottom, inside.x : inside.right] = rows
        assert piece.pixels == b""
    assert np.array_equal(there, values)
    assert sum(piece.bounds.extent.pixels for piece in found.pieces) < values.size


def test_nothing_selected_has_no_pieces():
    found = mask_picture(reader(np.zeros((10, 12), np.uint8), GREY), BOUNDS, 36)
    assert (found.whole.empty, found.gaps, found.pieces) == (True, [], [])


def decoder(values: np.ndarray):
    """Of one picture, whose parts are its own."""
    return lambda content: lambda part, depth: reader(values, depth)(part.moved(BOUNDS.x, BOUNDS.y), depth)


def test_of_a_result_is_read_what_its_layer_covers():
    values = np.random.default_rng(5).integers(0, 255, (10, 12, 4), dtype=np.uint8, endpoint=True)
    content = encode(values.tobytes(), Layout(BOUNDS.extent, 4))
    result = LayerResult(content, BOUNDS, "cat → dog", "{}", Bounds(0, 8, 12, 90))
    found = read_layer(decoder(values), result, 1000)
    assert result.covered == Bounds(7, 8, 5, 7)
    assert [piece.bounds for piece in found.pieces] == [result.covered]
    assert found.pieces[0].mask == values[3:, :5, 3].tobytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no PNG", "PNG"), (encode(bytes(6), Layout(Extent(3, 2), 1)), r"\(3, 2\) ≠ \(12, 10\)")],
)
def test_a_picture_that_does_not_belong_there_is_refused_before_it_is_decoded(content, reason):
    with pytest.raises(WorkError, match=reason):
        read_mask(lambda content: pytest.fail("decoded"), content, BOUNDS, 1000)


def test_a_mask_lies_where_it_belongs():
    values = np.zeros((10, 12), np.uint8)
    values[2:7, 3:9] = 255
    found = read_mask(decoder(values), encode(values.tobytes(), Layout(BOUNDS.extent, 1)), BOUNDS, 1000)
    assert (found.whole, found.gaps) == (Bounds(10, 7, 6, 5), [])
