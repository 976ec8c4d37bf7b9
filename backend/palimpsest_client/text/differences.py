"""From one list of words to another by the fewest changes: which stay, which become others.

Levenshtein's distance (1966): a word that is replaced, added or left out costs 1. Of the ways that cost the
same, the one that keeps the most words. So two things that change places are each replaced where they
stand ("a cat and a dog" → "a dog and a cat": the cat becomes a dog, the dog a cat), which costs 2; to keep
the longest common part would cost 6 and leave the dog without a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import List, Tuple

Step = Tuple[bool, int, int, int, int]
"""Whether the words are equal, and which they are: old[a:b], new[c:d]. One side of a change may be empty."""


def differences(old: Sequence[str], new: Sequence[str]) -> List[Step]:
    """In order; together they cover both lists, and equal and changed parts take turns."""
    first, last = _common(old, new)
    middle = _path(old[first : len(old) - last], new[first : len(new) - last])
    moves = [(1, 1, True)] * first + middle + [(1, 1, True)] * last
    steps: List[Step] = []
    a = c = 0
    for down, across, equal in moves:
        if steps and steps[-1][0] == equal:
            steps[-1] = (equal, steps[-1][1], a + down, steps[-1][3], c + across)
        else:
            steps.append((equal, a, a + down, c, c + across))
        a, c = a + down, c + across
    return steps


def _common(old: Sequence[str], new: Sequence[str]) -> Tuple[int, int]:
    """How many words at the beginning and at the end are the same."""
    most = min(len(old), len(new))
    first = next((i for i in range(most) if old[i] != new[i]), most)
    rest = most - first
    return first, next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)


def _path(old: Sequence[str], new: Sequence[str]) -> List[Tuple[int, int, bool]]:
    """The cheapest moves through the table of pairs: words of ``old`` and of ``new`` used, and if equal."""
    costs = _costs(old, new)
    path, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        choices = _choices(costs, old, new, i, j)
        _, down, across, equal = min(choices, key=lambda choice: choice[0])
        path.append((down, across, equal))
        i, j = i + down, j + across
    return path


def _costs(old: Sequence[str], new: Sequence[str]) -> List[List[Tuple[int, int]]]:
    """``[i][j]``: (changes, words that aren't kept) on the cheapest way from old[i:] to new[j:]."""
    costs = [[(0, 0)] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old), -1, -1):
        for j in range(len(new), -1, -1):
            if i < len(old) or j < len(new):
                costs[i][j] = min(choice[0] for choice in _choices(costs, old, new, i, j))
    return costs


def _choices(
    costs: List[List[Tuple[int, int]]], old: Sequence[str], new: Sequence[str], i: int, j: int
) -> List[Tuple[Tuple[int, int], int, int, bool]]:
    """What can be done with the next words, each with the cost of all that follows; ties: the first."""
    found = []
    if i < len(old) and j < len(new):
        equal = old[i] == new[j]
        found.append((_plus(costs[i + 1][j + 1], 0 if equal else 1, 0 if equal else 2), 1, 1, equal))
    if i < len(old):
        found.append((_plus(costs[i + 1][j], 1, 1), 1, 0, False))
    if j < len(new):
        found.append((_plus(costs[i][j + 1], 1, 1), 0, 1, False))
    return found


def _plus(cost: Tuple[int, int], changes: int, lost: int) -> Tuple[int, int]:
    return cost[0] + changes, cost[1] + lost
