"""The words that come into a picture, as a sentence of their own.

A text encoder mixes the words of a sentence: "a black cone and a <toy>" makes the toy black. What is put into
a selection is bounded by it, and everything else stays by itself, so the model need not be told of the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, takewhile

from palimpsest.core.alignment import Alignment
from palimpsest.core.tokens import Prompt, WordSpan, plain

JOINING = frozenset("and or with next beside near by to of in on at behind under".split())
ARTICLES = frozenset("a an the".split())
LONGEST_OPENING = 5  # words: "an oil painting of"


def alone(target: Prompt, alignment: Alignment) -> str:
    """The words of ``target`` that come in, with their article and without what joins them to the others,
    after what its sentence opens with: of "a photo of a cat and a small <toy> on grass" that is "a photo of a
    small <toy>".
    """
    words = [word for word in target.words if word.kind != "mark"]
    new = {word for word in alignment.changed_target if word.kind != "mark"}
    begin = list(takewhile(lambda word: word not in new, words[:LONGEST_OPENING]))
    names = [plain(word.text) for word in begin]
    come = begin[: names.index("of") + 1] if "of" in names else []
    before = 0
    for is_new, run in groupby(words, lambda word: word in new):
        after = before + len(list(run))
        if is_new:
            come += _phrase(words, before, after)
        before = after
    return " ".join(word.text for word in come)


def _phrase(words: Sequence[WordSpan], start: int, stop: int) -> list[WordSpan]:
    """Words ``start`` to ``stop``: their article may have been taken for that of the word behind them."""
    names = [plain(word.text) for word in words]
    while start < stop and names[stop - 1] in JOINING | ARTICLES:
        stop -= 1
    while start < stop and names[start] in JOINING:
        start += 1
    if start < stop and start > 0 and names[start] not in ARTICLES and names[start - 1] in ARTICLES:
        start -= 1
    return list(words[start:stop])
