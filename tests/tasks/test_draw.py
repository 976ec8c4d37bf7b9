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
from palimpsest.tasks.context import Workplace
from workplaces import picture

STEPS = 4


def drawn(place: Workplace, request: DrawRequest) -> Finished:
    finished = list(place.do(request))[-1]
    assert isinstance(finished, Finished)
    return finished


def learned(place: Workplace, folder: Path) -> None:
    images = tuple(place.images.put(picture(seed=seed)) for seed in range(3))
    lesson = LearnRequest("my-toy", images, "toy", steps=3, model=str(folder), accept_outliers=True)
    list(place.do(lesson))


def test_a_learned_word_is_drawn_and_the_same_request_gives_the_same_bytes(
    place: Workplace, sd1_folder: Path
) -> None:
    learned(place, sd1_folder)
    asked = DrawRequest("a photo of a <my-toy> on grass", str(sd1_folder), seed=5, steps=STEPS)
    first, again = drawn(place, asked), drawn(place, asked)
    assert first.artifacts == again.artifacts
    side = place.models.get(str(sd1_folder)).native_size
    found = read_picture(place.images.get(first.artifacts["picture"]))
    assert (found.size, found.pixels.shape[-1]) == ((side, side), 3)
    assert first.result["request"]["guidance"] == place.models.get(str(sd1_folder)).guidance
    assert set(first.result["concepts"]) == {"<my-toy>"}
    for other in ({"seed": 6}, {"steps": STEPS + 1}, {"guidance": 1.0}, {"prompt": "a photo of grass"}):
        assert drawn(place, replace(asked, **other)).artifacts != first.artifacts, other


def test_it_is_seen_as_it_forms_and_broken_off_between_two_steps(place: Workplace, sd1_folder: Path) -> None:
    place = replace(place, previews=True)
    learned(place, sd1_folder)
    model = place.models.get(str(sd1_folder))
    tables = [part.encoder.get_input_embeddings() for part in model.text]
    told = []
    running = place.do(DrawRequest("a <my-toy>", str(sd1_folder), steps=STEPS))
    for event in running:
        told.append(event)
        if isinstance(event, Progressed) and event.index == 2:
            break
    running.close()  # pyright: ignore[reportAttributeAccessIssue]
    steps = [(e.phase, e.index, e.total) for e in told if isinstance(e, Progressed)]
    assert steps == [("sampling", 1, STEPS), ("sampling", 2, STEPS)]
    assert any(isinstance(event, Previewed) for event in told)
    assert all(part.encoder.get_input_embeddings() is t for part, t in zip(model.text, tables, strict=True))
    assert torch.is_grad_enabled()


def test_a_word_that_is_not_there_is_named_before_the_model_is_loaded(place: Workplace) -> None:
    with pytest.raises(ConceptNotFoundError, match="nobody"):
        list(place.do(DrawRequest("a <nobody>", "built-in")))
    assert place.models.loaded == ""
