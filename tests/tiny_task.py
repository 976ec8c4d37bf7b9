"""A task runner with a tiny model, a picture and a selection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from palimpsest.jobs.events import Event, Finished
from palimpsest.storage.png import encode
from palimpsest.tasks.runner import RunnerOptions, TaskRunner, open_runner

SHOWS = "a photo of a cat on grass"


def new_runner(folder: Path) -> TaskRunner:
    """On the processor, with stores of its own below ``folder``."""
    names = ("models", "images", "concepts", "inversions", "learning")
    folders = (str(folder / name) for name in names)
    memory = str(folder / "hashes.json")
    chosen = RunnerOptions(*folders, weights_memory=memory, paths_allowed=True, previews=False)
    return open_runner("cpu", asdict(chosen))


def finish(events: Iterable[Event]) -> Finished:
    """A job to its end, which is what it returns."""
    *_, last = events
    assert isinstance(last, Finished)
    return last


def picture(width: int = 72, height: int = 88, seed: int = 0, depth: type[np.integer] = np.uint8) -> bytes:
    """A smooth coloured picture of an odd size as a PNG."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width] / max(width, height)
    waves = [np.sin(6 * (rows * a + columns * b) + c) for a, b, c in rng.uniform(0, 3, (3, 3))]
    top = np.iinfo(depth).max
    return encode(np.round((np.stack(waves, axis=-1) + 1) / 2 * top).astype(depth))


def selection(width: int = 72, height: int = 88) -> bytes:
    """A disc that touches the left border."""
    rows, columns = np.mgrid[0:height, 0:width]
    inside = (rows - 40) ** 2 + (columns - 12) ** 2 < 20**2
    return encode(np.where(inside, 255, 0).astype(np.uint8))
