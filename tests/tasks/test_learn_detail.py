"""A word is learned with detail, kept, gone on with and used like any other; what it decides is recorded."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from palimpsest.contract import DrawRequest, EditRequest, InversionSettings, LearnRequest
from palimpsest.core.adapters import Adapters, first_adapters
from palimpsest.core.concept import Concept
from palimpsest.core.learning.learn import LearningStep
from palimpsest.core.learning.settings import AdapterSettings, LearnSettings
from palimpsest.core.learning.state import LearningState
from palimpsest.core.steps import Steps
from palimpsest.storage.concept_card import Provenance
from palimpsest.tasks import learn as tasks_learn
from palimpsest.tasks.inversions import concept_hashes, rows_hashes
from palimpsest.tasks.recipe import differences
from palimpsest.tasks.runner import TaskRunner
from tasks.learn_requests import STEPS, broken_off, run
from tiny_task import picture, selection


def request(runner: TaskRunner, folder: Path, **changes: Any) -> LearnRequest:
    images = tuple(runner.images.put(picture(seed=seed)) for seed in range(3))
    made = LearnRequest(
        "my-toy", images, "toy", detail=True, steps=STEPS, model=str(folder), accept_outliers=True
    )
    return replace(made, **changes)


def adapters_of(runner: TaskRunner, name: str = "my-toy") -> Adapters:
    found = runner.concepts.load(name).adapters
    assert found is not None
    return found


def test_it_is_kept_whole_with_how_it_was_learned(runner: TaskRunner, sd1_folder: Path) -> None:
    settings = LearnSettings(adapters=AdapterSettings())
    result = run(runner, request(runner, sd1_folder)).result
    card = runner.concepts.card("my-toy")
    assert settings.adapters is not None
    assert (result["detail"], card.rank) == (True, settings.adapters.rank)
    assert result["rows_hash"] == card.rows_hash
    assert card.provenance.settings["adapters"]["rank"] == card.rank
    assert any(part.up.abs().max() > 0 for part in adapters_of(runner).parts.values())


def test_without_detail_all_is_as_it_was(runner: TaskRunner, sd1_folder: Path) -> None:
    result = run(runner, request(runner, sd1_folder, detail=False)).result
    card, concept = runner.concepts.card("my-toy"), runner.concepts.load("my-toy")
    assert (result["detail"], card.rank, concept.adapters) == (False, None, None)
    assert set(card.provenance.settings) == {"vectors", "masks", "cutouts"}
    assert concept_hashes(concept) == rows_hashes(concept)


def test_an_interrupted_run_goes_on_and_ends_in_the_same_word(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder)
    whole = run(runner, made).result
    runner.concepts.remove("my-toy")
    broken_off(runner, made, 3)
    assert run(runner, made).result["rows_hash"] == whole["rows_hash"]
    broken_off(runner, replace(made, replace=True), 5)
    result = run(runner, replace(made, finish=True, replace=True)).result
    assert (result["steps"], result["detail"]) == (5, True)
    assert adapters_of(runner).rank == runner.concepts.card("my-toy").rank


def test_quick_and_detail_are_two_runs(runner: TaskRunner, sd1_folder: Path) -> None:
    broken_off(runner, request(runner, sd1_folder), 3)
    quick = request(runner, sd1_folder, detail=False)
    assert run(runner, quick).result["steps"] == STEPS
    assert len(list(runner.learning.glob("*"))) == 1, "the other still waits"


def test_it_is_learned_on_with_detail_whatever_is_asked(runner: TaskRunner, sd1_folder: Path) -> None:
    run(runner, request(runner, sd1_folder))
    before = concept_hashes(runner.concepts.load("my-toy"))
    result = run(runner, request(runner, sd1_folder, name="our-toy", start="my-toy", detail=False)).result
    assert (result["detail"], result["start"]["rows"]) == (True, before)
    assert runner.concepts.card("our-toy").rank == runner.concepts.card("my-toy").rank


@pytest.mark.parametrize("layers", ["all", "cross", "some"])
def test_how_it_was_learned_tells_the_adapters_that_it_has(
    runner: TaskRunner, sd1_folder: Path, layers: str
) -> None:
    """A word that is learned on keeps those it came with, of whatever rank and layers."""
    unet = runner.models.get(str(sd1_folder)).network
    given = first_adapters(unet, 3, "cross" if layers == "cross" else "all", 0)
    if layers == "some":
        given = Adapters(dict(list(given.parts.items())[:3]), given.alpha)
    rows = (torch.randn(2, 24, generator=torch.Generator().manual_seed(5)) * 0.1,)
    concept = Concept("<their-toy>", rows, "sd1", "subject", "toy", given)
    runner.concepts.save(concept, Provenance("imported"))
    run(runner, request(runner, sd1_folder, start="their-toy"))
    card, settings = runner.concepts.card("my-toy"), LearnSettings(adapters=AdapterSettings())
    assert settings.adapters is not None
    told = card.provenance.settings["adapters"]
    assert (told["rank"], told["layers"], told["rate"]) == (3, layers, settings.adapters.rate)
    assert card.rank == 3


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(("took", "expected"), [(0.0, 33), (0.5, 20), (10.0, 2)])
def test_the_state_is_kept_less_often_where_that_takes_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, took: float, expected: int
) -> None:
    """In 200 steps of a second: every few seconds, but for no more than a twentieth of the time."""
    clock, written = Clock(), []

    def write(file: Path, state: LearningState) -> None:
        written.append(state.step)
        clock.now += took

    def steps() -> Steps[None]:
        rows = (torch.zeros(1, 4),)
        for step in range(1, 201):
            clock.now += 1.0
            state = LearningState(step, rows, rows, rows, rows, 0, (1.0,))
            yield LearningStep("learn", step, 200, state=state)

    monkeypatch.setattr(tasks_learn, "time", clock)
    monkeypatch.setattr(tasks_learn, "write_state", write)
    for _ in tasks_learn.saving(steps(), tmp_path / "state"):
        pass
    assert len(written) == expected
    assert all(later - step > 5 for step, later in pairwise(written))


def test_what_is_made_with_it_names_its_adapters(runner: TaskRunner, sd1_folder: Path) -> None:
    run(runner, request(runner, sd1_folder))
    wanted = EditRequest(
        runner.images.put(picture(seed=5)),
        "replace",
        "a photo of a cat",
        "a photo of a <my-toy>",
        selection=runner.images.put(selection()),
        model=str(sd1_folder),
        inversion=InversionSettings(steps=3),
    )
    drawing = DrawRequest("a photo of a <my-toy>", model=str(sd1_folder), steps=2)
    recipe, drawn = run_any(runner, wanted).result["recipe"], run_any(runner, drawing)
    hashes = concept_hashes(runner.concepts.load("my-toy"))
    assert recipe["concepts"] == drawn.result["concepts"] == {"<my-toy>": hashes}
    assert run_any(runner, wanted).result["recipe"] == recipe
    assert run_any(runner, drawing).artifacts == drawn.artifacts
    assert differences(recipe, runner) == []
    concept, adapters = runner.concepts.load("my-toy"), adapters_of(runner)
    other = replace(concept, adapters=adapters.with_tensors([t + 0.5 for t in adapters.tensors]))
    kept = runner.concepts.pictures("my-toy")
    runner.concepts.save(other, Provenance(), replace=True, pictures=kept)
    assert len(differences(recipe, runner)) == 1
    assert run_any(runner, drawing).artifacts != drawn.artifacts


def test_a_remembered_photo_is_the_same_with_them_and_without(runner: TaskRunner, sd1_folder: Path) -> None:
    """An inversion knows a concept's rows alone: its key says nothing of the adapters."""
    run(runner, request(runner, sd1_folder))
    concept = runner.concepts.load("my-toy")
    image, wanted = runner.images.put(picture(seed=5)), []
    for adapters in (concept.adapters, None):
        runner.concepts.save(replace(concept, adapters=adapters), Provenance(), replace=True)
        wanted.append(
            run_any(
                runner,
                EditRequest(
                    image,
                    "restyle",
                    "a photo of a <my-toy>",
                    "a painting of a <my-toy>",
                    model=str(sd1_folder),
                    inversion=InversionSettings(steps=3),
                ),
            )
        )
    assert [made.result["remembered"] for made in wanted] == [False, True]
    with_them, without = wanted
    assert with_them.artifacts["reconstruction"] == without.artifacts["reconstruction"]
    assert with_them.artifacts["layer"] != without.artifacts["layer"]


def run_any(runner: TaskRunner, made: Any) -> Any:
    return list(runner.do(made))[-1]
