"""The learned words as a window lists them: those used last first, searched, renamed and removed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Callable, List, Tuple

from ..fields.controls import Form
from ..json_file import alone_with, read_json, write_json
from .library import Concept

RECENT = "recent.json"  # in the configuration folder
MOST = 40  # names that are remembered


class Vocabulary:
    """Which words were used last: kept from one start of an editor to the next."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / RECENT
        self._recent = read_recent(self._place)
        self._unsaved: List[Callable[[List[str]], List[str]]] = []  # what was done to it since

    def use(self, names: Sequence[str]) -> None:
        if names:
            self._change(lambda recent: list(dict.fromkeys([*names, *recent]))[:MOST])

    def rename(self, name: str, new: str) -> None:
        self._change(lambda recent: [new if known == name else known for known in recent])

    def forget(self) -> None:
        """Raises OSError."""
        self._recent, self._unsaved = [], []
        with suppress(FileNotFoundError):
            self._place.unlink()

    def ordered(self, concepts: Sequence[Concept]) -> Tuple[Concept, ...]:
        """Those used last first, then the others by name."""
        places = {name: place for place, name in enumerate(self._recent)}
        return tuple(sorted(concepts, key=lambda c: (places.get(c.name, MOST), natural(c.name))))

    def _change(self, change: Callable[[List[str]], List[str]]) -> None:
        """Beside what the other editor has saved meanwhile."""
        self._recent = change(self._recent)
        self._unsaved.append(change)
        try:
            with alone_with(self._place):
                found = read_recent(self._place)
                for one in self._unsaved:
                    found = one(found)
                write_json(self._place, found)
            self._recent, self._unsaved = found, []
        except OSError:
            pass  # a full or read-only disk must not end an edit


def read_recent(place: Path) -> List[str]:
    told = read_json(place)
    return [name for name in told if isinstance(name, str)][:MOST] if isinstance(told, list) else []


def matching(concepts: Sequence[Concept], text: str) -> Tuple[Concept, ...]:
    """By name; those whose name or noun has every word of ``text`` in it."""
    wanted = text.casefold().strip("<>").split()
    found = [
        concept
        for concept in concepts
        if all(word in f"{concept.name} {concept.noun}".casefold() for word in wanted)
    ]
    return tuple(sorted(found, key=lambda concept: natural(concept.name)))


def natural(name: str) -> List[Tuple[bool, int, str]]:
    """A key to sort by: thing-2 before thing-10."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts if part]


def renamed(form: Form, name: str, new: str) -> Form:
    """``<new>`` wherever the form says ``<name>``."""
    old, now = f"<{name}>", f"<{new}>"

    def each(texts: Mapping[str, str]) -> Mapping[str, str]:
        return {key: text.replace(old, now) for key, text in texts.items()}

    return replace(
        form,
        source_prompt=form.source_prompt.replace(old, now),
        operands=each(form.operands),
        own_targets=each(form.own_targets),
        weights={now if word == old else word: at for word, at in form.weights.items()},
    )
