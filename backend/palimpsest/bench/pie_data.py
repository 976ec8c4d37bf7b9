"""PIE-Bench as its authors hand it out: photos, two sentences and a mask for each edit (Ju et al. 2024).

A folder with ``mapping_file.json`` and the pictures in ``annotation_images``. In the sentences brackets mark
what differs. A mask is a list of runs: where one begins in the picture's rows put one after the other, and
how long it is. Read without NumPy: the shell asks for it early.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.contract import Operation
from palimpsest.errors import RequestError
from palimpsest_client.fields.operations import FREE, INSERT, OPERATIONS, REMOVE, REPLACE, RESTYLE

MAPPING, PICTURES = "mapping_file.json", "annotation_images"
GIVE = f"Give the folder that has {MAPPING} and {PICTURES}."


@dataclass(frozen=True)
class EditingType:
    name: str
    operation: Operation  # by which a user would do it


TYPES = {
    "0": EditingType("random", REPLACE),
    "1": EditingType("change object", REPLACE),
    "2": EditingType("add object", INSERT),
    "3": EditingType("delete object", REMOVE),
    "4": EditingType("change content", REPLACE),
    "5": EditingType("change pose", REPLACE),
    "6": EditingType("change colour", REPLACE),
    "7": EditingType("change material", REPLACE),
    "8": EditingType("change background", REPLACE),
    "9": EditingType("change style", RESTYLE),
}
"""By ``editing_type_id``."""


@dataclass(frozen=True)
class Entry:
    """One edit of the data set."""

    key: str
    photo: Path
    type: str  # one of TYPES
    shows: str
    should_show: str
    runs: tuple[int, ...]  # of the mask: begin, length, begin, length …

    def operation(self, selected: bool) -> Operation:
        """``selected``: whether something is. What needs it is done by both sentences where nothing is."""
        own = TYPES[self.type].operation
        return own if selected or OPERATIONS[own].selection == FREE else REPLACE


def read_entries(folder: Path) -> list[Entry]:
    """All, in the file's order. Raises RequestError."""
    file = folder / MAPPING
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return [_entry(folder, key, item) for key, item in found.items()]
    except OSError as error:
        raise RequestError(f"{file} can't be read: {error.strerror}.", GIVE) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"{file} isn't in PIE-Bench's layout: {error!r}.", GIVE) from error


def _entry(folder: Path, key: str, item: dict[str, Any]) -> Entry:
    type = str(item["editing_type_id"])
    if type not in TYPES:
        raise ValueError(f"{key} is of type {type}")
    runs = tuple(map(int, item["mask"]))
    if len(runs) % 2:
        raise ValueError(f"the mask of {key} ends with half a run")
    photo = folder / PICTURES / item["image_path"]
    shows, should_show = (_plain(item[name]) for name in ("original_prompt", "editing_prompt"))
    return Entry(key, photo, type, shows, should_show, runs)


def _plain(sentence: str) -> str:
    return sentence.replace("[", "").replace("]", "").strip()


def chosen(entries: Sequence[Entry], types: Collection[str], most: int | None) -> list[Entry]:
    """Those of ``types`` (all where none is given), of each the first ``most``."""
    taken: Counter[str] = Counter()
    found: list[Entry] = []
    for entry in entries:
        if (not types or entry.type in types) and (most is None or taken[entry.type] < most):
            taken[entry.type] += 1
            found.append(entry)
    return found
