"""The report of ``bench speed`` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GIB = 1 << 30
RANDOM = " Its weights are random: time and memory are true, the pictures mean nothing."
WHOLE = 10  # evaluations that a picture takes at least
YARDSTICK = "diffusers' pipeline, one latent"


def markdown(report: Mapping[str, Any]) -> str:
    return "\n".join([*_head(report), *_table(report), *_phases(report)]) + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    weights = RANDOM if report["random_weights"] else ""
    memory = report["memory_of_the_model"]
    held = "" if memory is None else f" Loaded, it holds {_gib(memory)} GiB of the device's memory."
    return [
        f"# Speed of {report['model']}",
        "",
        f"On {report['device']}, PyTorch {report['torch']}, commit {report['commit'][:12]}. "
        f"{report['native_size']} × {report['native_size']} pixels, {report['steps']} steps, guidance "
        f"{report['guidance']:g}, the UNet in {report['precision']}.{weights}{held}",
        "",
    ]


def _table(report: Mapping[str, Any]) -> list[str]:
    yardstick = _yardstick(report)
    lines = [
        "Evaluations are those of the UNet, one for each picture of a batch; calls: how many batches they "
        "were; back: how many of them a gradient was led back through. Against diffusers: seconds per "
        "evaluation and per call, diffusers' own pipeline being 1 (where a batch takes no longer than one "
        "picture, calls count). Outside: share of the time in none of the networks.",
        "",
        "| | runs | seconds | evaluations | calls | back | against diffusers, per evaluation | per call "
        "| outside | peak memory, GiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        if row["failed"]:
            lines.append(f"| {row['name']} | 0 | {row['failed']} | | | | | | | |")
            continue
        cells = [
            row["name"],
            str(row["runs"]),
            _seconds(row["seconds"]),
            _count(row["evaluations"]),
            _count(row["calls"]),
            _count(row["backward"]),
            _against(row, yardstick, "evaluations"),
            _against(row, yardstick, "calls"),
            "" if row["outside"] is None else f"{100 * row['outside']:.0f} %",
            "" if row["peak"] is None else _gib(row["peak"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _yardstick(report: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for row in report["rows"]:
        if row["name"] == YARDSTICK and not row["failed"]:
            return row
    return None


def _against(row: Mapping[str, Any], yardstick: Mapping[str, Any] | None, unit: str) -> str:
    """Of whole pictures alone: a single evaluation is no loop, and a gradient is another kind of work."""
    if yardstick is None or row["backward"] or row["evaluations"] < WHOLE:
        return ""
    return f"{row['seconds'] / row[unit] / (yardstick['seconds'] / yardstick[unit]):.2f}"


def _phases(report: Mapping[str, Any]) -> list[str]:
    lines = ["Where a job's seconds go:", "", "| | |", "|---|---|"]
    for row in report["rows"]:
        if row["phases"]:
            parts = ", ".join(f"{phase} {_seconds(spent)}" for phase, spent in row["phases"].items())
            lines.append(f"| {row['name']} | {parts} |")
    return lines


def _seconds(value: float) -> str:
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def _count(value: int) -> str:
    return str(value) if value else ""


def _gib(value: int) -> str:
    return f"{value / GIB:.2f}"
