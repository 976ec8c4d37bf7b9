"""A request to learn from three small pictures, and how it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from palimpsest.contract import LearnRequest
from palimpsest.jobs.events import Finished, Progressed
from palimpsest.tasks.context import Workplace
from workplaces import picture

STEPS = 6


def request(place: Workplace, folder: Path, **changes: Any) -> LearnRequest:
    images = tuple(place.images.put(picture(seed=seed)) for seed in range(3))
    made = LearnRequest("my-toy", images, "toy", steps=STEPS, model=str(folder), accept_outliers=True)
    return replace(made, **changes)


def run(place: Workplace, made: LearnRequest) -> Finished:
    finished = list(place.do(made))[-1]
    assert isinstance(finished, Finished)
    return finished


def broken_off(place: Workplace, made: LearnRequest, at: int) -> None:
    events = place.do(made)
    for event in events:
        if isinstance(event, Progressed) and event.phase == "learning" and event.index == at:
            break
    events.close()  # pyright: ignore[reportAttributeAccessIssue]
