"""Where benchmarks work: with the user's models, and nothing else of theirs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from palimpsest.settings import read_settings
from palimpsest.tasks.runner import RunnerOptions, TaskRunner, open_runner


@contextmanager
def scratch_runner(device: str | None, learning: Path | None = None) -> Iterator[TaskRunner]:
    """A task runner that remembers nothing from earlier runs and leaves nothing behind.

    ``device``: None = as the settings say. ``learning``: where the state of interrupted learning is kept.
    """
    settings = read_settings()
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as scratch:
        names = ("images", "concepts", "inversions", "learning", "weights_memory")
        folders: dict[str, Any] = {name: str(Path(scratch) / name) for name in names}
        if learning is not None:
            folders["learning"] = str(learning)
        chosen = RunnerOptions(
            models=str(settings.folders.models),
            model_folders=tuple(map(str, settings.model_folders)),
            **folders,
            paths_allowed=True,
            previews=False,
        )
        yield open_runner(settings.device if device is None else device, asdict(chosen))
