"""How well is the picture found that doesn't fit? ``palimpsest bench agreement``.

Sets of four views of one held-out concept, and sets in which one view is of another, are scored as before
learning, with the subjects' masks and without any. One half of the sets chooses a threshold; the other half
says how good it is, and how good the one in use is. Only for a model of the built-in model's world.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from palimpsest.bench.statistics import Rate, rate
from palimpsest.core.learning.agreement import AgreementSettings, oddness
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.errors import RequestError
from palimpsest.models.families import load
from palimpsest.scenes.concepts import CONCEPTS, Concept, views
from palimpsest.scenes.rendering import Rendering
from palimpsest.scenes.scene import TEST_SEEDS
from palimpsest.storage.atomic import write_atomically

VIEWS = 4  # to a set
SEEDS = TEST_SEEDS[30_000:40_000]
MOST_FALSE_ALARMS = 0.05  # what a chosen threshold may cost


@dataclass(frozen=True)
class Scored:
    """One set: ``found`` tells whether the stranger is the oddest, None where there is no stranger."""

    concept: str
    stranger: str | None
    masked: bool
    score: float
    found: bool | None
    choosing: bool  # whether the set may choose the threshold


@dataclass(frozen=True)
class Verdict:
    """What one threshold does to the sets that didn't choose it."""

    threshold: float
    caught: Rate  # of the sets with a stranger: named, and above the threshold
    false_alarms: Rate  # of the sets without


def measure(model: DiffusionModel, rounds: int) -> Iterator[Scored]:
    """Per round and concept one set with a stranger and one without, each with masks and without; even
    rounds choose."""
    subjects, settings = list(CONCEPTS.values()), AgreementSettings()
    for number in range(rounds):
        for index, concept in enumerate(subjects):
            seed = SEEDS[(number * len(subjects) + index) * 2]
            other = subjects[(index + 1 + number % (len(subjects) - 1)) % len(subjects)]
            for stranger in (None, other):
                pictures, masks = gathered(concept, stranger, seed)
                for marks in (masks, [None] * VIEWS):
                    found = finish(oddness(model, pictures, marks, concept.noun, settings))
                    named = None if stranger is None else found.picture == VIEWS - 1
                    who = None if stranger is None else stranger.name
                    yield Scored(concept.name, who, marks is masks, found.score, named, number % 2 == 0)


def gathered(
    concept: Concept, stranger: Concept | None, seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures in [0, 1] and masks; a stranger comes last."""
    own = views(concept, VIEWS if stranger is None else VIEWS - 1, seed)
    shown: list[Rendering] = [*own] if stranger is None else [*own, *views(stranger, 1, seed + 1)]
    return (
        [view.image.astype(np.float32) / 255 for view in shown],
        [view.bodies[0].astype(np.uint8) * 255 for view in shown],
    )


def chosen(sets: Sequence[Scored]) -> float:
    """The lowest threshold with at most MOST_FALSE_ALARMS among the choosing sets."""
    alarms = [s.score for s in sets if s.choosing and s.stranger is None]
    return float(np.quantile(alarms, 1 - MOST_FALSE_ALARMS))


def judged(sets: Sequence[Scored], threshold: float) -> Verdict:
    """By the sets that did not choose."""
    asked = [s for s in sets if not s.choosing]
    return Verdict(
        threshold,
        rate(bool(s.found) and s.score > threshold for s in asked if s.stranger is not None),
        rate(s.score > threshold for s in asked if s.stranger is None),
    )


def named(sets: Sequence[Scored]) -> Rate:
    """Sets in which the stranger is the oddest, whatever its score."""
    return rate(bool(s.found) for s in sets if s.stranger is not None)


def run(options: argparse.Namespace) -> int:
    """Print the verdicts and write every score. Raises RequestError for fewer than two rounds."""
    if options.rounds < 2:
        raise RequestError(
            f"{options.rounds} rounds were asked for.",
            "Give at least 2: one round chooses a threshold, another judges it.",
        )
    torch.set_num_threads(1)
    sets = []
    for scored in measure(load(options.model), options.rounds):
        sets.append(scored)
        print(f"{len(sets)} of {4 * options.rounds * len(CONCEPTS)}", file=sys.stderr, flush=True)
    content: dict[str, Any] = {"sets": [asdict(s) for s in sets]}
    with redirect_stdout(sys.stderr) if options.json else nullcontext():
        for what, masked in (("with masks", True), ("without masks", False)):
            content[what] = report([s for s in sets if s.masked == masked], what)
    write_atomically(options.output, (json.dumps(content, indent=1) + "\n").encode())
    if options.json:
        print(json.dumps({"files": {options.output.name: str(options.output)}}))
    return 0


def report(sets: Sequence[Scored], what: str) -> list[dict[str, Any]]:
    """The verdicts on these sets, printed."""
    print(f"{what}: the stranger is the oddest: {named(sets)}")
    verdicts = [judged(sets, t) for t in (AgreementSettings().threshold, chosen(sets))]
    for verdict, which in zip(verdicts, ("in use", "chosen by the other half"), strict=True):
        print(f"  threshold {verdict.threshold:.3f} ({which}):")
        print(f"    caught {verdict.caught}, false alarms {verdict.false_alarms}")
    return [asdict(verdict) for verdict in verdicts]
