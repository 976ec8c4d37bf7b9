"""What a job needs of a card, by the memory plan: estimated from what ``bench/peaks.py`` counts.

All is in bytes, for one target. A test holds the estimates to a tenth of what is counted. Without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from palimpsest.models.plan import LOW, PLANS, Plan, smaller

DECODING = 197_000
"""Per cell of the latent, in the autoencoder's decoder as a whole."""
STRIPES = 200_000_000
"""In it in stripes."""
WORKSPACE = 130_000
"""Per cell, more than is counted, that cuDNN took on a card for the whole decoder."""
RESERVE = 500_000_000
"""For cuDNN otherwise, and what PyTorch's memory loses between tensors."""
JOBS = ("edit", "learn", "null-text")


@dataclass(frozen=True)
class Figures:
    """Of a family's networks in a card's precision; and per cell of the latent, of each of ``JOBS``.

    Gradients need less per cell in the smaller plans, so there is one figure for each plan.
    """

    network: int
    text: int
    editing: int
    learning: Mapping[str, int]
    null_text: Mapping[str, int]
    vae: int = 334_600_000


FIGURES: Mapping[str, Figures] = {
    "sd1": Figures(
        1_719_000_000, 492_000_000, 50_300,
        {"high": 784_000, "medium": 64_900, "low": 94_000},
        {"high": 186_000, "medium": 55_200, "low": 84_200},
    ),
    "sd2": Figures(
        1_732_000_000, 1_362_000_000, 50_100,
        {"high": 734_000, "medium": 53_100, "low": 82_000},
        {"high": 175_700, "medium": 45_100, "low": 74_100},
    ),
    "sdxl": Figures(
        5_135_000_000, 3_271_000_000, 30_500,
        {"high": 1_342_000, "medium": 47_200, "low": 99_800},
        {"high": 316_800, "medium": 33_500, "low": 79_900},
    ),
}  # fmt: skip


def needed(family: str, plan: Plan, job: str, cells: int) -> int:
    """``job``: of ``JOBS``; ``cells``: of the latent. ``family``: of ``FIGURES``."""
    figures = FIGURES[family]
    held = figures.network * plan.network + figures.text * plan.text + figures.vae * plan.vae
    per_cell = {
        "edit": figures.editing,
        "learn": figures.learning[plan.name],
        "null-text": figures.null_text[plan.name],
    }
    decoding = DECODING * cells if plan.vae else STRIPES
    return held + max(per_cell[job] * cells, decoding)


def needs(family: str, native_size: int, stride: int) -> dict[str, dict[str, int]]:
    """By plan and job, at the model's own size; empty for a family that isn't known."""
    cells = (native_size // stride) ** 2
    if family not in FIGURES:
        return {}
    return {plan.name: {job: needed(family, plan, job, cells) for job in JOBS} for plan in PLANS}


def fitting(family: str, cells: int, free: int, plan: Plan) -> Plan:
    """``plan``, or the next smaller one with which an edit fits into ``free`` bytes, or the smallest."""
    if family not in FIGURES:
        return plan
    workspace = WORKSPACE * cells if plan.vae else 0
    if plan == LOW or needed(family, plan, "edit", cells) + workspace + RESERVE <= free:
        return plan
    after = smaller(plan)
    return plan if after is None else fitting(family, cells, free, after)
