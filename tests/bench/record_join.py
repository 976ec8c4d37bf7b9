"""Record what the cases of ``test_join.py`` reach: ``python tests/bench/record_join.py [FOLDER]``.

Needed anew where the built-in weights, learning or an operation changes for the better. It takes a few
minutes; look at the pictures that it writes into the folder (``join``) before the figures are committed.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.quality import edited, sheet
from palimpsest.bench.quality_cases import SPLITS, make_case, word_of
from palimpsest.bench.quality_report import Outcome
from palimpsest.bench.quality_store import Store, digest, learned
from palimpsest.bench.scratch_runner import scratch_runner
from palimpsest.builtin.judge import load_judge
from palimpsest.contract import BUILT_IN
from palimpsest.core.picture.cutout import cut_out
from palimpsest.models.families import published_widths
from palimpsest.scenes.concepts import Concept, views
from palimpsest.storage import cutouts
from palimpsest.storage.concepts import SUFFIX, ConceptLibrary
from palimpsest.tasks.runner import TaskRunner

CASES = (
    ("replace-by-combination", 4),
    ("replace-by-combination", 11),
    ("replace-by-combination", 12),
    ("replace-by-learned-combination", 12),
    ("replace-from-photo-by-combination", 15),
    ("replace-by-learned-figure", 2),
    ("insert-combination", 3),
    ("insert-combination", 11),
    ("insert-learned-combination", 68),
    ("insert", 1),
    ("clothes", 1),
    ("remove-person", 0),
    ("learned-style", 2),
    ("learned-style", 5),
)
VIEWED = ("insert-learned-combination", "replace-by-learned-combination", "replace-by-learned-figure")
"""Kinds that begin from a picture of the thing."""
PICTURES = 2  # cut out of each
RECORDED = Path(__file__).parent / "recorded_join"
FIGURES = RECORDED / "figures.json"


@dataclass(frozen=True)
class Figures:
    """What is held against a later run."""

    joint: int
    identity: dict[str, bool]  # by case, where one can be asked for
    distance: dict[str, float]  # by the same cases, to the nearest true view

    @staticmethod
    def of(outcomes: list[Outcome]) -> Figures:
        asked = {f"{o.kind} {o.number}": o for o in outcomes if o.identity is not None}
        return Figures(
            sum(o.joint for o in outcomes),
            {name: bool(o.identity) for name, o in asked.items()},
            {name: round(o.distance, 3) for name, o in asked.items() if o.distance is not None},
        )


def concepts() -> list[Any]:
    asked = (make_case(kind, number).concept for kind, number in CASES)
    return list(dict.fromkeys(concept for concept in asked if concept is not None))


def run_cases(runner: TaskRunner) -> list[Outcome]:
    """With the recorded words and cut-outs, which are put into the library."""
    judge, words = load_judge(), {}
    runner.concepts.folder.mkdir(parents=True, exist_ok=True)
    for concept in concepts():
        content = (RECORDED / f"{concept.name}{SUFFIX}").read_bytes()
        (runner.concepts.folder / f"{concept.name}{SUFFIX}").write_bytes(content)
        words[word_of(concept)] = digest(content)
        if (RECORDED / f"{concept.name}{cutouts.SUFFIX}").exists():
            shutil.copy(RECORDED / f"{concept.name}{cutouts.SUFFIX}", runner.concepts.folder)
    return [
        edited(runner, BUILT_IN, judge, make_case(kind, number), number, words=words)
        for kind, number in CASES
    ]


def cut_out_views(runner: TaskRunner) -> None:
    """The things that are edited in from their own pictures, as they are kept where one learns with masks."""
    size = runner.models.get(BUILT_IN).native_size
    for concept in dict.fromkeys(make_case(kind, number).concept for kind, number in CASES if kind in VIEWED):
        assert isinstance(concept, Concept)
        cut = [
            cut_out(
                np.divide(view.image, 255, dtype=np.float32), to_mask(view.bodies[0]), None, cutouts.MOST_SIDE
            )
            for view in views(concept, PICTURES, SPLITS["test"][-1], size)
        ]
        content = cutouts.to_bytes(
            cut, ConceptLibrary(RECORDED, published_widths()).card(concept.name).rows_hash
        )
        (RECORDED / f"{concept.name}{cutouts.SUFFIX}").write_bytes(content)


def to_mask(body: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(body, np.uint8(255), np.uint8(0))


def record(runner: TaskRunner, folder: Path) -> Figures:
    """Learn the words, run the cases, write both down."""
    RECORDED.mkdir(exist_ok=True)
    for concept in concepts():
        learned(runner, BUILT_IN, concept, SPLITS["test"][-1], Store(folder))
        (RECORDED / f"{concept.name}{SUFFIX}").write_bytes(runner.concepts.exported(concept.name))
    cut_out_views(runner)
    outcomes = run_cases(runner)
    (folder / "edits.png").write_bytes(sheet(outcomes))
    figures = Figures.of(outcomes)
    FIGURES.write_text(json.dumps(figures.__dict__, indent=2) + "\n", encoding="utf-8")
    return figures


if __name__ == "__main__":
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "join")
    with scratch_runner("cpu") as opened:
        print(record(opened, output))
