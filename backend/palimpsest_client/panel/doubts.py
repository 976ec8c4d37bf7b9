"""Words of a proposed sentence that whoever proposed it isn't sure of, until they are written anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Tuple

from ..text.differences import differences
from ..text.habits import Notice
from ..text.sentences import QUIET, Word, words
from ..text.wording import say

Doubts = Dict[int, float]  # number of the word in its sentence → how probable it is, 0 … 1


class UncertainWords:
    """Of each open picture's first sentence, followed through every change of it."""

    def __init__(self) -> None:
        self._of: Dict[str, Tuple[str, Doubts]] = {}  # key of the picture → its sentence, its doubtful words

    def proposed(self, key: str, result: Mapping[str, Any]) -> None:
        """``result``: of a describe job. An older backend tells of no words."""
        sentence = str(result["caption"])
        found = {
            number: doubt["probability"]
            for number, word in enumerate(words(sentence))
            for doubt in result.get("doubts", ())
            if doubt["start"] <= word.start and word.stop <= doubt["stop"] and word.text.lower() not in QUIET
        }
        self._of[key] = (sentence, found)

    def notices(self, key: str, sentence: str) -> Tuple[Notice, ...]:
        """What is doubtful in it now: a word that was changed meanwhile, or put in, isn't."""
        before, doubts = self._of.get(key, ("", {}))
        if not doubts:
            return ()
        if sentence != before:
            doubts = carried(doubts, before, sentence)
            self._of[key] = (sentence, doubts)
        now = words(sentence)
        return tuple(Notice(say("doubtful-word", n=round(100 * doubts[i])), now[i]) for i in sorted(doubts))


def carried(doubts: Doubts, before: str, now: str) -> Doubts:
    """The same words where they stand now."""
    steps = differences(texts(words(before)), texts(words(now)))
    return {
        c + number - a: probability
        for equal, a, b, c, _ in steps
        if equal
        for number, probability in doubts.items()
        if a <= number < b
    }


def texts(found: List[Word]) -> List[str]:
    return [word.text for word in found]
