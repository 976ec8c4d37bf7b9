"""A request to learn from three small pictures, and how it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from palimpsest.contract import LearnRequest
from palimpsest.jobs.events import Finished, Progressed
from palimpsest.tasks.runner import TaskRunner
from tiny_task import finish, picture

STEPS = 6


def request(runner: TaskRunner, folder: Path, **changes: Any) -> LearnRequest:
    images = tuple(runner.images.put(picture(seed=seed)) for seed in range(3))
    made = LearnRequest("my-toy", images, "toy", steps=STEPS, model=str(folder), accept_outliers=True)
    return replace(made, **changes)


def run(runner: TaskRunner, made: LearnRequest) -> Finished:
    return finish(runner.do(made))


def broken_off(runner: TaskRunner, made: LearnRequest, at: int) -> None:
    events = runner.do(made)
    for event in events:
        if isinstance(event, Progressed) and event.phase == "learning" and event.index == at:
            break
    events.close()
