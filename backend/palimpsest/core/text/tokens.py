"""Words and the tokens they stand for: explicit spans instead of splitting at blanks.

Prompt-to-Prompt (Hertz et al. 2022) edits attention columns, one column per token. A word may be
several tokens, a learned ``<word>`` is always k of them, and a tokenizer knows nothing of words; so
every prompt carries a table word -> [start, stop), positions counted with the leading BOS.

This module knows strings and integers only. Learned words never enter a tokenizer: the text between
them is tokenised word by word, which for CLIP's byte-pair encoding equals tokenising it at once
(its pre-tokenizer never joins what is split here).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palimpsest.errors import ConceptNotFoundError, PromptTooLongError, RequestError, Text, WordNotFoundError

PLACEHOLDER = re.compile(r"<[^<>\s]+>")
PLURALS = {"child": "children", "man": "men", "person": "people", "woman": "women"}  # else with an s
_LETTERS = r"[^\W_]+"
_PIECE = re.compile(
    rf"(?P<placeholder>{PLACEHOLDER.pattern})"
    rf"|(?P<word>{_LETTERS}(?:['’_-]+{_LETTERS})*)"  # rock-n-roll, don't: one word to a reader
    rf"|(?P<mark>(?:(?!{PLACEHOLDER.pattern})(?:[^\w\s]|_))+)"
)
_POSSESSIVE = re.compile(r"['’]s$")


@dataclass(frozen=True)
class Piece:
    """A stretch of a prompt that is tokenised on its own."""

    text: str
    kind: str  # "word", "placeholder" or "mark" (punctuation)


@dataclass(frozen=True)
class WordSpan:
    """A word as written and its token positions [start, stop), BOS being position 0."""

    text: str
    start: int
    stop: int
    kind: str = "word"

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(range(self.start, self.stop))


@dataclass(frozen=True)
class Prompt:
    """A prompt as the text encoders read it: BOS, content, EOS, then pads up to the context length."""

    text: str
    ids: tuple[tuple[int, ...], ...]  # per text encoder, all of the context length
    words: tuple[WordSpan, ...]  # in order, marks included; tiles [1, end)
    end: int  # position of EOS

    @property
    def length(self) -> int:
        """The context length: positions including pads."""
        return len(self.ids[0])

    @property
    def names(self) -> tuple[str, ...]:
        """The words a user may name, in order, without punctuation."""
        return tuple(word.text for word in self.words if word.kind != "mark")

    def find(self, phrase: str) -> tuple[tuple[WordSpan, ...], ...]:
        """Every occurrence of a word, a ``<name>`` or several consecutive words, each as its spans.

        Case, surrounding punctuation and a possessive 's don't matter. A ``<name>`` only matches a
        learned word; a bare name matches an ordinary word if there is one, else the learned word.
        Raises WordNotFoundError, which lists the words that are there.
        """
        found = self._occurrences(phrase)
        if found:
            return found
        there = ", ".join(dict.fromkeys(self.names))
        raise WordNotFoundError(
            Text("word-not-there", word=phrase, prompt=self.text),
            Text("words-there", words=there) if there else Text("no-words-there"),
            word=phrase,
            words=list(dict.fromkeys(self.names)),
        )

    def contains(self, phrase: str) -> bool:
        return bool(self._occurrences(phrase))

    def span_of(self, phrase: str) -> tuple[int, ...]:
        """Token positions of every occurrence of ``phrase`` (see ``find``), BOS included in the count."""
        return tuple(i for run in self.find(phrase) for word in run for i in word.indices)

    def _occurrences(self, phrase: str) -> tuple[tuple[WordSpan, ...], ...]:
        wanted = [piece for piece in split(phrase) if piece.kind != "mark"]
        named = [word for word in self.words if word.kind != "mark"]
        exact = tuple(_runs(named, wanted, _same_piece))
        return exact if exact else tuple(_runs(named, wanted, _same_name))


def split(text: str) -> tuple[Piece, ...]:
    """Placeholders, words and punctuation of a text, in order."""
    composed = unicodedata.normalize("NFC", text)
    return tuple(Piece(m.group(), str(m.lastgroup)) for m in _PIECE.finditer(composed))


def words_of(text: str) -> Prompt:
    """The words of a sentence without a tokenizer: each as if it were one token; ``ids`` are 0."""
    pieces = split(text)
    words = tuple(WordSpan(piece.text, i, i + 1, piece.kind) for i, piece in enumerate(pieces, start=1))
    return Prompt(text, ((0,) * (len(words) + 2),), words, len(words) + 1)


def require_known(noun: str, known: Collection[str]) -> None:
    """``known``: every word of a model of few words; empty = it knows more than can be told.

    Raises RequestError for a noun with a word that isn't among them.
    """
    unknown = [word for word in noun.split() if known and plain(word) not in known]
    if unknown:
        raise RequestError(
            Text("word-unknown", word=unknown[0]),
            Text("nouns-known", words=", ".join(nouns_in(known))),
            word=unknown[0],
        )


def nouns_in(known: Collection[str]) -> list[str]:
    """What can name a subject: the words whose plural is known too. All of them where none is."""
    found = sorted(w for w in known if len(w) > 1 and PLURALS.get(w, f"{w}s") in known)
    return found if found else sorted(known)


def require_word(sentence: str, word: str) -> None:
    """Raises WordNotFoundError as ``Prompt.find`` does, without a tokenizer."""
    words_of(sentence).find(word)


def parse(
    text: str,
    tokenizers: Sequence[Any],
    lengths: Sequence[int],
    placeholders: Mapping[str, Sequence[Sequence[int]]],
) -> Prompt:
    """Tokenise ``text`` for every encoder and keep the spans.

    ``placeholders[name][i]`` are the ids that stand for ``name`` in the i-th encoder.
    Raises ConceptNotFoundError for an unknown ``<name>`` and PromptTooLongError.
    """
    pieces = split(text)
    _refuse_unknown(pieces, placeholders)
    parsed = [
        _tokenise(pieces, tokenizer, {name: ids[i] for name, ids in placeholders.items()})
        for i, tokenizer in enumerate(tokenizers)
    ]
    for content, length in zip(parsed, lengths, strict=True):
        _refuse_too_long(text, pieces, content, length)
    words = _spans(pieces, parsed[0])
    # One span table serves all encoders: their contexts are concatenated position by position.
    assert all(_spans(pieces, content) == words for content in parsed[1:]), "the tokenizers disagree"
    rows = tuple(
        _padded([token for part in content for token in part], tokenizer, length)
        for content, tokenizer, length in zip(parsed, tokenizers, lengths, strict=True)
    )
    end = 1 + sum(len(part) for part in parsed[0])
    return Prompt(text, rows, words, end)


def _tokenise(
    pieces: Sequence[Piece], tokenizer: Any, placeholders: Mapping[str, Sequence[int]]
) -> list[list[int]]:
    return [
        list(placeholders[piece.text])
        if piece.kind == "placeholder"
        else list(tokenizer(piece.text, add_special_tokens=False)["input_ids"])
        for piece in pieces
    ]


def _spans(pieces: Sequence[Piece], content: Sequence[Sequence[int]]) -> tuple[WordSpan, ...]:
    spans, start = [], 1
    for piece, ids in zip(pieces, content, strict=True):
        spans.append(WordSpan(piece.text, start, start + len(ids), piece.kind))
        start += len(ids)
    return tuple(spans)


def _padded(content: list[int], tokenizer: Any, length: int) -> tuple[int, ...]:
    pads = [tokenizer.pad_token_id] * (length - 2 - len(content))
    return (tokenizer.bos_token_id, *content, tokenizer.eos_token_id, *pads)


def _refuse_unknown(pieces: Sequence[Piece], placeholders: Mapping[str, Any]) -> None:
    for piece in pieces:
        if piece.kind == "placeholder" and piece.text not in placeholders:
            known = ", ".join(sorted(placeholders)) or "none"
            raise ConceptNotFoundError(
                f"The prompt speaks of {piece.text}, but no learned word of that name is loaded.",
                f"Loaded: {known}. Learn or import it first, or write the word without < >.",
                name=piece.text,
            )


def _refuse_too_long(
    text: str, pieces: Sequence[Piece], content: Sequence[Sequence[int]], length: int
) -> None:
    used, room = sum(len(ids) for ids in content), length - 2
    if used <= room:
        return
    total, first_beyond = 0, ""
    for piece, ids in zip(pieces, content, strict=True):
        total += len(ids)
        if total > room:
            first_beyond = piece.text
            break
    raise PromptTooLongError(
        Text("prompt-too-long", used=used, room=room, prompt=text),
        Text("shorten-prompt", word=first_beyond),
        tokens=used,
        limit=room,
    )


def _runs(words: list[WordSpan], wanted: list[Piece], same: Any) -> Iterator[tuple[WordSpan, ...]]:
    size = len(wanted)
    for first in range(len(words) - size + 1 if size else 0):
        run = words[first : first + size]
        if all(same(word, piece) for word, piece in zip(run, wanted, strict=True)):
            yield tuple(run)


def _same_piece(word: WordSpan, piece: Piece) -> bool:
    return word.kind == piece.kind and plain(word.text) == plain(piece.text)


def _same_name(word: WordSpan, piece: Piece) -> bool:
    return piece.kind == "word" and plain(word.text) == plain(piece.text)


def plain(word: str) -> str:
    """A word without case, brackets and possessive: how words are compared."""
    return _POSSESSIVE.sub("", word.casefold().strip("<>"))
