"""The words that come in make a sentence of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palimpsest.core.alignment import align
from palimpsest.core.phrases import alone
from palimpsest.core.tokens import words_of


@pytest.mark.parametrize(
    ("shows", "should_show", "told"),
    [
        ("a photo of a cat on grass", "a photo of a cat and a <toy> on grass", "a photo of a <toy>"),
        ("a photo of a cat on grass", "a photo of a <toy> and a cat on grass", "a photo of a <toy>"),
        ("a photo of a cat", "a photo of a cat next to the small <toy>", "a photo of the small <toy>"),
        ("a photo of a cat", "a photo of a cat, and a <toy> with a hat!", "a photo of a <toy> with a hat"),
        ("an oil painting of a cat", "an oil painting of a cat and a <toy>", "an oil painting of a <toy>"),
        ("a cat on grass", "a cat and my <toy> on grass", "my <toy>"),
        ("a photo of grass", "a photo of a <toy> on grass", "a photo of a <toy>"),
        ("a photo of a cat", "a photo of a cat and a <toy> and a <toy>", "a photo of a <toy> and a <toy>"),
        ("grass", "a <toy> on grass", "a <toy>"),
    ],
)
def test_what_comes_in_is_told_with_what_the_sentence_opens_with(
    shows: str, should_show: str, told: str
) -> None:
    source, target = (replace(words_of(text), ids=((0,) * 77,)) for text in (shows, should_show))
    assert alone(target, align(source, target)) == told
