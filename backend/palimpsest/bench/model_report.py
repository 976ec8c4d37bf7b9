"""The report of ``palimpsest bench model``: report.json, report.md and grids of pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from palimpsest.bench.adherence import STRATA, Case, Verdict, cells
from palimpsest.bench.pictures import Picture, Tile, contact_sheet
from palimpsest.bench.statistics import Mean, Rate, mean
from palimpsest.bench.word_maps import Overlap

COLUMNS = 8
PER_STRATUM = 8  # pictures in the grid


@dataclass(frozen=True)
class Drawn:
    """A prompt, what the model drew, and how it was judged."""

    case: Case
    picture: Picture
    verdict: Verdict


@dataclass(frozen=True)
class Loss:
    """One picture's way through the autoencoder."""

    style: str
    ground: str
    psnr: float


@dataclass(frozen=True)
class ModelReport:
    """Everything that was measured. ``ceiling`` are verdicts on the true pictures of the same prompts."""

    settings: Mapping[str, Any]
    model: Mapping[str, Any]
    too_long: tuple[str, ...]  # prompts that the text encoder can't read, which were left out
    drawn: tuple[Drawn, ...]
    ceiling: tuple[Verdict, ...]
    losses: tuple[Loss, ...]
    overlaps: tuple[Overlap, ...]
    unet_seconds: Mapping[int, float]
    threads: int

    @property
    def adherence(self) -> dict[str, dict[str, Rate]]:
        return cells([d.case for d in self.drawn], [d.verdict for d in self.drawn])

    @property
    def adherence_of_truth(self) -> dict[str, dict[str, Rate]]:
        return cells([d.case for d in self.drawn], self.ceiling)

    @property
    def psnr(self) -> dict[str, Mean]:
        """By style, and for photos by ground."""
        by_style = grouped(self.losses, lambda loss: loss.style, lambda loss: loss.psnr)
        photos = [loss for loss in self.losses if loss.style == "photo"]
        by_ground = grouped(photos, lambda loss: f"photo on {loss.ground}", lambda loss: loss.psnr)
        return by_style | by_ground

    @property
    def iou(self) -> dict[str, Mean]:
        """By resolution, and by resolution and timestep."""
        side = grouped(self.overlaps, lambda o: f"{o.resolution}x{o.resolution}", lambda o: o.iou)
        each = grouped(
            self.overlaps, lambda o: f"{o.resolution}x{o.resolution}, t = {o.timestep}", lambda o: o.iou
        )
        return side | each


def grouped(
    items: Iterable[Any], key: Callable[[Any], str], value: Callable[[Any], float]
) -> dict[str, Mean]:
    """The mean of the items' values by their key, in the order of the keys' first appearance."""
    groups: dict[str, list[float]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(value(item))
    return {name: mean(values) for name, values in groups.items()}


def write(report: ModelReport, folder: Path) -> None:
    """Write the three files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(to_json(report), indent=2) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(to_markdown(report), encoding="utf-8")
    contact_sheet(tiles(report), COLUMNS).save(folder / "grid.png")


def to_json(report: ModelReport) -> dict[str, Any]:
    return {
        "model": dict(report.model),
        "settings": dict(report.settings),
        "adherence": cells_json(report.adherence),
        "adherence_of_true_pictures": cells_json(report.adherence_of_truth),
        "round_trip_psnr": {name: value.to_json() for name, value in report.psnr.items()},
        "word_map_iou": {name: value.to_json() for name, value in report.iou.items()},
        "unet_seconds": {str(batch): seconds for batch, seconds in report.unet_seconds.items()},
        "threads": report.threads,
        "too_long": list(report.too_long),
        "prompts": [
            {
                "prompt": drawn.case.prompt, "stratum": drawn.case.stratum, "right": drawn.verdict.right,
                "claims": [asdict(claim) for claim in drawn.verdict.claims],
            }
            for drawn in report.drawn
        ],
    }  # fmt: skip


def cells_json(table: Mapping[str, Mapping[str, Rate]]) -> dict[str, Any]:
    return {stratum: {name: cell.to_json() for name, cell in row.items()} for stratum, row in table.items()}


def to_markdown(report: ModelReport) -> str:
    """The report for people. Every rate carries its 95 % Wilson interval and n."""
    settings, model = report.settings, report.model
    parts = [
        "# How good is the model?",
        f"Weights {model['weights_hash'][:12]} ({model['family']}, {model['native_size']} px).",
        f"{len(report.drawn)} prompts, guidance {settings['guidance']}, {settings['steps']} DDIM steps, "
        f"seed {settings['seed']}. Judged from decoded pixels by the built-in model's judge.",
        *([too_long(report)] if report.too_long else []),
        "![What was drawn; green is all right](grid.png)",
        "## Prompt adherence",
        "Rates in per cent with their 95 % Wilson intervals. Colour isn't asked in ink, which has none.",
        adherence_table(report.adherence),
        "The true pictures of the same prompts, through the model's autoencoder and judged alike: what a "
        "model that draws perfectly would be credited with.",
        adherence_table(report.adherence_of_truth),
        "## Autoencoder round trip",
        "PSNR in dB, mean over pictures with its 95 % interval.",
        mean_table("pictures", "PSNR", report.psnr),
        "## Word maps against true bodies",
        "Intersection over union of a noun's cross-attention map, cut at Otsu's threshold.",
        mean_table("maps", "IoU", report.iou),
        "## Time",
        "Seconds of one UNet evaluation at native size: "
        + ", ".join(f"{seconds:.3f} (batch {batch})" for batch, seconds in report.unet_seconds.items())
        + f"; {report.threads} threads. For information: it depends on the machine and on what else it does.",
    ]
    return "\n\n".join(parts) + "\n"


def too_long(report: ModelReport) -> str:
    return (
        f"**{len(report.too_long)} prompts were left out** because the text encoder can't read them to "
        f"their end, such as: {report.too_long[0]!r}."
    )


def adherence_table(table: Mapping[str, Mapping[str, Rate]]) -> str:
    """Prompts down, claims across."""
    names = list(next(iter(table.values())))
    rows = [
        f"| {stratum} | {' | '.join(brief(row[name]) for name in names)} |" for stratum, row in table.items()
    ]
    return "\n".join([f"| prompts | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|", *rows])


def brief(cell: Rate) -> str:
    """As 94.0 (88–97) n=90."""
    if cell.interval is None:
        return "–"
    low, high = cell.interval
    return f"{100 * cell.hits / cell.n:.1f} ({100 * low:.0f}–{100 * high:.0f}) n={cell.n}"


def mean_table(what: str, unit: str, values: Mapping[str, Mean]) -> str:
    rows = [f"| {name} | {value} |" for name, value in values.items()]
    return "\n".join([f"| {what} | {unit} |", "|---|---|", *rows])


def tiles(report: ModelReport) -> Sequence[Tile]:
    """The first pictures of each stratum, framed by verdict."""
    shown = []
    for stratum in STRATA:
        own = [drawn for drawn in report.drawn if drawn.case.stratum == stratum.name][:PER_STRATUM]
        shown += [Tile(d.picture, d.case.prompt, d.verdict.right) for d in own]
        blank = -len(own) % COLUMNS
        shown += [Tile(own[0].picture * 0 + 255) for _ in range(blank)] if own else []
    return shown
