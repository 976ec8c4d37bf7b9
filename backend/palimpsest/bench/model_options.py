"""What ``palimpsest bench model`` measures, and on how much. Imports nothing heavy: it serves ``--help``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from palimpsest.errors import RequestError

WEIGHTS = Path(__file__).parents[1] / "builtin" / "weights"


@dataclass(frozen=True)
class Settings:
    """What is measured, and on how much. ``guidance`` and ``steps``: None is the model's recommendation."""

    prompts: int = 500
    guidance: float | None = None
    steps: int | None = None
    batch: int = 16
    seed: int = 0
    round_trips: int = 210
    maps: int = 48

    def __post_init__(self) -> None:
        for name in ("prompts", "steps", "batch", "round_trips", "maps"):
            given = getattr(self, name)
            if given is not None and given < 1:
                raise RequestError(f"{name} is {given}.", f"Give at least 1 for {name}.")


def settings_of(options: argparse.Namespace) -> Settings:
    return Settings(
        options.prompts, options.guidance, options.steps, options.batch, options.seed, options.round_trips,
        options.maps,
    )  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``palimpsest bench model``."""
    known = Settings()
    parser.add_argument(
        "--model", type=Path, default=WEIGHTS, help="model folder (default: the built-in model)"
    )
    parser.add_argument("--prompts", type=int, default=known.prompts, help="prompts to draw (%(default)s)")
    parser.add_argument("--guidance", type=float, help="classifier-free guidance (default: the model's own)")
    parser.add_argument("--steps", type=int, help="DDIM steps (default: the model's own)")
    parser.add_argument("--batch", type=int, default=known.batch, help="pictures at a time (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=known.seed, help="another set of prompts and noise (%(default)s)"
    )
    parser.add_argument(
        "--round-trips", type=int, default=known.round_trips, help="pictures for PSNR (%(default)s)"
    )
    parser.add_argument("--maps", type=int, default=known.maps, help="pictures for word maps (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    parser.add_argument(
        "--out", type=Path, default=Path("bench-model"), help="folder of the report (%(default)s)"
    )
