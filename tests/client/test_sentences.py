"""Places in a sentence, as Python and as Qt count them."""

from __future__ import annotations

import pytest

from palimpsest_client.text.sentences import from_utf16, in_utf16

TEXT = "a 😀 dog"


@pytest.mark.parametrize(("place", "units"), [(0, 0), (2, 2), (3, 4), (4, 5), (7, 8)])
def test_what_lies_beyond_u_ffff_counts_as_two(place, units):
    assert in_utf16(TEXT, place) == units
    assert from_utf16(TEXT, units) == place


def test_no_place_is_beyond_the_end():
    assert in_utf16(TEXT, 99) == 8
    assert from_utf16(TEXT, 99) == 7


def test_between_its_two_halves_is_behind_it():
    assert from_utf16(TEXT, 3) == 3


def test_half_a_pair_that_is_pasted_is_one():
    assert from_utf16("a\ud83d dog", 2) == 2
    assert in_utf16("a\ud83d dog", 2) == 2
