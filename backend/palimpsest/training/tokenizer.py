"""A CLIP tokenizer in which every word of the scene grammar is one token.

The same byte-level scheme as CLIP's own (Radford et al. 2021, §2.4): 256 byte symbols, 256 more that end a
word, then merges. The merges are learned on the list of words itself, so each of them ends as one token and
every other string still falls back to bytes. Rows for concepts are added behind the vocabulary at run time
(``add_tokens`` with ``resize_token_embeddings``), so nothing is reserved here.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

END_OF_WORD = "</w>"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"

Merges = list[tuple[str, str]]


def build_tokenizer(words: Iterable[str], context: int) -> CLIPTokenizer:
    """A tokenizer that reads every one of ``words`` as one token and at most ``context`` tokens in all."""
    merges = learn_merges(sorted(set(words)))
    with tempfile.TemporaryDirectory() as folder:
        write_tables(Path(folder), vocabulary(merges), merges)
        return CLIPTokenizer.from_pretrained(
            folder, bos_token=BEGIN, eos_token=END, unk_token=END, pad_token=END, model_max_length=context
        )


def learn_merges(words: list[str]) -> Merges:
    """Byte-pair merges that reduce each of ``words`` to one symbol; ties go to the alphabetically first."""
    split = [(*word[:-1], word[-1] + END_OF_WORD) for word in words]
    merges: Merges = []
    while pairs := Counter(pair for symbols in split for pair in pairwise(symbols)):
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        split = [merged(symbols, merges[-1]) for symbols in split]
    return merges


def merged(symbols: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """``symbols`` with every occurrence of ``pair`` joined, from the left."""
    joined: list[str] = []
    for symbol in symbols:
        if joined and (joined[-1], symbol) == pair:
            joined[-1] += symbol
        else:
            joined.append(symbol)
    return tuple(joined)


def vocabulary(merges: Merges) -> dict[str, int]:
    """Bytes, bytes that end a word, merged symbols, the two special tokens: token → row."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    symbols = [*alphabet, *(c + END_OF_WORD for c in alphabet), *(a + b for a, b in merges), BEGIN, END]
    return {symbol: row for row, symbol in enumerate(dict.fromkeys(symbols))}


def write_tables(folder: Path, table: dict[str, int], merges: Merges) -> None:
    """``vocab.json`` and ``merges.txt``, the pair of files that every version of transformers reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Save ``tokenizer``, with the older pair of tables beside the single file that newer libraries write."""
    tokenizer.save_pretrained(str(folder))
    stored = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    pairs = [(p[0], p[1]) for p in (m.split(" ") if isinstance(m, str) else m for m in stored["merges"])]
    write_tables(folder, stored["vocab"], pairs)


def encode(tokenizer: CLIPTokenizer, captions: list[str]) -> list[list[int]]:
    """Token rows padded to the tokenizer's own context length."""
    batch = tokenizer(captions, padding="max_length", truncation=True, max_length=tokenizer.model_max_length)
    return batch["input_ids"]  # pyright: ignore[reportReturnType]
