"""What can be written at the cursor: concepts after ``<``, and the words of a model that says what it knows.

Pure text: a window shows the candidates and writes what was taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Callable, List, NamedTuple, Optional, Tuple

DOWN, UP, TAKE, COMPLETE, LEAVE = "down", "up", "take", "complete", "leave"  # what keys mean
KEYS = {"down": DOWN, "up": UP, "return": TAKE, "tab": COMPLETE, "escape": LEAVE}
MOST = 8  # candidates that are shown
FEWEST = 2  # letters from which on a word is completed
_OPENED = re.compile(r"<([^<>\s]*)\Z")
_BEGUN = re.compile(r"(?<![\w<'’-])[^\W_]+(?:[-'’][^\W_]*)*\Z")
_REST_OF_NAME = re.compile(r"[^<>\s]*>?")
_GOES_ON = re.compile(r"[\w'’-]")


@dataclass(frozen=True)
class Completion:
    """``candidates``, the likeliest first: each stands in the place of the characters start … stop - 1.
    ``opened``: what stands there can't stay so, since it is a concept that isn't closed."""

    start: int
    stop: int
    candidates: Tuple[str, ...]
    opened: bool = False


def completion(
    text: str, cursor: int, concepts: Sequence[str], known: Collection[str]
) -> Optional[Completion]:
    """What completes the word before the cursor; None where nothing does.

    ``concepts``: names that can be written, in the order of their use; ``known``: the words of the model,
    where they are few.
    """
    before, after = text[:cursor], text[cursor:]
    opened = _OPENED.search(before)
    if opened is not None:
        rest = _REST_OF_NAME.match(after)
        assert rest is not None
        stop = cursor + (rest.end() if ">" in rest.group() else 0)
        return _found(opened.start(), stop, _named(concepts, opened.group(1)), opened=True)
    begun = _BEGUN.search(before)
    if begun is None or len(begun.group()) < FEWEST or _GOES_ON.match(after):
        return None
    word = begun.group().lower()
    if word in known:
        return None  # it is whole
    longer = sorted(other for other in known if other.startswith(word))
    return _found(begun.start(), cursor, _named(concepts, word) + longer)


def finished_length(text: str, concepts: Sequence[str], known: Collection[str]) -> int:
    """How many characters of a sentence that is being written stand before a last word that may go on."""
    found, begun = completion(text, len(text), concepts, known), _BEGUN.search(text)
    if found is not None:
        return found.start
    return len(text) if begun is None or len(begun.group()) >= FEWEST else begun.start()


def _named(concepts: Sequence[str], begun: str) -> List[str]:
    """Names that begin so, then those in which a later part does: 'toy' finds my-toy."""
    begun = begun.lower()
    first = [name for name in concepts if name.startswith(begun)]
    within = re.compile("[-_]" + re.escape(begun))
    return [f"<{name}>" for name in first + [n for n in concepts if n not in first and within.search(n)]]


def _found(start: int, stop: int, candidates: Sequence[str], opened: bool = False) -> Optional[Completion]:
    return Completion(start, stop, tuple(candidates[:MOST]), opened) if candidates else None


class Taken(NamedTuple):
    """``text`` is to stand in the place of the characters start … stop - 1."""

    start: int
    stop: int
    text: str


class Choosing:
    """Which candidate is chosen, by keys that the field gets. COMPLETE takes the first where none is chosen;
    TAKE then means what it always does, and so do all keys where nothing is shown. Of concepts after ``<``
    the first is chosen at once.

    ``found``: what is shown, None = nothing; ``chosen``: the place of a candidate, -1 = none.
    """

    def __init__(self, find: Callable[[str, int], Optional[Completion]]) -> None:
        self.found: Optional[Completion] = None
        self.chosen = -1
        self._find = find

    def look(self, text: str, cursor: int) -> bool:
        """Whether there is something to show."""
        self.found = self._find(text, cursor)
        self.chosen = 0 if self.found is not None and self.found.opened else -1
        return self.found is not None

    def leave(self) -> None:
        self.found, self.chosen = None, -1

    def press(self, key: str) -> Tuple[bool, Optional[Taken]]:
        """Whether the key is used up, and what is to be written. ``key``: one of the above, or another.

        Afterwards ``found`` says whether something is shown still.
        """
        found = self.found
        if found is None or key not in (DOWN, UP, TAKE, COMPLETE, LEAVE):
            return False, None
        if key in (DOWN, UP):
            self.chosen = max(-1, min(len(found.candidates) - 1, self.chosen + (1 if key == DOWN else -1)))
            return True, None
        place = max(0, self.chosen) if key == COMPLETE else self.chosen
        self.leave()
        if key == LEAVE or place < 0:
            return key == LEAVE, None
        return True, Taken(found.start, found.stop, found.candidates[place])

    def take(self, place: int) -> Optional[Taken]:
        """By the pointer."""
        self.chosen = place
        return self.press(TAKE)[1]


class Completer:
    """A list of candidates beside a field that keeps the keyboard: Tab takes the first, Down and Up choose
    another, Return and Tab take what is chosen, Escape leaves. Else keys mean what they always do.

    Each toolkit draws the list, and says what happens to the field.
    """

    def __init__(self, find: Callable[[str, int], Optional[Completion]]) -> None:
        self.choosing = Choosing(find)

    # What a toolkit does.

    def written(self) -> Optional[Tuple[str, int]]:
        """The field's text and the cursor's place in it; None where it hasn't the keyboard."""
        raise NotImplementedError

    def unfold(self, found: Completion) -> None:
        """List the candidates, at the place where the word begins."""
        raise NotImplementedError

    def mark(self, place: int) -> None:
        """The candidate that is chosen; -1 = none."""
        raise NotImplementedError

    def fold(self) -> None:
        """Hide the list."""
        raise NotImplementedError

    def write(self, taken: Taken) -> None:
        raise NotImplementedError

    # What happens to the field.

    @property
    def unfolded(self) -> bool:
        return self.choosing.found is not None

    def pressed(self, key: str) -> bool:
        """A key with this name: "down", "return" …; others mean nothing here. True: nobody else gets it."""
        used, taken = self.choosing.press(KEYS.get(key, ""))
        self._take(taken)
        if self.unfolded:
            self.mark(self.choosing.chosen)
        else:
            self.fold()
        return used

    def clicked(self, place: int) -> None:
        self._take(self.choosing.take(place))

    def leave(self) -> None:
        self.choosing.leave()
        self.fold()

    def look(self) -> None:
        """At what is written, once it was changed or the cursor moved."""
        written = self.written()
        if written is None or not self.choosing.look(*written):
            self.leave()
            return
        assert self.choosing.found is not None
        self.unfold(self.choosing.found)
        self.mark(self.choosing.chosen)

    def _take(self, taken: Optional[Taken]) -> None:
        if taken is not None:
            self.leave()
            self.write(taken)
