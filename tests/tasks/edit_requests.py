"""A request of each operation on a small picture, and how it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from palimpsest.contract import EditRequest, InversionSettings
from palimpsest.jobs.events import Finished, Progressed
from palimpsest.tasks.runner import TaskRunner
from tiny_task import SHOWS, finish, picture, selection

STEPS = 4
OPERATIONS: dict[str, dict[str, Any]] = {
    "replace": {"target_prompt": "a photo of a dog on grass"},
    "insert": {"target_prompt": "a photo of a cat with a hat on grass"},
    "restyle": {"target_prompt": "an oil painting of a cat on grass"},
    "remove": {"target_prompt": "a photo of grass"},
    "reweight": {"target_prompt": "", "weights": {"cat": 2.0}},
}


def request(runner: TaskRunner, folder: Path, **changes: Any) -> EditRequest:
    made = EditRequest(
        image=runner.images.put(picture()),
        selection=runner.images.put(selection()),
        operation="replace",
        source_prompt=SHOWS,
        target_prompt="a photo of a dog on grass",
        model=str(folder),
        inversion=InversionSettings(steps=STEPS, guidance=3.0),
    )
    return replace(made, **changes)


def run(runner: TaskRunner, made: EditRequest) -> Finished:
    *progress, last = runner.do(made)
    assert all(isinstance(event, Progressed) for event in progress)
    return finish([last])
