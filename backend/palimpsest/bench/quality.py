"""How good is it? Photos reproduced and edited as a user would, held against what is known to be true.

Reconstruction: every inversion's PSNR at the guidance that editing uses. Edits: does the judge, which
shares nothing with the model, see what was asked for; is everything else as it was; how near is the
result to the picture that is drawn with the change. Every value is in the report, failures included.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from palimpsest.bench.pictures import Tile, contact_sheet
from palimpsest.bench.quality_cases import KINDS, SPLITS, Case, make_case, word_of
from palimpsest.bench.quality_methods import pareto, side_by_side
from palimpsest.bench.quality_report import Outcome, compared, markdown, summary
from palimpsest.bench.quality_standard import Standard, standard_of
from palimpsest.bench.quality_store import Store, Word, edit, finish, learned
from palimpsest.bench.scratch_runner import scratch_runner
from palimpsest.builtin.captions import caption
from palimpsest.builtin.judge import Judge, load_judge
from palimpsest.contract import EditRequest, InversionMethod, InversionSettings, InvertRequest
from palimpsest.demo.make_pictures import MARGIN
from palimpsest.errors import RequestError
from palimpsest.scenes.rendering import render
from palimpsest.scenes.scene import sample_scene
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks.runner import TaskRunner
from palimpsest_client.methods import OFFERED, RECOMMENDED

METHODS: tuple[InversionMethod, ...] = tuple(reversed(OFFERED))  # the recommended one last
QUICK, WHOLE = (20, 8), (100, 50)  # scenes reproduced, edits of each kind
GRID = 24  # edits chosen at random for the small picture


@dataclass(frozen=True)
class Extent:
    """How much is measured; case ``i`` is the same whatever the extent."""

    scenes: int
    cases: int
    methods: tuple[InversionMethod, ...] = METHODS  # by which photos are reproduced
    edited_by: tuple[InversionMethod, ...] = (RECOMMENDED,)  # what others are compared with first
    kinds: tuple[str, ...] = tuple(KINDS)
    margins: tuple[int, ...] = (MARGIN,)  # pixels by which a selection is wider than what changes
    split: str = "test"  # of SPLITS
    detail: bool = False  # whether words are learned with adapters


def run(options: argparse.Namespace) -> int:
    earlier = None if options.against is None else read_report(options.against, options.split)
    scenes, cases = QUICK if options.quick else WHOLE
    extent = Extent(
        scenes if options.scenes is None else options.scenes,
        cases if options.cases is None else options.cases,
        methods=tuple(options.method) or METHODS,
        edited_by=tuple(dict.fromkeys((RECOMMENDED, *options.method))),
        kinds=_kinds(options.kind),
        margins=tuple(options.margin) if options.margin else (MARGIN,),
        split=options.split,
        detail=options.detail,
    )
    with scratch_runner(options.device, options.output / "learning") as runner:
        report, outcomes = measure(runner, options.model, extent, Store(options.output))
    if earlier is not None:
        report["against"] = compared(report, earlier)
    made = files(report, outcomes)
    for path, content in made.items():
        write_atomically(options.output / path, content)
    places = {name: str(options.output / name) for name in made}
    print(json.dumps({"files": places}) if options.json else "\n".join(places.values()))
    return 0


def read_report(file: Path, split: str) -> dict[str, Any]:
    """An earlier ``report.json`` of the same split. Raises RequestError."""
    try:
        report = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise RequestError(
            f"{file} can't be read as a report: {error}.", "--against takes a report.json of an earlier run."
        ) from error
    if not isinstance(report, dict) or report.get("split") != split or "cases" not in report:
        raise RequestError(
            f"{file} is no report of the {split} split.", "Give --split as it was given for that report."
        )
    return report


def _kinds(asked: Sequence[str]) -> tuple[str, ...]:
    """Those asked for, or all. Raises RequestError."""
    for kind in asked:
        if kind not in KINDS:
            raise RequestError(f"There is no kind of edit {kind!r}.", f"Known: {', '.join(KINDS)}.")
    return tuple(asked) if asked else tuple(KINDS)


def measure(
    runner: TaskRunner, model: str, extent: Extent, store: Store
) -> tuple[dict[str, Any], list[Outcome]]:
    """``store``: what was done before is taken from there, and what is done is kept there at once."""
    numbers, seeds = range(extent.cases), SPLITS[extent.split]
    cases = [
        (kind, number, make_case(kind, number, extent.split)) for kind in extent.kinds for number in numbers
    ]
    loaded = runner.models.get(model)
    judge = load_judge()
    rows = []
    for number in range(extent.scenes):
        say(f"reproducing photo {number + 1} of {extent.scenes}")
        rows.append(reproduce(runner, model, seeds[number], extent.methods))
    words = _words(runner, model, [case for _, _, case in cases], extent, store)
    digests = {name: word.digest for name, word in words.items()}
    outcomes, limits = list[Outcome](), list[Outcome]()
    first, *others = extent.edited_by
    for (kind, number, case), margin in product(cases, extent.margins):
        standard = standard_of(loaded, judge, case, number, margin)
        for method in extent.edited_by:
            say(f"{kind} {number + 1} of {extent.cases}, {method}")
            outcomes.append(by_method(runner, model, standard, digests, store, method))
        limits += standard.sanity() if others else []
    about = {
        "model": model,
        "weights_hash": loaded.weights_hash,
        "guidance": loaded.guidance,
        "steps": loaded.steps,
        "device": str(runner.device),
        "split": extent.split,
        "detail": extent.detail,
        "words": {name: {"refused": word.refused} for name, word in words.items()},
        "first_seed": seeds[0],
    }
    report = summary(about, rows, [o for o in outcomes if o.method == first])
    if others:
        report["methods"] = side_by_side([*outcomes, *limits], extent.edited_by)
    return report, outcomes


def _words(
    runner: TaskRunner, model: str, cases: Sequence[Case], extent: Extent, store: Store
) -> dict[str, Word]:
    """Those that the cases ask for, learned; by how they stand in a sentence."""
    words: dict[str, Word] = {}
    for concept in dict.fromkeys(case.concept for case in cases if case.concept is not None):
        say(f"learning {word_of(concept)}")
        seed = SPLITS[extent.split][-1]
        words[word_of(concept)] = learned(runner, model, concept, seed, store, extent.detail)
    return words


def reproduce(
    runner: TaskRunner, model: str, seed: int, methods: tuple[InversionMethod, ...]
) -> dict[str, float]:
    """PSNR of a photo's reproduction by every method, and by the autoencoder alone."""
    scene = sample_scene(seed, count=1 + seed % 2, style="photo")
    image = runner.images.put(encode(render(scene, runner.models.get(model).native_size).image))
    found: dict[str, float] = {}
    for method in methods:
        request = InvertRequest(
            image, caption(scene), model=model, inversion=InversionSettings(method=method)
        )
        result = finish(runner, request)[0].result
        found[method] = result["reconstruction_psnr"]
        found[f"{method} against autoencoder"] = result["fidelity_psnr"]
        found["autoencoder"] = result["roundtrip_psnr"]
    return found


