"""A picture from words alone: its bytes are the request's, and breaking off leaves the model as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from palimpsest.contract import DrawRequest, LearnRequest
from palimpsest.errors import ConceptNotFoundError
from palimpsest.jobs.events import Finished, Previewed, Progressed
from palimpsest.storage.pictures import read_picture
from palimpsest.tasks.runner import TaskRunner
from tiny_task import finish, picture

STEPS = 4


def drawn(runner: TaskRunner, request: DrawRequest) -> Finished:
    return finish(runner.do(request))


def learned(runner: TaskRunner, folder: Path) -> None:
    images = tuple(runner.images.put(picture(seed=seed)) for seed in range(3))
    lesson = LearnRequest("my-toy", images, "toy", steps=3, model=str(folder), accept_outliers=True)
    list(runner.do(lesson))


def test_a_learned_word_is_drawn_and_the_same_request_gives_the_same_bytes(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    learned(runner, sd1_folder)
    asked = DrawRequest("a photo of a <my-toy> on grass", str(sd1_folder), seed=5, steps=STEPS)
    first, again = drawn(runner, asked), drawn(runner, asked)
    assert first.artifacts == again.artifacts
    side = runner.models.get(str(sd1_folder)).native_size
    found = read_picture(runner.images.get(first.artifacts["picture"]))
    assert (found.size, found.pixels.shape[-1]) == ((side, side), 3)
    assert first.result["request"]["guidance"] == runner.models.get(str(sd1_folder)).guidance
    assert set(first.result["concepts"]) == {"<my-toy>"}
    for other in ({"seed": 6}, {"steps": STEPS + 1}, {"guidance": 1.0}, {"prompt": "a photo of grass"}):
        assert drawn(runner, replace(asked, **other)).artifacts != first.artifacts, other


def test_it_is_seen_as_it_forms_and_broken_off_between_two_steps(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    runner = replace(runner, previews=True)
    learned(runner, sd1_folder)
    model = runner.models.get(str(sd1_folder))
    tables = [part.encoder.get_input_embeddings() for part in model.text]
    told = []
    running = runner.do(DrawRequest("a <my-toy>", str(sd1_folder), steps=STEPS))
    for event in running:
        told.append(event)
        if isinstance(event, Progressed) and event.index == 2:
            break
    running.close()
    steps = [(e.phase, e.index, e.total) for e in told if isinstance(e, Progressed)]
    assert steps == [("sampling", 1, STEPS), ("sampling", 2, STEPS)]
    assert any(isinstance(event, Previewed) for event in told)
    assert all(part.encoder.get_input_embeddings() is t for part, t in zip(model.text, tables, strict=True))
    assert torch.is_grad_enabled()


def test_a_word_that_is_not_there_is_named_before_the_model_is_loaded(runner: TaskRunner) -> None:
    with pytest.raises(ConceptNotFoundError, match="nobody"):
        list(runner.do(DrawRequest("a <nobody>", "built-in")))
    assert runner.models.loaded == ""
