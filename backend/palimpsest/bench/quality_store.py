"""What a run of ``bench quality`` or ``bench pie`` has done so far, kept in its folder: learned words and
edited pictures.

Each is kept with the key of everything that decides it (request, pictures, words, weights, device, the
sources of the program's core), so an interrupted run goes on where it was and nothing stale is ever used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import palimpsest
from palimpsest.contract import EditRequest, LearnRequest, Request, to_json
from palimpsest.core.count import counted
from palimpsest.errors import ConceptImagesError
from palimpsest.jobs.events import Finished
from palimpsest.scenes.concepts import Concept, StyleConcept, views
from palimpsest.storage import cutouts
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.concepts import SUFFIX
from palimpsest.storage.png import encode
from palimpsest.tasks.context import canonical, model_identity
from palimpsest.tasks.runner import TaskRunner

EXAMPLES = 4  # pictures that a word is learned from
SOURCES = ("core", "tasks")  # packages whose code decides what comes out


@dataclass(frozen=True)
class Made:
    """A file that was made, and what is known of it, as JSON."""

    content: bytes
    facts: dict[str, Any]


class Store:
    """The files in ``folder``; ``None`` keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def recall(self, name: str, key: str) -> Made | None:
        """What is kept under ``name``, unless it was made from something else."""
        if self.folder is None:
            return None
        try:
            kept = json.loads(self._facts(name).read_bytes())
            content = (self.folder / name).read_bytes()
        except (OSError, ValueError):
            return None
        fresh = isinstance(kept, dict) and kept.get("key") == key and kept.get("sha256") == digest(content)
        return Made(content, kept["facts"]) if fresh else None

    def keep(self, name: str, key: str, made: Made) -> None:
        """The content first: facts without it are never believed."""
        if self.folder is None:
            return
        kept = {"key": key, "sha256": digest(made.content), "facts": made.facts}
        write_atomically(self.folder / name, made.content)
        write_atomically(self._facts(name), (json.dumps(kept, indent=2) + "\n").encode())

    def _facts(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.json"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def sources() -> str:
    """The digest of the code that decides what is learned and edited, as it was at the first call."""
    root = Path(palimpsest.__file__).parent
    files = sorted(file for package in SOURCES for file in (root / package).rglob("*.py"))
    return digest(b"".join(file.relative_to(root).as_posix().encode() + file.read_bytes() for file in files))


def key_of(runner: TaskRunner, request: Request, words: dict[str, str]) -> str:
    """``words``: the learned words that the request names, with their files' digests."""
    model = runner.models.get(request.model)
    learning = isinstance(request, LearnRequest)
    settings = repr(model.learning.settings(request.detail)) if learning else ""
    parts = [to_json(request), settings, words, model_identity(model), sources()]
    return digest(canonical(parts).encode())


def finish(runner: TaskRunner, request: Request) -> tuple[Finished, dict[str, Any]]:
    """Run a job; what it ended with, and its UNet evaluations: all, and those with a backward pass."""
    with counted(runner.models.get(request.model)) as count:
        *_, finished = runner.do(request)
    assert isinstance(finished, Finished)
    return finished, {"evaluations": count.evaluations, "backward": count.backward}


@dataclass(frozen=True)
class Edited:
    """What an edit came to, beside its picture."""

    pixels_changed_outside: int
    outside_psnr: float | None  # before compositing, in dB
    seconds: float
    evaluations: int  # of the UNet
    backward: int  # of them, those that a gradient was led back through


def edit(
    runner: TaskRunner, request: EditRequest, name: str, words: dict[str, str], store: Store
) -> tuple[bytes, Edited]:
    """The merged picture, a file of the store called ``name``; made only where it isn't kept there.

    ``words``: the learned words that the request names, with their files' digests.
    """
    key = key_of(runner, request, words)
    kept = store.recall(name, key)
    if kept is not None:
        return kept.content, Edited(**kept.facts)
    finished, counts = finish(runner, request)
    known = ("pixels_changed_outside", "outside_psnr", "seconds")
    edited = Edited(**{value: finished.result[value] for value in known}, **counts)
    content = runner.images.get(finished.artifacts["composite"])
    store.keep(name, key, Made(content, asdict(edited)))
    return content, edited


@dataclass(frozen=True)
class Word:
    """A learned word: the digest of its files, and what was said against its pictures beforehand."""

    digest: str
    refused: str  # "" = nothing


def learned(
    runner: TaskRunner,
    model: str,
    concept: Concept | StyleConcept,
    seed: int,
    store: Store,
    detail: bool = False,
) -> Word:
    """Have the concept's word and its cut-outs in the library, learned from true views as a user would.

    ``seed`` draws the views. ``detail``: with adapters. All views are of the concept: where the product
    finds that one doesn't seem to fit, it is told to learn all the same, as its sentence advises.
    """
    size = runner.models.get(model).native_size
    images = [runner.images.put(encode(view.image)) for view in views(concept, EXAMPLES, seed, size)]
    kind = "style" if isinstance(concept, StyleConcept) else "subject"
    request = LearnRequest(concept.name, tuple(images), concept.noun, kind, detail=detail, model=model)
    files = [runner.concepts.folder / f"{concept.name}{suffix}" for suffix in (SUFFIX, cutouts.SUFFIX)]
    names = [f"words/{'detail/' if detail else ''}{file.name}" for file in files]
    key = key_of(runner, request, {})
    made = _recalled(store, names, key)
    if not made:
        refused, (finished, counts) = _accepting(runner, request)
        facts = {**counts, "seconds": finished.result["seconds"], "refused": refused}
        made = [Made(file.read_bytes() if file.exists() else b"", facts) for file in files]
        for name, one in zip(names, made, strict=True):
            store.keep(name, key, one)
    for file, one in zip(files, made, strict=True):
        file.unlink(missing_ok=True)  # of this word, learned otherwise
        if one.content:
            write_atomically(file, one.content)
    return Word(digest(b"".join(one.content for one in made)), made[0].facts["refused"])


def _recalled(store: Store, names: Sequence[str], key: str) -> list[Made]:
    """All of them, or none."""
    made = [one for name in names if (one := store.recall(name, key)) is not None]
    return made if len(made) == len(names) else []


def _accepting(runner: TaskRunner, request: LearnRequest) -> tuple[str, tuple[Finished, dict[str, Any]]]:
    """What was said against a picture that seemed not to fit, "" = nothing; and the learning's end.
    Raises ConceptImagesError for anything else that is wrong with the pictures."""
    try:
        return "", finish(runner, request)
    except ConceptImagesError as error:
        if {finding["problem"] for finding in error.details["pictures"]} != {"odd"}:
            raise
        return error.message, finish(runner, replace(request, accept_outliers=True))
