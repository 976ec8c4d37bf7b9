"""The words that come in make a sentence of their own."""

from __future__ import annotations

import pytest

from palimpsest.core.text.alignment import align
from palimpsest.core.text.phrases import alone, alone_on_ground, staying
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
        ("a red mug on wood", "a red striped <toy> and a red mug on wood", "a red striped <toy>"),
        ("a red mug on wood", "a red mug and a red striped <toy> on wood", "a red striped <toy>"),
        ("the red mug", "the red cube and the red mug", "the red cube"),
    ],
)
def test_what_comes_in_is_told_with_what_the_sentence_opens_with(
    shows: str, should_show: str, told: str
) -> None:
    source, target = words_of(shows), words_of(should_show)
    assert alone(target, align(source, target)) == told


@pytest.mark.parametrize(
    ("shows", "should_show", "told"),
    [
        ("a photo of a cat on grass", "a photo of a cat and a dog on grass", "a photo of a dog on grass"),
        ("a photo of a cat on grass", "a photo of a dog and a cat on grass", "a photo of a dog on grass"),
        ("a photo of a red ball on sand", "a photo of a red cube on sand", "a photo of a red cube on sand"),
        ("a photo of a red dotted ball", "a photo of a blue dotted ball", "a photo of a blue dotted ball"),
        ("a photo of a big red ball", "a photo of a small red cube", "a photo of a small red cube"),
        ("two red balls on sand", "two red cubes on sand", "two red cubes on sand"),
        ("a cat on the sofa", "a cat and a red <toy>'s hat on the sofa", "a red <toy>'s hat on the sofa"),
        ("a photo of a cat", "a photo of a cat and a dog", "a photo of a dog"),
        ("a photo of a cat on grass", "a photo of a cat on grass and a dog", "a photo of a dog"),
        ("a photo of a cat on grass", "a photo of a cat on snow", "a photo of snow"),
        ("a man with a hat on", "a dog and a man with a hat on", "a dog"),
        ("a photo of a cat on grass", "a photo of a cat on grass", ""),
        ("a photo of a cat and a dog", "a photo of a dog and a cat", ""),
    ],
)
def test_what_comes_in_is_drawn_on_the_ground_where_it_will_stand(
    shows: str, should_show: str, told: str
) -> None:
    source, target = words_of(shows), words_of(should_show)
    sentence, thing = alone_on_ground(target, align(source, target))
    assert sentence == told
    assert thing == told.removeprefix("a photo of ").partition(" on ")[0]
    assert not thing or words_of(sentence).contains(thing)


@pytest.mark.parametrize(
    ("shows", "should_show", "told"),
    [
        ("a photo of a man and a red ball on grass", "a photo of a red ball on grass", ["red", "ball"]),
        ("a photo of a man on green grass", "a photo of green grass", []),
        ("a man beside a dog", "a dog", ["dog"]),
        ("a cat and a dog on sand", "a cat and a <toy> on sand", ["cat"]),
    ],
)
def test_what_stays_is_told_without_what_it_stands_on(shows: str, should_show: str, told: list[str]) -> None:
    source, target = words_of(shows), words_of(should_show)
    assert staying(source, target, align(source, target)) == told
