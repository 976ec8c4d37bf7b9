"""The report of ``bench quality``: numbers with their uncertainty, and every single value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.quality_identity import LARGEST
from palimpsest.bench.statistics import mean, paired_difference, rate
from palimpsest_client.methods import METHODS

PHOTO, TRUTH = "the photo itself", "the true picture through the autoencoder"
"""Beside the methods: what costs nothing and does nothing, and the most that can be expected."""
COMPARED = ("joint", "success", "kept", "identity", "nearer", "truth_psnr")


@dataclass(frozen=True)
class Outcome:
    """One edit, judged."""

    method: str  # of inversion, or PHOTO, TRUTH
    kind: str
    number: int
    shows: str
    should_show: str
    success: bool  # what was asked for is there
    kept: bool | None  # every other thing is what it was; None if there is no other
    reflected: bool | None  # the mirror shows what was asked for; None if there is no mirror
    joint: bool  # all three, and no pixel outside changed
    ceiling: bool  # joint, for the true picture after the autoencoder
    reflected_ceiling: bool | None
    distance: float | None  # to true views of the thing asked for; None where none is
    ceiling_distance: float | None  # the same for the true picture after the autoencoder
    pixels_changed_outside: int
    outside_psnr: float | None  # before compositing: what the sampler itself kept
    truth_psnr: float  # inside the selection, against the true picture
    photo_psnr: float  # the photo itself inside the selection, against the true picture
    unet_evaluations: int
    backward_evaluations: int  # of them, those that a gradient was led back through
    seconds: float
    picture: NDArray[np.uint8] = field(repr=False, compare=False)

    @property
    def identity(self) -> bool | None:
        """Whether the judge and the distance agree that it is the thing asked for."""
        return None if self.distance is None else self.success and self.distance <= LARGEST

    @property
    def nearer(self) -> bool:
        """To the truth than the photo was."""
        return self.truth_psnr > self.photo_psnr


def summary(
    about: Mapping[str, Any], rows: Sequence[Mapping[str, float]], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """Plain JSON. ``rows``: per photo, PSNR by method."""
    methods = list(rows[0]) if rows else []
    kinds = list(dict.fromkeys(outcome.kind for outcome in outcomes))
    return {
        **about,
        "reconstruction_psnr": {method: _values([row[method] for row in rows]) for method in methods},
        "edits": {kind: figures([o for o in outcomes if o.kind == kind]) for kind in kinds},
        "pixels_changed_outside": max((o.pixels_changed_outside for o in outcomes), default=0),
        "cases": [plain(outcome) for outcome in outcomes],
    }


def _values(values: Sequence[float]) -> dict[str, Any]:
    return {**mean(values).to_json(), "median": median(values), "values": list(values)}


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    outside = [o.outside_psnr for o in outcomes if o.outside_psnr is not None]
    return {
        "joint": rate(o.joint for o in outcomes).to_json(),
        "success": rate(o.success for o in outcomes).to_json(),
        "others_kept": rate(o.kept for o in outcomes if o.kept is not None).to_json(),
        "ceiling": rate(o.ceiling for o in outcomes).to_json(),
        "reflected": rate(o.reflected for o in outcomes if o.reflected is not None).to_json(),
        "reflected_ceiling": rate(
            o.reflected_ceiling for o in outcomes if o.reflected_ceiling is not None
        ).to_json(),
        "identity": rate(o.identity for o in outcomes if o.identity is not None).to_json(),
        "identity_ceiling": rate(
            o.ceiling_distance <= LARGEST for o in outcomes if o.ceiling_distance is not None
        ).to_json(),
        "judge_alone": sum(o.success and o.identity is False for o in outcomes),
        "distance_alone": sum(
            not o.success and o.distance is not None and o.distance <= LARGEST for o in outcomes
        ),
        "nearer": rate(o.nearer for o in outcomes).to_json(),
        "pixels_changed_outside": max(o.pixels_changed_outside for o in outcomes),
        "outside_psnr_before_compositing": mean(outside).to_json(),
        "inside_psnr_against_truth": mean([o.truth_psnr for o in outcomes]).to_json(),
        "unet_evaluations": mean([float(o.unet_evaluations) for o in outcomes]).to_json(),
        "backward_evaluations": mean([float(o.backward_evaluations) for o in outcomes]).to_json(),
        "seconds": mean([o.seconds for o in outcomes]).to_json(),
    }


def plain(outcome: Outcome) -> dict[str, Any]:
    values = {f.name: getattr(outcome, f.name) for f in fields(outcome) if f.name != "picture"}
    return {**values, "identity": outcome.identity, "nearer": outcome.nearer}


def compared(report: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """By kind, how much more often than in ``earlier``, over the cases that both have."""
    before = {(case["kind"], case["number"]): case for case in earlier["cases"]}
    pairs = [
        (before[case["kind"], case["number"]], case)
        for case in report["cases"]
        if (case["kind"], case["number"]) in before
    ]
    kinds = dict.fromkeys(case["kind"] for _, case in pairs)
    return {
        kind: {
            value: _difference([pair for pair in pairs if pair[1]["kind"] == kind], value)
            for value in COMPARED
        }
        for kind in kinds
    }


def _difference(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], value: str) -> dict[str, Any]:
    both = [(old[value], new[value]) for old, new in pairs if None not in (old[value], new[value])]
    return paired_difference([old for old, _ in both], [new for _, new in both]).to_json()


def markdown(report: Mapping[str, Any]) -> str:
    """The same for people."""
    text = "\n".join(
        [*_head(report), *_reconstruction(report), *_edits(report), *_methods(report), *_against(report)]
    )
    return text + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    return [
        "# Quality",
        "",
        f"Model {report['model']} (weights {report['weights_hash'][:12]}), {report['steps']} steps, "
        f"guidance {report['guidance']:g}, on {report['device']}. Cases of the {report['split']} split, "
        f"seeds from {report['first_seed']}. Words learned with{'' if report['detail'] else 'out'} adapters. "
        "Intervals are 95 %.",
        "",
        *_refused(report.get("words", {})),
    ]


def _refused(words: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Of which words' pictures one was thought not to fit; they were learned all the same."""
    lines = [f"- {name}: {word['refused']}" for name, word in words.items() if word["refused"]]
    if not lines:
        return []
    count = f"{len(lines)} of {len(words)} words"
    return [f"Learned only after the pictures were accepted as they are: {count}.", "", *lines, ""]


