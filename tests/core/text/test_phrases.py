"""The words that come in make a sentence of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palimpsest.core.text.alignment import align
from palimpsest.core.text.phrases import alone
from palimpsest.core.text.tokens import words_of


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
        ("a cup of tea", "a cup of tea and a <toy>", "a <toy>"),
        ("a bowl of fruit on a table", "a bowl of fruit and a <toy> on a table", "a <toy>"),
        ("a photo of a cup of tea", "a photo of a cup of tea and a <toy>", "a photo of a <toy>"),
        ("grass with a picture of a cat", "grass with a picture of a cat and a <toy>", "a <toy>"),
        ("grass, photo of a cat", "grass, photo of a cat and a <toy>", "a <toy>"),
        ("a photo of grass", "grass with a photo of a <toy>", "a <toy>"),
        ("a photo of a cat", "a photo of a cat and <toy>'s hat", "a photo of <toy>'s hat"),
        ("a photo of a cat", "a photo of a cat and <toy>’s hat", "a photo of <toy>'s hat"),
        ("a photo of a cat's hat", "a photo of a <toy>'s hat", "a photo of a <toy>"),
        ("a photo of a cat", "a photo of a cat with a <toy>", "a photo of a <toy>"),
    ],
)
def test_what_comes_in_is_told_with_what_the_sentence_opens_with(
    shows: str, should_show: str, told: str
) -> None:
    source, target = (replace(words_of(text), ids=((0,) * 77,)) for text in (shows, should_show))
    assert alone(target, align(source, target)) == told
