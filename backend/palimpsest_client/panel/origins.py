"""Where a job's picture comes from, and which jobs come from the picture that is open.

The backend keeps an ``Origin`` with each job and gives it back unread, so that a result finds its picture
and its place there after a restart of editor and backend. A picture is known by its document while that is
open, and by its file's path afterwards; when a file gets another path, what was made before goes along.
The backend may be another computer: it is told a path's hash and the file's name, never the path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ..editor.editor import CANVAS, LAYER, Capture, DocumentFacts
from ..editor.geometry import Bounds, Extent
from ..json_file import alone_with, write_json

PLACE = "pictures.json"
MOST_FILES, MOST_NAMES = 100, 20  # that are remembered; of one file
LONGEST_NAME = 120
OLD_ID = re.compile(r"[a-z]+(-layer)?-(\d+)-(\d+)(?:-(\d+)x(\d+))?-[0-9a-f]+")


@dataclass(frozen=True)
class Origin:
    """Of a job's picture. What isn't known is empty."""

    document: str = ""  # names it as long as it is open; never used for another
    file: str = ""  # fingerprint of the path; "" = not saved by then
    name: str = ""  # of the picture, for people
    x: int = 0  # where the job's picture lay on the canvas, px
    y: int = 0
    canvas: Optional[Extent] = None  # how large that was
    source: str = CANVAS  # or LAYER: one layer's alone

    def placed(self, bounds: Bounds, source: str, canvas: Optional[Extent]) -> Origin:
        """The same picture; ``bounds``, ``source``, ``canvas``: those of a Capture."""
        of = CANVAS if source == CANVAS else LAYER
        return Origin(self.document, self.file, self.name, bounds.x, bounds.y, canvas, of)

    def of_capture(self, capture: Capture) -> Origin:
        return self.placed(capture.bounds, capture.source, capture.canvas)

    def note(self) -> str:
        """What the backend keeps: at most 1024 characters."""
        told: Dict[str, Any] = {"document": self.document, "file": self.file, "name": self.name}
        told.update(at=[self.x, self.y], source=self.source)
        if self.canvas is not None:
            told["canvas"] = list(self.canvas)
        return json.dumps(told, ensure_ascii=False)


def origin_of(id: str, note: str) -> Origin:
    """Of a job: from its note or, made before there were any, from its id. Of other clients' jobs, whose
    pictures are whole, nothing is known."""
    try:
        told = json.loads(note)
        x, y = told["at"]
        canvas = Extent(*map(int, told["canvas"])) if "canvas" in told else None
        words = (str(told["document"]), str(told["file"]), str(told["name"]))
        return Origin(*words, int(x), int(y), canvas, LAYER if told["source"] == LAYER else CANVAS)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return origin_in_id(id)


def origin_in_id(id: str) -> Origin:
    """Ids used to say it: ``krita-layer-1024-512-4000x3000-<random>``."""
    found = OLD_ID.fullmatch(id)
    if found is None:
        return Origin()
    canvas = None if found[4] is None else Extent(int(found[4]), int(found[5]))
    source = CANVAS if found[1] is None else LAYER
    return Origin(x=int(found[2]), y=int(found[3]), canvas=canvas, source=source)


def fingerprint(path: str) -> str:
    """Of a file's path, the same on every day; "" for no file."""
    if not path:
        return ""
    real = os.path.normcase(os.path.abspath(path))
    return hashlib.sha256(real.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Origins:
    """Which picture is which. ``session`` names this run of the editor: keys of documents begin anew in the
    next one. ``see`` the open picture whenever its facts change."""

    def __init__(self, folder: Path, session: str) -> None:
        self._place = folder / PLACE
        self._session = session
        self._files: Dict[str, str] = {}  # document → fingerprint, as it was seen last
        self._before = read(self._place)  # fingerprint → (document, fingerprint) of before
        self._unsaved: List[Tuple[str, str, str]] = []  # what ``follow`` is to be told

    def of(self, facts: DocumentFacts) -> Origin:
        self.see(facts)
        name = facts.name[:LONGEST_NAME].encode("utf-8", "replace").decode("utf-8")
        return Origin(self._document(facts), fingerprint(facts.file), name)

    def see(self, facts: DocumentFacts) -> None:
        """Notice that a document was saved for the first time, or under another name."""
        document, file = self._document(facts), fingerprint(facts.file)
        before = self._files.get(document, file)
        self._files[document] = file
        if file and before != file:
            follow(self._before, document, before, file)
            self._unsaved.append((document, before, file))
            self._save()

    def is_of(self, origin: Origin, facts: DocumentFacts) -> bool:
        """Whether a job was made from this picture."""
        if origin.document == "":
            return False
        file = fingerprint(facts.file)
        if origin.document == self._document(facts) or (file and origin.file == file):
            return True
        return [origin.document, origin.file] in self._before.get(file, [])

    def _document(self, facts: DocumentFacts) -> str:
        return "{}-{}".format(self._session, facts.key)

    def _save(self) -> None:
        """Beside what the other editor has saved meanwhile."""
        try:
            with alone_with(self._place):
                found = read(self._place)
                for document, before, file in self._unsaved:
                    follow(found, document, before, file)
                found = dict(list(found.items())[-MOST_FILES:])
                write_json(self._place, found)
            self._before, self._unsaved = found, []
        except OSError:
            pass  # a full or read-only disk must not end an edit


def follow(files: Dict[str, List[List[str]]], document: str, before: str, file: str) -> None:
    """The document's file is another now, the latest: what was made before goes along."""
    names = [[document, before], *files.get(before, []), *files.pop(file, [])]
    files[file] = names[:MOST_NAMES]


def read(place: Path) -> Dict[str, List[List[str]]]:
    try:
        told: Any = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    lists = {file: pairs for file, pairs in told.items() if isinstance(pairs, list)}
    return {file: [pair for pair in pairs if is_pair(pair)] for file, pairs in lists.items()}


def is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
