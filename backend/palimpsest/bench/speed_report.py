"""The report of ``bench speed`` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GIB = 1 << 30
PICTURE = "scaling.png"
RANDOM = " Its weights are random: time and memory are true, the pictures mean nothing."


def markdown(report: Mapping[str, Any]) -> str:
    rows = report["rows"]
    return "\n".join([*_head(report), *_table(rows), *_phases(rows), *_scaling(rows)]) + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    weights = RANDOM if report["random_weights"] else ""
    memory = report["memory_of_the_model"]
    held = "" if memory is None else f" Loaded, it holds {memory / GIB:.2f} GiB of the device's memory."
    return [
        f"# Speed of {report['model']}",
        "",
        f"On {report['device']}, PyTorch {report['torch']}, commit {report['commit'][:12]}. "
        f"{report['native_size']} × {report['native_size']} pixels, {report['steps']} steps, guidance "
        f"{report['guidance']:g}, the UNet in {report['precision']}.{weights}{held}",
        "",
    ]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "Forward: evaluations of the UNet, one for each picture of a batch; backward: how many of them a "
        "gradient was led back through; calls: how many batches they were. Against diffusers: the seconds, "
        "as a multiple of those that diffusers' own pipeline takes for as many evaluations, two in a call, "
        "run right after. Outside: share of the time in none of the networks. Memory: the peak, on a card as "
        "PyTorch allocated it, on a processor of the whole process.",
        "",
        "| | runs | seconds | forward | backward | calls | against diffusers | outside | memory, GiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row["failed"]:
            lines.append(f"| {row['name']} | 0 | {row['failed']} | | | | | | |")
            continue
        cells = [
            row["name"],
            str(row["runs"]),
            _seconds(row["seconds"]),
            _count(row["evaluations"]),
            _count(row["backward"]),
            _count(row["calls"]),
            "" if row["against"] is None else f"{row['against']:.2f}",
            "" if row["outside"] is None else f"{100 * row['outside']:.0f} %",
            "" if row["peak"] is None else f"{row['peak'] / GIB:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _phases(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["Where a job's seconds go:", "", "| | |", "|---|---|"]
    for row in rows:
        if row["phases"]:
            parts = ", ".join(f"{phase} {_seconds(spent)}" for phase, spent in row["phases"].items())
            lines.append(f"| {row['name']} | {parts} |")
    return lines


def _scaling(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Empty where nothing was measured of it."""
    lines = [
        f"| {row['name']} | {_seconds(row['seconds'])} | {row['times']:.2f} | {row['evaluations']} |"
        for row in rows
        if row["series"]
    ]
    if not lines:
        return []
    head = [
        "",
        "How a hot edit's seconds grow, times the first row's of the same kind, measured in turns:",
        "",
        "| | seconds | times the first | forward |",
        "|---|---|---|---|",
    ]
    return [*head, *lines, "", f"![Seconds and evaluations of a hot edit]({PICTURE})"]


def _seconds(value: float) -> str:
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def _count(value: int) -> str:
    return str(value) if value else ""
