"""Which source tokens a target token takes its attention from (Prompt-to-Prompt, Hertz et al. 2022, 3.2).

The mapper M has a row per source token and a column per target token; A_src·M are the source's
attention maps seen through the target's words. Every row sums to 1, so a pixel's attention mass is
kept, also where one token becomes k or k become one. Public implementations write the rows behind a
replaced word of different length to the wrong place and so lose or double their mass; here the tail is
aligned word by word, and pads k-th to k-th. Words that aren't declared to belong together are paired by the
fewest changes (Levenshtein 1966), so things that change places in the sentence are replaced where they stand.

Torch-free: a mapper is a list of (source, target, weight).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from palimpsest.core.text.tokens import Prompt, WordSpan, plain
from palimpsest_client.text.differences import differences

Indices = tuple[int, ...]


@dataclass(frozen=True)
class Change:
    """Words of the source prompt that became words of the target prompt; one side may be empty."""

    source: tuple[WordSpan, ...]
    target: tuple[WordSpan, ...]


@dataclass(frozen=True)
class Alignment:
    """``entries`` of M as (source token, target token, weight), and which target tokens are new.

    ``inserted`` tokens have no counterpart: their column of M is empty.
    """

    entries: tuple[tuple[int, int, float], ...]
    inserted: frozenset[int]
    changes: tuple[Change, ...]
    source_length: int
    target_length: int

    @property
    def changed_source(self) -> tuple[WordSpan, ...]:
        return tuple(word for change in self.changes for word in change.source)

    @property
    def changed_target(self) -> tuple[WordSpan, ...]:
        return tuple(word for change in self.changes for word in change.target)


def align(source: Prompt, target: Prompt, declared: Sequence[tuple[str, str]] = ()) -> Alignment:
    """Align two prompts: unchanged words, replaced spans, inserted and deleted words.

    ``declared`` correspondences (source phrase, target phrase) come first; the other words are aligned
    by their difference. Raises WordNotFoundError for a declared phrase that isn't there.
    """
    matched = _declared(source, target, declared)
    changes = [Change(s, t) for s, t in matched if [plain(w.text) for w in s] != [plain(w.text) for w in t]]
    taken_source = {word for s, _ in matched for word in s}
    taken_target = {word for _, t in matched for word in t}
    rest_source = [word for word in source.words if word not in taken_source]
    rest_target = [word for word in target.words if word not in taken_target]
    entries = [entry for s, t in matched for entry in _spread(_indices(s), _indices(t))]
    inserted: set[int] = set()
    steps = _differences(rest_source, rest_target)
    moved = _moved(steps)
    entries += [entry for s, t in moved.items() for entry in _spread(s.indices, t.indices)]
    elsewhere = {*moved, *moved.values()}
    for equal, *sides in steps:
        s, t = ([word for word in side if word not in elsewhere] for side in sides)
        entries += _block(s, t, source.end, target.end)
        if not equal and (s or t):
            changes.append(Change(tuple(s), tuple(t)))
            inserted.update(i for word in _unpaired(s, t) for i in word.indices)
    entries += [(0, 0, 1.0), *_tail(source, target)]
    return Alignment(tuple(entries), frozenset(inserted), tuple(changes), source.length, target.length)


def _declared(
    source: Prompt, target: Prompt, declared: Sequence[tuple[str, str]]
) -> list[tuple[tuple[WordSpan, ...], tuple[WordSpan, ...]]]:
    """The i-th occurrence of a source phrase belongs to the i-th occurrence of its target phrase."""
    found = [zip(source.find(s), target.find(t), strict=False) for s, t in declared]
    return [pair for occurrences in found for pair in occurrences]


def _differences(
    source: list[WordSpan], target: list[WordSpan]
) -> list[tuple[bool, list[WordSpan], list[WordSpan]]]:
    steps = differences([plain(word.text) for word in source], [plain(word.text) for word in target])
    return [(equal, source[a:b], target[c:d]) for equal, a, b, c, d in steps]


def _moved(steps: Sequence[tuple[bool, list[WordSpan], list[WordSpan]]]) -> dict[WordSpan, WordSpan]:
    """Source word → the same word in the target, where one place lost it and another one gained it."""
    lost = [word for equal, s, t in steps if not equal and not t for word in s]
    gained = [word for equal, s, t in steps if not equal for word in _unpaired(s, t)]
    moved: dict[WordSpan, WordSpan] = {}
    for word in gained:
        free = (one for one in lost if one not in moved and plain(one.text) == plain(word.text))
        source = next(free, None)
        if source is not None:
            moved[source] = word
    return moved


def _block(
    source: Sequence[WordSpan], target: Sequence[WordSpan], source_end: int, target_end: int
) -> list[tuple[int, int, float]]:
    """One difference: words are paired from the right, where a noun phrase has its noun.

    Surplus source words join the first target word; deleted ones give their attention to the target's
    EOS, which stands for the whole picture.
    """
    if not target:
        return [(i, target_end, 1.0) for word in source for i in word.indices]
    entries = []
    for back, word in enumerate(reversed(source)):
        counterpart = target[max(len(target) - 1 - back, 0)]
        entries += _spread(word.indices, counterpart.indices)
    return entries


def _unpaired(source: Sequence[WordSpan], target: Sequence[WordSpan]) -> Sequence[WordSpan]:
    return target[: max(len(target) - len(source), 0)]


def _spread(source: Indices, target: Indices) -> list[tuple[int, int, float]]:
    """n tokens to m: one to one if n = m, else each evenly over all m. Rows sum to 1."""
    if len(source) == len(target):
        return [(s, t, 1.0) for s, t in zip(source, target, strict=True)]
    return [(s, t, float(Fraction(1, len(target)))) for s in source for t in target]


def _tail(source: Prompt, target: Prompt) -> list[tuple[int, int, float]]:
    """EOS to EOS, k-th pad to k-th pad; the shorter tail's last place stands for the longer's rest."""
    mine = tuple(range(source.end, source.length))
    theirs = tuple(range(target.end, target.length))
    both = min(len(mine), len(theirs)) - 1
    entries = [(s, t, 1.0) for s, t in zip(mine[:both], theirs[:both], strict=True)]
    if len(mine) > len(theirs):
        return entries + [(s, theirs[-1], 1.0) for s in mine[both:]]
    return entries + _spread(mine[both:], theirs[both:])


def _indices(words: Sequence[WordSpan]) -> Indices:
    return tuple(i for word in words for i in word.indices)
