"""``python -m palimpsest.training.train --preset cpu|gpu``: the recipe of the built-in model, in one command.

Run it again and it goes on where it stopped: after ``--minutes``, after an interruption, or with other step
counts. What it needs and leaves is described in ``palimpsest.training.run``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from palimpsest.errors import PalimpsestError, RequestError
from palimpsest.training.precision import Precision
from palimpsest.training.presets import PRESETS, Preset, miniature, preset
from palimpsest.training.run import LOG_EVERY, STAGES, Run, Stage

FORMATS = {"float32": False, "bfloat16": True}  # name → whether the networks run under autocast
UNFINISHED = 75  # the exit status of "not done, call again" (EX_TEMPFAIL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the recipe; 0 when all is done, 75 when time ran out, else the error's exit status."""
    options = parser().parse_args(arguments)
    try:
        run, until = prepare(options), deadline(options.minutes)
        for stage in stages(options.only):
            if not watch(run.stage(stage), until, stage):
                print("Time is up; run the same command again to go on.", flush=True)
                return UNFINISHED
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="palimpsest.training.train", description=(__doc__ or "").split("\n\n")[0]
    )
    p.add_argument("--preset", choices=sorted(PRESETS), required=True)
    p.add_argument("--out", type=Path, help="the run's folder (default: training/PRESET)")
    p.add_argument("--init", type=Path, help="a folder in the Stable Diffusion layout to start from")
    p.add_argument("--minutes", type=float, help="stop after this long and keep the state")
    p.add_argument("--only", help=f"comma-separated stages instead of all: {','.join(STAGES)}")
    p.add_argument("--device", help="default: cpu for the preset 'cpu', cuda for 'gpu'")
    p.add_argument("--precision", choices=sorted(FORMATS), help="number format (default: the preset's)")
    p.add_argument("--workers", type=int, help="processes that draw scenes (default: the cores, at most 16)")
    p.add_argument("--miniature", action="store_true", help="tiny sizes and a few steps: checks the recipe")
    for course in ("vae", "unet", "decoder"):
        p.add_argument(f"--{course}-steps", type=int, help=f"optimiser steps of the stage '{course}'")
        p.add_argument(f"--{course}-rate", type=float, help=f"learning rate of the stage '{course}'")
    p.add_argument("--unet-batch", type=int, help="latents of an optimiser step of the stage 'unet'")
    p.add_argument("--scenes", type=int, help="scenes kept as latents")
    p.add_argument("--pictures", type=int, help="scenes kept as pixels")
    return p


def prepare(options: argparse.Namespace) -> Run:
    """The run that ``options`` describe, its folder claimed for it."""
    wanted = chosen_preset(options)
    run = Run(
        folder=Path("training") / wanted.name if options.out is None else options.out,
        preset=wanted,
        precision=Precision(chosen_device(options), wanted.half),
        workers=min(16, os.cpu_count() or 1) if options.workers is None else options.workers,
        start_from=options.init,
    )
    run.claim()
    return run


def chosen_preset(options: argparse.Namespace) -> Preset:
    """The named preset with what the command line changes of it."""
    chosen = preset(options.preset)
    if options.miniature:
        chosen = miniature(chosen)
    if options.precision is not None:
        chosen = replace(chosen, half=FORMATS[options.precision])
    counts = {"scenes": options.scenes, "pictures": options.pictures}
    chosen = replace(chosen, **{name: count for name, count in counts.items() if count is not None})
    for course in ("vae", "unet", "decoder"):
        given = {key: getattr(options, f"{course}_{key}", None) for key in ("steps", "rate", "batch")}
        given = {key: value for key, value in given.items() if value is not None}
        field = f"{course}_course"
        chosen = replace(chosen, **{field: replace(getattr(chosen, field), **given)})
    return chosen


def chosen_device(options: argparse.Namespace) -> torch.device:
    name = options.device if options.device is not None else {"cpu": "cpu", "gpu": "cuda"}[options.preset]
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise RequestError(
            f"The preset '{options.preset}' trains on '{name}', and PyTorch finds no CUDA device here.",
            "Use --preset cpu, or --device cpu to try this preset slowly.",
        )
    return torch.device(name)


def stages(only: str | None) -> list[str]:
    """The stages to run, always in their proper order."""
    wanted = set(STAGES if only is None else only.split(","))
    unknown = sorted(wanted - set(STAGES))
    if unknown:
        raise RequestError(f"Unknown stages: {', '.join(unknown)}.", f"Choose from: {', '.join(STAGES)}.")
    return [stage for stage in STAGES if stage in wanted]


def deadline(minutes: float | None) -> float:
    return float("inf") if minutes is None else time.monotonic() + 60 * minutes


def watch(progress: Stage, until: float, stage: str) -> bool:
    """Print a stage's progress; False if time ran out before it was done."""
    started, first, heard = time.monotonic(), None, False
    for event in progress:
        first = event.done if first is None else first
        heard = True
        if event.text or event.done % LOG_EVERY == 0 or event.done == event.total:
            elapsed = time.monotonic() - started
            pace = f"{elapsed / max(1, event.done - first + 1):.2f} s each"
            print(f"{event.stage} {event.done}/{event.total}  {pace}  {event.text}".rstrip(), flush=True)
        if time.monotonic() > until and event.done < event.total:
            progress.close()
            return False
    if not heard:
        print(f"{stage}: done before", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
