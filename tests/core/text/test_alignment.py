"""The mapper: attention mass is kept whatever the number of tokens, and tails stay where they belong."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from palimpsest.core.text.alignment import Alignment, align
from palimpsest.core.text.tokens import Prompt, parse
from palimpsest.errors import WordNotFoundError
from tiny import tiny_tokenizer

LENGTH = 24
TOKENIZER = tiny_tokenizer(tokens=LENGTH)
CONCEPTS = {"<one>": [(900,)], "<two>": [(901, 902)], "<three>": [(903, 904, 905)]}


def read(text: str) -> Prompt:
    return parse(text, [TOKENIZER], [LENGTH], CONCEPTS)


def mapper(alignment: Alignment) -> Tensor:
    matrix = torch.zeros(alignment.source_length, alignment.target_length)
    for source, target, weight in alignment.entries:
        matrix[source, target] += weight
    return matrix


def aligned(source: str, target: str, *pairs: tuple[str, str]) -> tuple[Tensor, Alignment]:
    alignment = align(read(source), read(target), pairs)
    return mapper(alignment), alignment


def test_identical_prompts_have_the_identity() -> None:
    matrix, alignment = aligned("a cat sits on my mat", "a cat sits on my mat")
    assert torch.equal(matrix, torch.eye(LENGTH))
    assert not alignment.inserted
    assert not alignment.changes


@pytest.mark.parametrize("concept", ["<one>", "<two>", "<three>"])
@pytest.mark.parametrize("back", [False, True])
def test_rows_keep_their_mass_for_one_to_k_and_k_to_one(concept: str, back: bool) -> None:
    prompts = ["a photo of a cat on grass", f"a photo of a {concept} on grass"]
    source, target = reversed(prompts) if back else prompts
    matrix, _ = aligned(source, target)
    assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))


def test_one_word_becomes_three_tokens_and_the_tail_moves_by_two() -> None:
    matrix, alignment = aligned("a cat on my mat", "a <three> on my mat")
    source, target = read("a cat on my mat"), read("a <three> on my mat")
    assert matrix[2, 2:5].tolist() == pytest.approx([1 / 3] * 3)
    for i in range(3, source.end):
        assert matrix[i, i + 2] == 1
    assert matrix[source.end, target.end] == 1
    assert matrix[-1, -1] + matrix[-2, -1] + matrix[-3, -1] == 3  # surplus pads go to the last one
    assert not alignment.inserted


def test_three_tokens_become_one_word_and_the_tail_moves_back() -> None:
    matrix, _ = aligned("a <three> on my mat", "a cat on my mat")
    assert matrix[2:5, 2].tolist() == [1, 1, 1]
    assert matrix[5, 3] == matrix[6, 4] == 1
    assert matrix[-1, -3:].tolist() == pytest.approx([1 / 3] * 3)  # the last pad stands for the missing ones


def test_words_that_were_only_added_have_no_counterpart() -> None:
    matrix, alignment = aligned("a cat on grass", "a big red cat on wet grass")
    target = read("a big red cat on wet grass")
    new = {*target.span_of("big red"), *target.span_of("wet")}
    assert alignment.inserted == new
    assert matrix[:, sorted(new)].abs().max() == 0
    assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))


def test_a_deleted_word_gives_its_attention_to_eos() -> None:
    source, target = read("a cat and a dog"), read("a cat")
    matrix, alignment = aligned("a cat and a dog", "a cat")
    assert all(matrix[i, target.end] == 1 for i in source.span_of("and a dog"))
    assert [word.text for word in alignment.changed_source] == ["and", "a", "dog"]


def test_nouns_are_paired_with_nouns_when_phrases_differ_in_length() -> None:
    matrix, alignment = aligned("a red ball on grass", "a big blue cube on grass")
    source, target = read("a red ball on grass"), read("a big blue cube on grass")
    assert matrix[source.span_of("ball"), target.span_of("cube")] == 1
    assert matrix[source.span_of("red"), target.span_of("blue")] == 1
    assert alignment.inserted == set(target.span_of("big"))


@pytest.mark.parametrize(
    ("source", "target", "pairs"),
    [
        ("a cat and a dog", "a dog and a cat", [("cat", "dog"), ("dog", "cat")]),
        ("a red ball and a blue cube", "a blue cube and a red ball", [("ball", "cube"), ("blue", "red")]),
        ("a cat on my mat", "a mat on my cat", [("cat", "mat"), ("mat", "cat")]),
        ("a cat and a big dog", "a big dog and a cat", [("cat", "dog"), ("dog", "cat")]),
    ],
)
def test_things_that_change_places_are_replaced_where_they_stand(
    source: str, target: str, pairs: list[tuple[str, str]]
) -> None:
    matrix, alignment = aligned(source, target)
    for old, new in pairs:
        assert matrix[read(source).span_of(old)[-1], read(target).span_of(new)[-1]] > 0, (old, new)
    assert matrix[read(source).span_of("a")[0], read(target).span_of("a")[0]] == 1
    changed = {word.text for word in alignment.changed_target}
    assert {new for _, new in pairs} <= changed


def test_what_only_moves_keeps_its_attention() -> None:
    """Where pairing by place would change every word, the longest common part stays together."""
    matrix, alignment = aligned("a cat on my mat", "on my mat a cat")
    source, target = read("a cat on my mat"), read("on my mat a cat")
    for word in ("a", "cat", "on", "my", "mat"):
        assert matrix[source.span_of(word)[0], target.span_of(word)[0]] == 1
    assert (alignment.changes, alignment.inserted) == ((), frozenset())


def test_a_declared_pair_wins_over_the_difference() -> None:
    source, target = read("a cat and a dog"), read("a <two> and a cat")
    matrix, _ = aligned("a cat and a dog", "a <two> and a cat", ("dog", "<two>"))
    assert matrix[source.span_of("dog")[0], list(target.span_of("<two>"))].tolist() == [0.5, 0.5]
    assert matrix[source.span_of("cat")[0], target.span_of("cat")[0]] == 1
    assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))


def test_a_declared_pair_of_phrases_keeps_mass() -> None:
    matrix, alignment = aligned("a red ball on grass", "a <three> on grass", ("red ball", "<three>"))
    assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))
    assert not alignment.inserted


def test_a_declared_word_must_be_there() -> None:
    with pytest.raises(WordNotFoundError, match="horse"):
        aligned("a cat", "a dog", ("horse", "dog"))


@pytest.mark.parametrize(("source", "target"), [("", "a cat"), ("a cat", ""), ("", "")])
def test_empty_prompts_align_too(source: str, target: str) -> None:
    matrix, _ = aligned(source, target)
    assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))


def test_a_full_prompt_aligns_with_a_short_one() -> None:
    full = "cat " * (LENGTH - 2)
    for pair in ((full, "cat"), ("cat", full)):
        matrix, _ = aligned(*pair)
        assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))


TEXTS = st.lists(
    st.sampled_from(["a", "cat", "dog", "red", "squirrel", "<one>", "<two>", "<three>", ","]), max_size=6
).filter(lambda words: words.count("squirrel") < 2)


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_every_row_sums_to_one_and_only_new_columns_are_empty(source: list[str], target: list[str]) -> None:
    matrix, alignment = aligned(" ".join(source), " ".join(target))
    assert torch.allclose(matrix.sum(1), torch.ones(LENGTH))
    words = [i for word in read(" ".join(target)).words for i in word.indices]
    empty = {i for i in words if matrix[:, i].abs().max() == 0}
    assert empty == alignment.inserted
