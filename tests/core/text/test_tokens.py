"""Words and their tokens: spans are exact, and words are found as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.text.tokens import Prompt, parse, split
from palimpsest.errors import ConceptNotFoundError, PromptTooLongError, WordNotFoundError
from tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer(tokens=77)
TOY = {"<my-toy>": [(9001, 9002, 9003)], "<a>": [(9100,)], "<a>1": [(9200,)]}


def read(text: str, length: int = 77) -> Prompt:
    return parse(text, [TOKENIZER], [length], TOY)


def test_the_spans_tile_the_prompt_between_bos_and_eos() -> None:
    prompt = read("a photo of <my-toy>, and a squirrel's ball.")
    positions = [i for word in prompt.words for i in word.indices]
    assert positions == list(range(1, prompt.end))
    ids = prompt.ids[0]
    assert len(ids) == prompt.length == 77
    assert (ids[0], ids[prompt.end]) == (TOKENIZER.bos_token_id, TOKENIZER.eos_token_id)
    assert set(ids[prompt.end + 1 :]) == {TOKENIZER.pad_token_id}


def test_a_placeholder_is_its_k_tokens_wherever_it_stands() -> None:
    for text in ("<my-toy>", "a <my-toy>.", "a cat,<my-toy>!", "(<my-toy>)"):
        prompt = read(text)
        assert [prompt.ids[0][i] for i in prompt.span_of("<my-toy>")] == [9001, 9002, 9003]


def test_a_placeholder_that_begins_like_another_is_not_mistaken_for_it() -> None:
    with_digit = parse("a <a> <a1>", [TOKENIZER], [77], {"<a>": [(9100,)], "<a1>": [(9200,)]})
    assert [with_digit.ids[0][i] for i in with_digit.span_of("<a>")] == [9100]
    assert [with_digit.ids[0][i] for i in with_digit.span_of("<a1>")] == [9200]


@pytest.mark.parametrize("word", ["cat", "Cat", "CAT", "cat,", " cat ", "cat's", "“cat”"])
def test_a_word_is_found_whatever_its_case_and_punctuation(word: str) -> None:
    prompt = read("A photo of a Cat, sitting on the cat's chair")
    first, second = prompt.find(word)
    assert prompt.ids[0][first[0].start] == prompt.ids[0][second[0].start]


def test_several_words_in_a_row_are_one_phrase() -> None:
    prompt = read("a red ball and a red cube")
    assert len(prompt.find("red")) == 2
    assert prompt.span_of("red cube") == (6, 7)


def test_a_bare_name_finds_the_learned_word_unless_the_ordinary_word_is_there() -> None:
    assert read("a photo of <my-toy>").span_of("my-toy") == (4, 5, 6)
    both = parse("a <cat> and a cat", [TOKENIZER], [77], {"<cat>": [(9001, 9002)]})
    assert both.span_of("cat") == (6,)
    assert both.span_of("<cat>") == (2, 3)


def test_a_word_that_is_not_there_is_an_error_that_lists_the_words_that_are() -> None:
    with pytest.raises(WordNotFoundError, match="dog") as raised:
        read("a photo of <my-toy>, sitting").span_of("dog")
    assert raised.value.details["words"] == ["a", "photo", "of", "<my-toy>", "sitting"]
    assert "sitting" in raised.value.hint


@pytest.mark.parametrize("nothing", ["", ",", "  "])
def test_no_word_is_found_nowhere(nothing: str) -> None:
    with pytest.raises(WordNotFoundError):
        read("a cat, a dog").span_of(nothing)


def test_an_unknown_learned_word_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConceptNotFoundError, match="<dog>") as raised:
        read("a photo of <dog>")
    assert "<my-toy>" in raised.value.hint


def test_a_special_token_in_the_text_cannot_end_the_prompt() -> None:
    with pytest.raises(ConceptNotFoundError):
        read("a cat <|endoftext|> a dog")


def test_a_prompt_over_the_limit_is_refused_and_says_where() -> None:
    read("a " * 6, length=8)
    with pytest.raises(PromptTooLongError, match="7 tokens") as raised:
        read("a " * 6 + "dog", length=8)
    assert raised.value.details == {"tokens": 7, "limit": 6}
    assert "'dog'" in raised.value.hint


@given(st.text(alphabet="abcxyz ABZ,.'’-_!?&123éß½  \t\n<中", max_size=30))
@settings(max_examples=300, deadline=None)
def test_reading_word_by_word_gives_the_tokens_of_reading_at_once(text: str) -> None:
    whole = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    pieces = [TOKENIZER(p.text, add_special_tokens=False)["input_ids"] for p in split(text)]
    if all(piece.kind != "placeholder" for piece in split(text)):
        assert [token for piece in pieces for token in piece] == whole
