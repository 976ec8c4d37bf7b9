"""The report of ``bench pie``: the protocol's measures by editing type, and every single value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from palimpsest.bench.pie_clip import Similarity
from palimpsest.bench.pie_data import TYPES
from palimpsest.bench.pie_measures import Background
from palimpsest.bench.quality_store import Edited
from palimpsest.bench.statistics import mean
from palimpsest.contract import Operation

UNMEASURED = ("structure distance (by DINO)", "LPIPS")
NEEDS_CLIP = "CLIP similarity (give --clip FOLDER)"
ALL = "all"


@dataclass(frozen=True)
class About:
    """What was measured."""

    model: str
    weights_hash: str
    method: str
    masks: bool
    steps: int
    guidance: float
    device: str
    clip: str | None  # its folder


@dataclass(frozen=True)
class Outcome:
    """One edit. ``refused``: what the product said against it, and then there is nothing else."""

    key: str
    type: str  # one of pie_data.TYPES
    operation: Operation
    shows: str
    should_show: str
    refused: str = ""
    background: Background | None = None  # None where everything is to change
    clip: Similarity | None = None
    edit: Edited | None = None


def summary(about: About, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Plain JSON."""
    groups = {type: [o for o in outcomes if o.type == type] for type in TYPES}
    named = {f"{type} {TYPES[type].name}": found for type, found in groups.items() if found}
    return {
        **asdict(about),
        "left_out": [*UNMEASURED, *([] if about.clip else [NEEDS_CLIP])],
        "edits": {name: _means(found) for name, found in {**named, ALL: outcomes}.items()},
        "cases": [asdict(outcome) for outcome in outcomes],
    }


def _means(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    kept = [o.background for o in outcomes if o.background is not None]
    clips = [o.clip for o in outcomes if o.clip is not None]
    edits = [o.edit for o in outcomes if o.edit is not None]
    return {
        "n": len(edits),
        "refused": sum(bool(o.refused) for o in outcomes),
        "identical": sum(b.psnr is None for b in kept),
        "psnr": mean([b.psnr for b in kept if b.psnr is not None]).to_json(),
        "mse": mean([b.mse for b in kept]).to_json(),
        "ssim": mean([b.ssim for b in kept]).to_json(),
        "clip_whole": mean([c.whole for c in clips]).to_json(),
        "clip_edited": mean([c.edited for c in clips if c.edited is not None]).to_json(),
        "unet_evaluations": mean([float(e.evaluations) for e in edits]).to_json(),
        "backward_evaluations": mean([float(e.backward) for e in edits]).to_json(),
        "seconds": mean([e.seconds for e in edits]).to_json(),
    }


COLUMNS = {
    "PSNR": ("psnr", 1.0),
    "MSE × 10⁴": ("mse", 1e4),
    "SSIM × 10²": ("ssim", 1e2),
    "CLIP, whole": ("clip_whole", 1.0),
    "CLIP, edited": ("clip_edited", 1.0),
    "forward": ("unet_evaluations", 1.0),
    "backward": ("backward_evaluations", 1.0),
    "seconds": ("seconds", 1.0),
}
"""Measures in the units in which the protocol's authors report them."""


def markdown(report: Mapping[str, Any]) -> str:
    """The same for people."""
    heads = ["type", "n", "refused", "background the same", *COLUMNS]
    rows = [_row(name, found) for name, found in report["edits"].items()]
    table = [_line(heads), "|---" * len(heads) + "|", *map(_line, rows)]
    return "\n".join([*_head(report), *table, *_refused(report)]) + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    selected = "selected" if report["masks"] else "not selected: everything could change"
    return [
        "# PIE-Bench",
        "",
        f"Model {report['model']} (weights {report['weights_hash'][:12]}), {report['method']} inversion, "
        f"{report['steps']} steps, guidance {report['guidance']:g}, on {report['device']}. The data set's "
        f"masks were {selected}.",
        "",
        "PSNR, MSE and SSIM are of the background, outside the masks. Where it is the same to the last bit, "
        "PSNR has no value; that is counted, and left out of its mean.",
        "",
        f"Left out, for want of weights: {', '.join(report['left_out'])}.",
        "",
    ]


def _row(name: str, found: Mapping[str, Any]) -> list[str]:
    means = [_number(found[measure], unit) for measure, unit in COLUMNS.values()]
    return [name, *(str(found[count]) for count in ("n", "refused", "identical")), *means]


def _number(found: Mapping[str, Any], unit: float) -> str:
    return "–" if found["mean"] is None else f"{unit * found['mean']:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _refused(report: Mapping[str, Any]) -> list[str]:
    lines = [f"- {case['key']}: {case['refused']}" for case in report["cases"] if case["refused"]]
    return ["", "Refused by the product:", "", *lines] if lines else []
