"""Places of things that flow into rows."""

from __future__ import annotations

from palimpsest_client.editor.geometry import Bounds, in_rows


def same(number: int, width: int) -> int:
    return 10


def test_they_stand_side_by_side_and_go_on_in_the_next_row():
    places = in_rows([40, 40, 40], same, 90, gap=4)
    assert places == [Bounds(0, 0, 40, 10), Bounds(44, 0, 40, 10), Bounds(0, 14, 40, 10)]


def test_a_row_is_as_high_as_its_highest():
    places = in_rows([40, 40, 40], lambda number, width: (10, 30, 10)[number], 90, gap=4)
    assert places[2] == Bounds(0, 34, 40, 10)


def test_in_one_row_only_those_are_placed_that_fit():
    assert len(in_rows([40, 60, 20], same, 90, gap=4, one_row=True)) == 1
    assert len(in_rows([40, 40, 20], same, 90, gap=4, one_row=True)) == 2


def test_one_that_is_too_wide_is_cut_and_its_height_is_that_of_its_width():
    places = in_rows([300, 40], lambda number, width: 2000 // width, 90, gap=4, one_row=True)
    assert places == [Bounds(0, 0, 90, 22)]


def test_there_is_always_some_width():
    assert in_rows([40], same, 0, gap=4) == [Bounds(0, 0, 1, 10)]
    assert in_rows([], same, 90, gap=4) == []
