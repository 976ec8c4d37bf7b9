"""Record what the ten cases of ``test_join.py`` reach: ``python tests/bench/record_join.py [FOLDER]``.

Needed anew where the built-in weights, learning or an operation changes for the better. It takes a few
minutes; look at the pictures that it writes into the folder (``join``) before the figures are committed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.bench.quality import Outcome, edited, sheet, workplace
from palimpsest.bench.quality_cases import SPLITS, make_case, word_of
from palimpsest.bench.quality_store import Store, digest, learned
from palimpsest.contract import BUILT_IN
from palimpsest.demo.judge import load_judge
from palimpsest.storage.concepts import SUFFIX
from palimpsest.tasks.workplace import Workplace

CASES = (
    ("replace-by-combination", 4),
    ("replace-by-combination", 11),
    ("replace-by-combination", 12),
    ("replace-by-learned-combination", 12),
    ("replace-by-learned-combination", 15),
    ("insert-combination", 3),
    ("insert-combination", 7),
    ("insert", 1),
    ("clothes", 1),
    ("remove-person", 0),
)
RECORDED = Path(__file__).parent / "recorded_join"
FIGURES = RECORDED / "figures.json"


@dataclass(frozen=True)
class Figures:
    """What is held against a later run."""

    joint: int
    identity: dict[str, bool]  # by case, where one can be asked for

    @staticmethod
    def of(outcomes: list[Outcome]) -> Figures:
        named = {f"{o.kind} {o.number}": o.identity for o in outcomes}
        return Figures(
            sum(o.joint for o in outcomes), {name: said for name, said in named.items() if said is not None}
        )


def concepts() -> list[Any]:
    asked = (make_case(kind, number).concept for kind, number in CASES)
    return list(dict.fromkeys(concept for concept in asked if concept is not None))


def run_cases(place: Workplace) -> list[Outcome]:
    """With the recorded words, which are put into the library."""
    judge, words = load_judge(), {}
    place.concepts.folder.mkdir(parents=True, exist_ok=True)
    for concept in concepts():
        content = (RECORDED / f"{concept.name}{SUFFIX}").read_bytes()
        (place.concepts.folder / f"{concept.name}{SUFFIX}").write_bytes(content)
        words[word_of(concept)] = digest(content)
    return [
        edited(place, BUILT_IN, judge, make_case(kind, number), number, words=words) for kind, number in CASES
    ]


def record(place: Workplace, folder: Path) -> Figures:
    """Learn the words, run the cases, write both down."""
    RECORDED.mkdir(exist_ok=True)
    for concept in concepts():
        learned(place, BUILT_IN, concept, SPLITS["test"][-1], Store(folder))
        (RECORDED / f"{concept.name}{SUFFIX}").write_bytes(place.concepts.exported(concept.name))
    outcomes = run_cases(place)
    (folder / "edits.png").write_bytes(sheet(outcomes))
    figures = Figures.of(outcomes)
    FIGURES.write_text(json.dumps(figures.__dict__, indent=2) + "\n", encoding="utf-8")
    return figures


if __name__ == "__main__":
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "join")
    with workplace("cpu") as opened:
        print(record(opened, output))
