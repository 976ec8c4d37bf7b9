"""The tokenizer's promises: grammar words are whole, all else survives as bytes, words can be added."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from palimpsest.builtin import grammar
from palimpsest.training.tokenizer import build_tokenizer, encode, save_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer(grammar.vocabulary(), context=48)


def test_every_word_of_the_grammar_is_one_token(tokenizer: CLIPTokenizer) -> None:
    assert [w for w in grammar.vocabulary() if len(tokenizer(w)["input_ids"]) != 3] == []


def test_words_keep_their_tokens_inside_a_caption(tokenizer: CLIPTokenizer) -> None:
    text = "a photo of a woman with blond hair in a red shirt next to two striped cats on grass"
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])
    assert [t.removesuffix("</w>") for t in tokens[1:-1]] == text.split()


def test_unknown_words_fall_back_to_bytes_and_come_back(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("a zebra née 猫")["input_ids"]
    assert len(ids) > 6
    assert str(tokenizer.decode(ids, skip_special_tokens=True)).strip() == "a zebra née 猫"


def test_captions_are_padded_and_cut_to_the_context(tokenizer: CLIPTokenizer) -> None:
    short, long = encode(tokenizer, ["a red ball", "a red ball and " * 40])
    assert len(short) == len(long) == 48
    assert short[5:] == [tokenizer.pad_token_id] * 43


def test_an_added_word_is_one_token_and_leaves_the_others(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    learner = CLIPTokenizer.from_pretrained(str(tmp_path))
    before = learner("a red ball on grass")["input_ids"]
    assert learner.add_tokens(["<my-toy>"]) == 1
    assert learner("a red ball on grass")["input_ids"] == before
    assert learner("a <my-toy> on grass")["input_ids"][2] == len(learner) - 1


def test_the_older_pair_of_files_says_the_same(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    older = CLIPTokenizer.from_pretrained(str(tmp_path))
    text = "an ink wash of a zebra left of a man in brown trousers"
    assert older(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert older.get_vocab() == tokenizer.get_vocab()


def test_building_twice_gives_the_same_tokens(tokenizer: CLIPTokenizer) -> None:
    again = build_tokenizer(reversed(grammar.vocabulary()), context=48)
    assert again.get_vocab() == tokenizer.get_vocab()