def edited(
    runner: TaskRunner,
    model: str,
    judge: Judge,
    case: Case,
    number: int,
    margin: int = MARGIN,
    words: dict[str, str] | None = None,
    store: Store | None = None,
    method: InversionMethod = RECOMMENDED,
) -> Outcome:
    """Run one case as a user would who selects with this margin, of a photo that isn't remembered; judge it.

    ``words``: the digests of the library's learned words; the case's own must be among them.
    """
    standard = standard_of(runner.models.get(model), judge, case, number, margin)
    return by_method(runner, model, standard, words or {}, Store(None) if store is None else store, method)


def by_method(
    runner: TaskRunner,
    model: str,
    standard: Standard,
    words: Mapping[str, str],
    store: Store,
    method: InversionMethod,
) -> Outcome:
    """The same, held against a standard that is there already."""
    case, number = standard.case, standard.number
    used = {} if case.concept is None else {word_of(case.concept): words[word_of(case.concept)]}
    name = f"cases/{method}/{standard.kind}-{number}.png"
    runner.inversions.clear()
    runner.drawings.clear()
    request = _request(runner, model, case, standard.margin, method)
    content, made = edit(runner, request, name, used, store)
    return standard.judged(method, read_picture(content).pixels, made)


def _request(runner: TaskRunner, model: str, case: Case, margin: int, method: InversionMethod) -> EditRequest:
    """Its pictures are put into the runner's store."""
    size = runner.models.get(model).native_size
    mask = case.selection(size, margin)
    return EditRequest(
        image=runner.images.put(encode(case.drawn(size)[0].image)),
        operation=case.operation,
        source_prompt=case.shows,
        target_prompt=case.should_show,
        selection=None if mask is None else runner.images.put(encode(mask)),
        pairs=case.pairs,
        model=model,
        inversion=InversionSettings(method=method),
        begin_from=case.begin_from,
        feather=3,
    )


def files(report: dict[str, Any], outcomes: list[Outcome]) -> dict[str, bytes]:
    """The report for programs, for people, and every edit as a picture: before, result, truth; ``grid.png``
    is some of them, chosen at random."""
    made = {
        "report.json": (json.dumps(report, indent=2) + "\n").encode(),
        "report.md": markdown(report).encode(),
    }
    if "methods" in report:
        made["pareto.png"] = pareto(report["methods"])
    if outcomes:
        lot = np.random.default_rng(0).permutation(len(outcomes))[:GRID]
        made["edits.png"] = sheet(outcomes)
        made["grid.png"] = sheet([outcomes[i] for i in sorted(lot)])
    return made


def sheet(outcomes: Sequence[Outcome]) -> bytes:
    """A PNG of edits as before, result and truth; green where joint."""
    several = len({o.method for o in outcomes}) > 1
    tiles = [
        Tile(o.picture, f"{o.method if several else o.kind}: {o.should_show}", o.joint) for o in outcomes
    ]
    buffer = io.BytesIO()
    contact_sheet(tiles, columns=4, side=300).save(buffer, "PNG")
    return buffer.getvalue()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
