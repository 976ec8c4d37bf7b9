"""The words that come into a picture, as a sentence of their own.

A text encoder mixes the words of a sentence: "a black cone and a <toy>" makes the toy black. What is put into
a selection is bounded by it, and everything else stays by itself, so the model need not be told of the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from palimpsest.core.text.alignment import Alignment
from palimpsest.core.text.tokens import Prompt, WordSpan, plain

JOINING = frozenset("and or with next beside near by to of in on at behind under".split())
ARTICLES = frozenset("a an the".split())
MEDIA = frozenset(
    "photo photos photograph picture pictures image images painting drawing sketch illustration portrait "
    "watercolor watercolour rendering render etching engraving cartoon close-up closeup view scene".split()
)
FUNCTION_WORDS = frozenset(
    "a an the of on in at to and or with next by for from into is are it its this that as "
    "photo picture image painting drawing".split()
)
LONGEST_OPENING = 5  # words: "an oil painting of"


def content_words(words: Iterable[WordSpan]) -> tuple[str, ...]:
    """Those that stand for something in the picture, each once."""
    named = (word.text for word in words if word.kind != "mark")
    return tuple(dict.fromkeys(word for word in named if word.lower() not in FUNCTION_WORDS))


def alone(target: Prompt, alignment: Alignment) -> str:
    """The words of ``target`` that come in, with their article and without what joins them to the others,
    after what its sentence opens with: of "a photo of a cat and a small <toy> on grass" that is "a photo of a
    small <toy>". Words that only changed their place don't come in.
    """
    opening, coming, _ = _parts(target, alignment)
    return _text(opening + coming, target)


def alone_on_ground(target: Prompt, alignment: Alignment) -> tuple[str, str]:
    """A sentence to draw what comes in by, where it is to stand, and which words of it that is: of the same
    "a photo of a small <toy> on grass" and "a small <toy>". Both are empty where nothing comes in. What was
    said of a thing before is said of the one that replaces it, too: of "a red ball" and "a red cube" the
    latter, not "cube"."""
    opening, coming, ground = _parts(target, alignment, whole=True)
    return (_text(opening + coming + ground, target), _text(coming, target)) if coming else ("", "")


def staying(source: Prompt, target: Prompt, alignment: Alignment) -> list[str]:
    """The words that name things, or say something of them, and were there before: of the same, where the
    <toy> comes in, "cat". What all stands on, in one of the sentences, is no thing."""
    words = [word for word in target.words if word.kind != "mark"]
    new = set(alignment.changed_target)
    others = new.union(_opening(target.words, new), _ground(words, new))
    before = _ground([word for word in source.words if word.kind != "mark"], set())
    no_things = JOINING | ARTICLES | {plain(word.text) for word in before}
    named = (word.text for word in words if word not in others)
    return list(dict.fromkeys(text for text in named if plain(text) not in no_things))


def _parts(
    target: Prompt, alignment: Alignment, whole: bool = False
) -> tuple[list[WordSpan], list[WordSpan], list[WordSpan]]:
    """What the sentence opens with, what comes in, and on what it all stands. ``whole``: with the words from
    an article or joining word to the next that it comes in among."""
    words = [word for word in target.words if word.kind != "mark"]
    new = {word for word in alignment.changed_target if word.kind != "mark"}
    gone = {plain(word.text) for word in alignment.changed_source}
    coming: list[WordSpan] = []
    before = 0
    for is_new, run in groupby(words, lambda word: word in new):
        after = before + len(list(run))
        phrase = _phrase(words, before, after) if is_new else []
        if not {plain(word.text) for word in phrase} <= gone | JOINING | ARTICLES:
            phrase = _whole(words, phrase) if whole else phrase
            coming += [word for word in phrase if word not in coming]
        before = after
    return _opening(target.words, new), coming, _ground(words, new)


def _whole(words: Sequence[WordSpan], phrase: Sequence[WordSpan]) -> list[WordSpan]:
    """The phrase with its article and all that stands between that and the next article or joining word."""
    names = [plain(word.text) for word in words]
    start, stop = words.index(phrase[0]), words.index(phrase[-1]) + 1
    while start > 0 and names[start] not in ARTICLES and names[start - 1] not in JOINING:
        start -= 1
    while stop < len(words) and names[stop] not in JOINING | ARTICLES:
        stop += 1
    return list(words[start:stop])


def _ground(words: Sequence[WordSpan], new: set[WordSpan]) -> list[WordSpan]:
    """The last "on" and what follows, if that was there before."""
    at = max((place for place, word in enumerate(words) if plain(word.text) == "on"), default=len(words))
    return [] if new.intersection(words[at:]) or at > len(words) - 2 else list(words[at:])


def _opening(words: Sequence[WordSpan], new: Collection[WordSpan]) -> list[WordSpan]:
    """What says how the picture is made, "an oil painting of", where the sentence begins so; else nothing."""
    names = [plain(word.text) for word in words[:LONGEST_OPENING]]
    end = names.index("of") + 1 if "of" in names else 0
    opening = words[:end]
    if end < 2 or names[end - 2] not in MEDIA or JOINING.intersection(names[: end - 1]):
        return []
    return [] if any(word in new or word.kind == "mark" for word in opening) else list(opening)


def _at_an_article(names: Sequence[str], start: int, stop: int) -> tuple[int, int]:
    """The same words further to the left, where they begin with an article; else where they are."""
    left = 0
    while names[start - left] not in ARTICLES:
        if start - left < 1 or names[start - left - 1] != names[stop - left - 1]:
            return start, stop
        left += 1
    return start - left, stop - left


def _possessives(words: Sequence[WordSpan]) -> set[WordSpan]:
    """The s behind a learned word and an apostrophe. In an ordinary word it is part of the word."""
    behind = zip(words, words[1:], words[2:], strict=False)
    return {
        s
        for word, mark, s in behind
        if word.kind == "placeholder" and mark.text in ("'", "’") and plain(s.text) == "s"
    }


def _text(words: Sequence[WordSpan], target: Prompt) -> str:
    """Words of ``target`` as a sentence; an s that stands at its end has nothing that it says whose it is."""
    possessives = _possessives(target.words)
    while words and words[-1] in possessives:
        words = words[:-1]
    return "".join(("'" if word in possessives else " ") + word.text for word in words).lstrip()


def _phrase(words: Sequence[WordSpan], start: int, stop: int) -> list[WordSpan]:
    """Words ``start`` to ``stop``: what they begin with may have been taken for the same words behind them,
    "a red [cone and a red] mug" for "[a red cone and] a red mug"."""
    names = [plain(word.text) for word in words]
    start, stop = _at_an_article(names, start, stop)
    while start < stop and names[stop - 1] in JOINING | ARTICLES:
        stop -= 1
    while start < stop and names[start] in JOINING:
        start += 1
    if start < stop and start > 0 and names[start] not in ARTICLES and names[start - 1] in ARTICLES:
        start -= 1
    return list(words[start:stop])
