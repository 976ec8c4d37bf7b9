"""What changes between two sentences, and sentences made from what people fill in. Pure text.

Words are found as the backend finds them (``palimpsest.core.text.tokens``): a ``<name>`` is one word, marks
are none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import List, Optional, Tuple

from .differences import differences
from .wording import say

CONCEPT = re.compile(r"<([^<>\s]+)>")
_LETTERS = r"[^\W_]+"
_WORD = re.compile(r"<[^<>\s]+>|{0}(?:['’_-]+{0})*".format(_LETTERS))
_POSSESSIVE = re.compile(r"['’]s$")
_PLACE = re.compile(r"(?<!\s)\s+(?:on|in|at|under|before|behind|inside|near)\s+", re.IGNORECASE)
_MEDIUM = re.compile(r"^\s*(?:an?|the)\s[^,]*?\bof\s+", re.IGNORECASE)
_HANGING = re.compile(r"^(?:and|next to|on|in|at)\s+|\s+(?:of|with|and|next to)$", re.IGNORECASE)
JOINTS = frozenset("a an the and of on in at with".split())
QUIET = frozenset(
    "a an the of on in at to and or with next by for from into is are it its this that as "
    "photo picture image painting drawing".split()
)


LEFT_TO_RIGHT, ISOLATE, POP = "\u200e", "\u2068", "\u2069"  # marks of Unicode's rules for directions


@dataclass(frozen=True)
class Word:
    """A word of a sentence: the characters start … stop - 1."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class Change:
    """Words that became others; one side may be empty."""

    source: Tuple[Word, ...]
    target: Tuple[Word, ...]

    def text(self) -> str:
        """cat → <my-toy>, + hat, − hat."""
        old, new = joined(core(self.source)), joined(core(self.target))
        old, new = isolated(old), isolated(new)
        if not old:
            return rightwards("+ " + new)
        return rightwards(f"{old} → {new}" if new else "− " + old)


def words(sentence: str) -> List[Word]:
    return [Word(found.group(), *found.span()) for found in _WORD.finditer(sentence)]


def in_utf16(text: str, place: int) -> int:
    """A place among the characters as Qt counts: those beyond U+FFFF are two. At most the end."""
    before = text[:place]
    return len(before) + sum(letter > "\uffff" for letter in before)


def from_utf16(text: str, place: int) -> int:
    """A place as Qt counts, among the characters: behind one whose middle it is. At most the end."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * place].decode("utf-16-le", "replace"))


def telling(sentence: str) -> List[str]:
    """The words that stand for something in the picture, each once."""
    named = (word.text for word in words(sentence))
    return list(dict.fromkeys(word for word in named if word.lower() not in QUIET))


def concepts_in(*sentences: str) -> List[str]:
    """The names between angle brackets, each once."""
    return list(dict.fromkeys(name for sentence in sentences for name in CONCEPT.findall(sentence)))


def changes(source: str, target: str) -> Tuple[Change, ...]:
    """What must be replaced, added and left out to come from one sentence to the other."""
    old, new = words(source), words(target)
    steps = differences(plainly(old), plainly(new))
    return tuple(Change(tuple(old[a:b]), tuple(new[c:d])) for equal, a, b, c, d in steps if not equal)


def counterpart(source: str, target: str, word: str) -> Optional[Word]:
    """What stands for a word of ``source`` in ``target``: itself, or what it has become; None: nothing."""
    same = next((found for found in words(target) if found.text == word), None)
    for change in changes(source, target) if same is None else ():
        place = next((i for i, found in enumerate(change.source) if found.text == word), None)
        if place is not None and change.target:
            alike = len(change.target) == len(change.source)
            run = change.target[place : place + 1] if alike else change.target
            return Word(joined(run), run[0].start, run[-1].stop)
    return same


def changes_text(found: Tuple[Change, ...]) -> str:
    """What changes. A word that only stands elsewhere now is said only where nothing else changes."""
    gone = [joined(core(change.source)) for change in found if not change.target]
    come = [joined(core(change.target)) for change in found if not change.source]
    moved = [words for words in gone if words in come]
    both = [change for change in found if change.source and change.target]
    told = [
        change.text()
        for change in found
        if change in both or joined(core(change.source or change.target)) not in moved
    ]
    return ", ".join(told or [say("moved", words=isolated(words)) for words in moved])


def leftwards(text: str) -> bool:
    """Whether any of it is read from right to left."""
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def isolated(text: str) -> str:
    """In its own direction, whatever stands beside it: an arrow before or after it keeps its way."""
    return f"{ISOLATE}{text}{POP}" if text and leftwards(text) else text


def rightwards(line: str) -> str:
    """As a whole from left to right, though a part of it is read the other way."""
    return LEFT_TO_RIGHT + line if leftwards(line) else line


def core(found: Tuple[Word, ...]) -> Tuple[Word, ...]:
    """Without articles and joints around it: 'and a cat on → <my-toy>' is about the cat."""
    telling = [i for i, word in enumerate(found) if word.text.lower() not in JOINTS]
    return found[telling[0] : telling[-1] + 1] if telling else found


def spans(found: Tuple[Change, ...], side: str) -> List[Word]:
    """What to mark in the "source" or the "target" sentence: neighbours as one."""
    runs = [run for run in (getattr(change, side) for change in found) if run]
    return [Word(joined(run), run[0].start, run[-1].stop) for run in runs]


def joined(found: Tuple[Word, ...]) -> str:
    return " ".join(word.text for word in found)


def plain(word: str) -> str:
    """A word without case, brackets and possessive: how the backend compares words."""
    return _POSSESSIVE.sub("", unicodedata.normalize("NFC", word).casefold().strip("<>"))


def plainly(found: List[Word]) -> List[str]:
    return [plain(word.text) for word in found]


def with_thing(sentence: str, thing: str) -> str:
    """'a ball on grass' and 'a cube': 'a ball and a cube on grass'."""
    sentence, thing = sentence.strip(), thing.strip()
    if not sentence or not thing:
        return sentence or thing
    place = _PLACE.search(sentence)
    at = len(sentence) if place is None else place.start()
    return f"{sentence[:at]} and {thing}{sentence[at:]}"


def in_style(sentence: str, style: str) -> str:
    """'a photo of a ball' and 'an oil painting': 'an oil painting of a ball'."""
    sentence, style = sentence.strip(), style.strip()
    if not sentence or not style:
        return sentence
    manner = "a " + style if CONCEPT.fullmatch(style) else style
    return f"{manner} of {_MEDIUM.sub('', sentence)}"


def without_thing(sentence: str, thing: str) -> str:
    """'a photo of a ball on grass' and 'a ball': 'a photo of grass'. Unchanged if it isn't there."""
    thing = thing.strip()
    if not thing:
        return sentence.strip()
    found = re.compile(r"(?<!\w)(?:and\s+)?" + re.escape(thing) + r"(?!\w)", re.IGNORECASE)
    gone = found.sub(" ", sentence, count=1)
    if gone == sentence:
        return sentence.strip()
    return tidy(gone)


def tidy(sentence: str) -> str:
    """Without doubled blanks and the joints that hold nothing any more."""
    sentence = re.sub(r"\s+", " ", sentence).strip()
    return _HANGING.sub("", re.sub(r"\bof (?:on|in|at|and) ", "of ", sentence))
