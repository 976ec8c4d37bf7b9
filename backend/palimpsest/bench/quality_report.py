"""The report of ``bench quality``: numbers with their uncertainty, and every single value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from statistics import median
from typing import TYPE_CHECKING, Any

from palimpsest.bench.statistics import mean, rate

if TYPE_CHECKING:
    from palimpsest.bench.quality import Outcome


def summary(
    about: Mapping[str, Any], rows: Sequence[Mapping[str, float]], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """Plain JSON. ``rows``: per photo, PSNR by method."""
    methods = list(rows[0]) if rows else []
    kinds = list(dict.fromkeys(outcome.kind for outcome in outcomes))
    return {
        **about,
        "reconstruction_psnr": {method: _values([row[method] for row in rows]) for method in methods},
        "edits": {kind: _kind([o for o in outcomes if o.kind == kind]) for kind in kinds},
        "pixels_changed_outside": max((o.pixels_changed_outside for o in outcomes), default=0),
        "cases": [_plain(outcome) for outcome in outcomes],
    }


def _values(values: Sequence[float]) -> dict[str, Any]:
    return {**mean(values).to_json(), "median": median(values), "values": list(values)}


def _kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    outside = [o.outside_psnr for o in outcomes if o.outside_psnr is not None]
    return {
        "joint": rate(o.joint for o in outcomes).to_json(),
        "success": rate(o.success for o in outcomes).to_json(),
        "others_kept": rate(o.kept for o in outcomes if o.kept is not None).to_json(),
        "ceiling": rate(o.ceiling for o in outcomes).to_json(),
        "nearer": rate(o.nearer for o in outcomes).to_json(),
        "pixels_changed_outside": max(o.pixels_changed_outside for o in outcomes),
        "outside_psnr_before_compositing": mean(outside).to_json(),
        "inside_psnr_against_truth": mean([o.truth_psnr for o in outcomes]).to_json(),
        "unet_evaluations": mean([float(o.unet_evaluations) for o in outcomes]).to_json(),
        "backward_evaluations": mean([float(o.backward_evaluations) for o in outcomes]).to_json(),
        "seconds": mean([o.seconds for o in outcomes]).to_json(),
    }


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {f.name: getattr(outcome, f.name) for f in fields(outcome) if f.name != "picture"}


def markdown(report: Mapping[str, Any]) -> str:
    """The same for people."""
    return "\n".join([*_head(report), *_reconstruction(report), *_edits(report)]) + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    return [
        "# Quality",
        "",
        f"Model {report['model']} (weights {report['weights_hash'][:12]}), {report['steps']} steps, "
        f"guidance {report['guidance']:g}, on {report['device']}. Cases of the {report['split']} split, "
        f"seeds from {report['first_seed']}. Intervals are 95 %.",
        "",
    ]


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
        "Asked: the judge sees what was asked for. Kept: every other thing reads as it was. Joint: both, and "
        "no pixel outside changed. Ceiling: joint, for the true picture after the autoencoder. Nearer: to "
        "the true picture than the photo is, inside the selection.",
        "",
        "| | n | joint | asked | kept | ceiling | nearer | changed outside "
        "| outside dB, before compositing | inside dB, against truth | evaluations | of them backward |",
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
    return lines


def _percent(found: Mapping[str, Any]) -> str:
    if found["rate"] is None:
        return "–"
    return f"{100 * found['rate']:.0f} % ({100 * found['low']:.0f}–{100 * found['high']:.0f})"


def _number(found: Mapping[str, Any]) -> str:
    return "–" if found["mean"] is None else f"{found['mean']:.1f}"
