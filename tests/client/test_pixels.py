"""Geometry, masks and PNG against slow references that touch every pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from palimpsest_client.editor import masks, png
from palimpsest_client.editor.geometry import Bounds, Extent, spread, strips, tiles
from palimpsest_client.editor.png import Layout

extents = st.builds(Extent, st.integers(1, 12), st.integers(1, 12))
boxes = st.builds(Bounds, st.integers(-5, 12), st.integers(-5, 12), st.integers(0, 9), st.integers(0, 9))


def covered(bounds: Bounds) -> set[tuple[int, int]]:
    return {(x, y) for x in range(bounds.x, bounds.right) for y in range(bounds.y, bounds.bottom)}


@given(boxes, boxes)
def test_rectangles_are_sets_of_pixels(a, b):
    assert covered(a.intersect(b)) == covered(a) & covered(b)
    assert covered(a.union(b)) >= covered(a) | covered(b)
    assert a.contains(b) == (covered(a) >= covered(b))
    assert covered(a.moved(2, -1)) == {(x + 2, y - 1) for x, y in covered(a)}


@given(boxes, st.integers(1, 6))
def test_tiles_cover_everything_once(bounds, side):
    pieces = list(tiles(bounds, side))
    assert sum(len(covered(piece)) for piece in pieces) == len(covered(bounds))
    assert set().union(*map(covered, pieces)) == covered(bounds)
    assert all(max(piece.width, piece.height) <= side for piece in pieces)


@given(boxes, st.integers(1, 40))
def test_strips_cover_everything_once_in_whole_rows(bounds, most):
    pieces = list(strips(bounds, most))
    assert sum(len(covered(piece)) for piece in pieces) == len(covered(bounds))
    assert set().union(*map(covered, pieces)) == covered(bounds)
    for piece in pieces:
        assert (piece.x, piece.width) == (bounds.x, bounds.width)
        assert piece.extent.pixels <= most or piece.height == 1


def test_a_veil_is_dark_where_nothing_is_selected():
    made = masks.veil(bytes([0, 128, 255]))
    assert [tuple(made[at : at + 4]) for at in (0, 4, 8)] == [(0, 0, 0, 165), (0, 0, 0, 82), (0, 0, 0, 0)]


@given(st.data(), extents)
def test_masks_are_cut_placed_and_measured_exactly(data, extent):
    values = data.draw(
        st.lists(st.sampled_from([0, 0, 0, 7, 255]), min_size=extent.pixels, max_size=extent.pixels)
    )
    mask = bytes(values)
    array = np.array(values, np.uint8).reshape(extent.height, extent.width)
    rows, columns = np.nonzero(array)
    found = masks.bounds_of(mask, extent)
    assert masks.is_empty(mask) == (len(rows) == 0) == found.empty
    if len(rows) > 0:
        expected = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert tuple(found) == expected
        part = masks.cropped(mask, extent, found)
        assert part == array[found.y : found.bottom, found.x : found.right].tobytes()


@given(extents, boxes)
def test_a_rectangle_is_white_inside_and_black_outside(extent, bounds):
    array = np.frombuffer(masks.rectangle(extent, bounds), np.uint8).reshape(extent.height, extent.width)
    white = {(x, y) for y, x in zip(*np.nonzero(array), strict=True)}
    assert white == covered(bounds) & covered(extent.bounds)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="5 bytes for 2×3"):
        masks.bounds_of(bytes(5), Extent(2, 3))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_an_8_bit_png_holds_exactly_the_pixels(channels, level):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, channels), np.uint8)
    content = png.encode(pixels.tobytes(), Layout(Extent(5, 7), channels), level=level)
    assert np.array_equal(np.array(Image.open(io.BytesIO(content))).reshape(7, 5, channels), pixels)
    assert png.read_layout(content) == Layout(Extent(5, 7), channels, 8, False)


@pytest.mark.parametrize("little_endian", [True, False])
def test_a_16_bit_grey_png_holds_exactly_the_values(little_endian):
    values = np.random.default_rng(0).integers(0, 65536, (6, 9), np.uint16)
    raw = values.astype("<u2" if little_endian else ">u2").tobytes()
    content = png.encode(raw, Layout(Extent(9, 6), 1, 16, little_endian))
    assert np.array_equal(np.array(Image.open(io.BytesIO(content))).astype(np.uint16), values)


@pytest.mark.parametrize(("channels", "depth"), [(3, 8), (4, 8), (3, 16), (4, 16)])
def test_blue_first_is_red_first_with_two_channels_exchanged(channels, depth):
    kind = np.uint8 if depth == 8 else np.uint16
    pixels = np.random.default_rng(0).integers(0, 2**depth, (4, 3, channels), kind)
    swapped = pixels[..., [2, 1, 0, *range(3, channels)]]
    one = png.encode(swapped.astype(kind).tobytes(), Layout(Extent(3, 4), channels, depth, True, True))
    other = png.encode(pixels.tobytes(), Layout(Extent(3, 4), channels, depth, True))
    assert one == other


def test_a_profile_travels_with_the_picture():
    content = png.encode(bytes(12), Layout(Extent(2, 2), 3), icc=b"a profile")
    assert Image.open(io.BytesIO(content)).info["icc_profile"] == b"a profile"


@pytest.mark.parametrize(
    "layout", [Layout(Extent(2, 2), 5), Layout(Extent(2, 2), 3, 32), Layout(Extent(0, 2), 3)]
)
def test_what_cannot_be_a_png_is_refused(layout):
    with pytest.raises(ValueError):  # noqa: PT011
        png.encode(bytes(12), layout)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.sampled_from([8, 16]))
def test_a_picture_that_comes_in_bands_is_the_same_png(heights, depth):
    layout = Layout(Extent(3, sum(heights)), 4, depth, True, True)
    pixels = np.random.default_rng(0).bytes(layout.row_bytes * layout.extent.height)
    ends = [layout.row_bytes * end for end in np.cumsum(heights)]
    pieces = [pixels[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert png.encode_bands(iter(pieces), layout) == png.encode(pixels, layout)


def test_long_pictures_are_cut_between_rows(monkeypatch):
    monkeypatch.setattr(png, "BAND", 25)
    layout = Layout(Extent(5, 7), 2)
    pixels = bytes(range(70))
    pieces = list(png.bands(pixels, layout))
    assert b"".join(pieces) == pixels
    assert [len(piece) for piece in pieces] == [20, 20, 20, 10]


def test_bands_that_are_not_the_whole_picture_are_refused():
    with pytest.raises(ValueError, match="10 bytes where 20 belong"):
        png.encode_bands([bytes(10)], Layout(Extent(5, 4), 1))


def test_of_a_speckled_mask_only_the_largest_gaps_are_told():
    speckled, wide = bytes([255, 0] * 600), bytes([255] + [0] * 1198 + [255])
    rows = [(Bounds(0, y, 1200, 1), speckled) for y in range(3)] + [(Bounds(0, 3, 1200, 1), wide)]
    _, gaps = masks.outline(rows)
    assert len(gaps) == masks.MOST_GAPS
    assert gaps[0] == Bounds(1, 3, 1198, 1)


def test_the_outline_of_a_mask_is_a_rectangle_less_its_gaps():
    none = [0] * 6
    values = [none, [0, 255, 255, 0, 0, 0], [128, 127, 255, 0, 255, 0], none, [0, 0, 255, 0, 0, 0], [1] * 6]
    rows = [bytes(row) for row in values]
    bands = [(Bounds(10, 20 + 2 * at, 6, 2), row) for at, row in enumerate(rows)]
    whole, gaps = masks.outline(bands)
    assert whole == Bounds(10, 22, 5, 8)
    drawn = np.zeros((12, 6), np.uint8)
    drawn[2:10, :5] = 1
    for gap in gaps:
        assert drawn[gap.y - 20 : gap.bottom - 20, gap.x - 10 : gap.right - 10].all(), "gaps don't overlap"
        drawn[gap.y - 20 : gap.bottom - 20, gap.x - 10 : gap.right - 10] = 0
    expected = np.array([[value > 127 for value in row] for row in rows]).repeat(2, axis=0)
    assert np.array_equal(drawn, expected)
    assert masks.outline(bands[:1]) == (Bounds(0, 0, 0, 0), [])


def test_rows_longer_than_a_band_are_stored_too():
    layout = Layout(Extent(3 * png.BAND // 4, 2), 4)
    pixels = np.random.default_rng(0).integers(0, 256, layout.size, np.uint8).tobytes()
    made = Image.open(io.BytesIO(png.encode(pixels, layout, level=png.STORED)))
    assert made.tobytes() == pixels


@given(boxes, st.integers(1, 40))
def test_rows_are_spread_from_the_first_to_the_last(bounds, most):
    rows = spread(bounds, most)
    assert len(rows) == min(most, bounds.height)
    assert all(bounds.contains(row) and row.height == 1 and row.width == bounds.width for row in rows)
    places = [row.y for row in rows]
    if len(rows) > 1:
        assert (places[0], places[-1]) == (bounds.y, bounds.bottom - 1)
        gaps = {below - above for above, below in zip(places, places[1:], strict=False)}  # noqa: RUF007
        assert min(gaps) > 0
        assert max(gaps) - min(gaps) <= 1
