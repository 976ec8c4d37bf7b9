"""From one sentence to another by the fewest changes, checked against the textbook's distance."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest_client.text.differences import differences
from palimpsest_client.text.sentences import changes, changes_text

WORDS = st.lists(st.sampled_from("abcd"), max_size=7)


def distance(old: list[str], new: list[str]) -> int:
    """Levenshtein's, as the recursion is written."""
    row = list(range(len(new) + 1))
    for i, word in enumerate(old, start=1):
        before, row = row, [i]
        for j, other in enumerate(new, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1]


@given(WORDS, WORDS)
def test_it_covers_both_lists_with_the_fewest_changes(old, new):
    steps = differences(old, new)
    assert [w for _, a, b, _, _ in steps for w in old[a:b]] == old
    assert [w for _, _, _, c, d in steps for w in new[c:d]] == new
    assert all(old[a:b] == new[c:d] for equal, a, b, c, d in steps if equal)
    assert sum(max(b - a, d - c) for equal, a, b, c, d in steps if not equal) == distance(old, new)
    assert all(one[0] != other[0] for one, other in itertools.pairwise(steps))


@given(WORDS, WORDS)
def test_of_equally_many_changes_the_most_words_stay(old, new):
    kept = sum(b - a for equal, a, b, _, _ in differences(old, new) if equal)
    assert kept == most_kept(tuple(old), tuple(new))[1]


def most_kept(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[int, int]:
    """(changes, words kept) of the best way, by trying all."""
    if not old or not new:
        return len(old) + len(new), 0
    ways = [
        (lambda way: (way[0] + 1, way[1]))(most_kept(old[1:], new)),
        (lambda way: (way[0] + 1, way[1]))(most_kept(old, new[1:])),
    ]
    cost, kept = most_kept(old[1:], new[1:])
    ways.append((cost, kept + 1) if old[0] == new[0] else (cost + 1, kept))
    return min(ways, key=lambda way: (way[0], -way[1]))


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("a cat and a dog", "a dog and a cat", "cat → dog, dog → cat"),
        (
            "a red ball and a blue cube",
            "a blue cube and a red ball",
            "red ball → blue cube, blue cube → red ball",
        ),
    ],
)
def test_the_panels_show_what_the_backend_does(source, target, told):
    assert changes_text(changes(source, target)) == told


def test_the_arrow_points_from_the_old_word_to_the_new_one_in_every_script():
    assert changes_text(changes("صورة قطة", "صورة كلب")) == "\u200e\u2068قطة\u2069 → \u2068كلب\u2069"
    assert changes_text(changes("חתול", "<toy>")) == "\u200e\u2068חתול\u2069 → <toy>"
    assert changes_text(changes("photo", "photo קטן")) == "\u200e+ \u2068קטן\u2069"
    assert changes_text(changes("猫", "犬")) == "猫 → 犬"


def test_a_word_that_only_moved_neither_goes_nor_comes():
    assert changes_text(changes("a cat on a mat", "on a mat a cat")) == "cat stands elsewhere"