def _reconstruction(report: Mapping[str, Any]) -> list[str]:
    lines = [
        "## The photo reproduced, PSNR in dB",
        "",
        "| | mean | ± | median | n |",
        "|---|---|---|---|---|",
    ]
    for method, found in report["reconstruction_psnr"].items():
        half = "" if found["half_width"] is None else f"{found['half_width']:.2f}"
        lines.append(f"| {method} | {found['mean']:.2f} | {half} | {found['median']:.2f} | {found['n']} |")
    return [*lines, ""]


def _edits(report: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Edits",
        "",
        "Asked: the judge sees what was asked for. Kept: every other thing reads as it was. Joint: both, no "
        "pixel outside changed, and a mirror shows it too. Ceiling: joint, for the true picture after the "
        "autoencoder. Nearer: to the true picture than the photo is, inside the selection.",
        "",
        "| | n | joint | asked | kept | ceiling | nearer | changed outside "
        "| outside dB, before compositing | inside dB, against truth | forward | backward |",
        "|---" * 12 + "|",
    ]
    for kind, found in report["edits"].items():
        cells = [
            str(found["joint"]["n"]),
            *(_percent(found[name]) for name in ("joint", "success", "others_kept", "ceiling", "nearer")),
            str(found["pixels_changed_outside"]),
            *(
                _number(found[name])
                for name in ("outside_psnr_before_compositing", "inside_psnr_against_truth")
            ),
            _number(found["unet_evaluations"]),
            _number(found["backward_evaluations"]),
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return [*lines, *_reflected(report), *_identity(report)]


def _methods(report: Mapping[str, Any]) -> list[str]:
    """A table for each kind, where there are several methods."""
    lines: list[str] = []
    for kind, methods in report.get("methods", {}).items():
        first, *_ = methods
        lines += [
            "",
            f"### {kind}, n = {methods[first]['joint']['n']}",
            "",
            "| | joint | kept | asked | identity | outside dB | inside dB | forward | backward "
            f"| joint against {first}, points | inside against {first}, dB |",
            "|---" * 11 + "|",
        ]
        lines += [
            f"| {METHODS[name].label if name in METHODS else name} | {_cells(found)} |"
            for name, found in methods.items()
        ]
    return lines


def _cells(found: Mapping[str, Any]) -> str:
    counts = ("unet_evaluations", "backward_evaluations")
    return " | ".join(
        [
            *(_percent(found[name]) for name in ("joint", "others_kept", "success", "identity")),
            *(
                _number(found[name])
                for name in ("outside_psnr_before_compositing", "inside_psnr_against_truth", *counts)
            ),
            _gap(found["against"]["joint"], 100),
            _gap(found["against"]["truth_psnr"], 1),
        ]
    )


def _reflected(report: Mapping[str, Any]) -> list[str]:
    asked = {kind: found for kind, found in report["edits"].items() if found["reflected"]["n"]}
    return [
        f"\nOf {kind} the mirror shows the thing asked for, from the right side, in "
        f"{_percent(found['reflected'])}; after the autoencoder alone in "
        f"{_percent(found['reflected_ceiling'])}."
        for kind, found in asked.items()
    ]


def _identity(report: Mapping[str, Any]) -> list[str]:
    asked = {kind: found for kind, found in report["edits"].items() if found["identity"]["n"]}
    if not asked:
        return []
    rows = [
        f"| {kind} | {_percent(found['identity'])} | {_percent(found['identity_ceiling'])} "
        f"| {found['judge_alone']} | {found['distance_alone']} |"
        for kind, found in asked.items()
    ]
    return [
        "",
        "### Identity",
        "",
        "The judge sees the thing asked for, and its distance to the nearest true view is at most "
        f"{LARGEST:g}. Ceiling: the distance alone, for the true picture after the autoencoder.",
        "",
        "| | identity | ceiling | judge alone | distance alone |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _against(report: Mapping[str, Any]) -> list[str]:
    if not report.get("against"):
        return []
    lines = [
        "",
        "### Against the earlier run",
        "",
        "Over the cases that both have, in points (dB in the last column), with paired bootstrap intervals.",
        "",
        "| | n | joint | asked | kept | identity | nearer | inside dB, against truth |",
        "|---" * 8 + "|",
    ]
    for kind, found in report["against"].items():
        cells = [_gap(found[value], 1 if value == "truth_psnr" else 100) for value in COMPARED]
        lines.append(f"| {kind} | {found['joint']['n']} | {' | '.join(cells)} |")
    return lines


def _gap(found: Mapping[str, Any], unit: int) -> str:
    if not found["n"]:
        return "–"
    mean, low, high = (unit * found[name] for name in ("mean", "low", "high"))
    digits = 1 if unit == 1 else 0
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def _percent(found: Mapping[str, Any]) -> str:
    if found["rate"] is None:
        return "–"
    return f"{100 * found['rate']:.0f} % ({100 * found['low']:.0f}–{100 * found['high']:.0f})"


def _number(found: Mapping[str, Any]) -> str:
    return "–" if found["mean"] is None else f"{found['mean']:.1f}"
