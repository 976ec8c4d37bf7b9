"""With less of a model on the card it gives the same, and where memory runs out, that is what is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from palimpsest.contract import DescribeRequest, DrawRequest, EditRequest, InversionSettings, LearnRequest
from palimpsest.core.model import DiffusionModel
from palimpsest.errors import OutOfMemoryError, RequestError
from palimpsest.jobs.events import Finished
from palimpsest.models.families import load
from palimpsest.models.plan import HIGH, LOW, MEDIUM, PLANS, Plan, smaller
from palimpsest.models.pool import ModelPool, plan_of
from palimpsest.settings import read_memory
from palimpsest.tasks.recipe import differences
from palimpsest.tasks.runner import TASKS, TaskRunner
from tiny import tiny_folder
from tiny_task import SHOWS, finish, picture, selection

CARD = torch.device("meta")


class Card(ModelPool):
    """On the processor, which stands for a card: it can save memory."""

    def save_memory(self) -> bool:
        self.device = CARD
        saved = super().save_memory()
        self.device = torch.device("cpu")
        return saved


def on_card(runner: TaskRunner, plan: Plan = HIGH) -> TaskRunner:
    before = runner.models
    runner.models = Card(before.models, before.device, before.memory, before.paths_allowed, plan=plan)
    return runner


def an_edit(runner: TaskRunner, model: Path) -> EditRequest:
    return EditRequest(
        image=runner.images.put(picture()),
        operation="replace",
        source_prompt=SHOWS,
        target_prompt="a photo of a dog on grass",
        selection=runner.images.put(selection()),
        model=str(model),
        inversion=InversionSettings(steps=3),
    )


def layer_of(runner: TaskRunner, model: Path, plan: Plan) -> tuple[np.ndarray, dict[str, Any]]:
    from palimpsest.storage.pictures import read_picture

    on_card(runner, plan)
    done = finish(runner.do(an_edit(runner, model)))
    content = runner.images.get(done.artifacts["composite"])
    return read_picture(content, runner.limits).pixels.astype(int), done.result


@pytest.mark.parametrize("plan", [MEDIUM, LOW])
def test_an_edit_is_the_same_within_a_level(
    family: str, plan: Plan, runner: TaskRunner, tmp_path: Path
) -> None:
    folder = tiny_folder(tmp_path / "m", family)
    whole, _ = layer_of(runner, folder, HIGH)
    runner.inversions.clear()
    spared, result = layer_of(runner, folder, plan)
    assert np.abs(whole - spared).max() <= 1
    assert result["pixels_changed_outside"] == 0
    model = runner.models.get(str(folder))
    assert model.striped
    assert model.learning.quick.at_once == 1


def test_a_word_is_learned_with_less(runner: TaskRunner, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "sdxl")
    images = tuple(runner.images.put(picture(96, 96, seed)) for seed in range(3))
    losses = []
    for plan in (HIGH, MEDIUM):
        on_card(runner, plan)
        request = LearnRequest(
            f"toy-{plan.name}", images, "ball", model=str(folder), steps=4, accept_outliers=True
        )
        losses.append(finish(runner.do(request)).result["loss"]["best"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a model that is striped has enough memory to decode."""
    decode = DiffusionModel.decode

    def short(model: DiffusionModel, z: torch.Tensor) -> torch.Tensor:
        if not model.striped:
            raise torch.OutOfMemoryError("out of memory")
        return decode(model, z)

    monkeypatch.setattr(DiffusionModel, "decode", short)


@pytest.mark.usefixtures("_short")
def test_a_card_that_is_short_is_answered_by_the_next_smaller_plan(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    on_card(runner)
    done = finish(runner.do(an_edit(runner, sd1_folder)))
    assert runner.models.plan == MEDIUM
    assert "less of the model was kept on it" in done.result["notices"][-1]
    assert "memory-saved" in str(done.result["texts"]["notices"][-1])
    assert len(done.result["notices"]) == len(done.result["texts"]["notices"])
    again = finish(runner.do(an_edit(runner, sd1_folder)))
    assert "memory-saved" not in str(again.result["texts"]), "it is said of the job that it happened to"


@pytest.mark.usefixtures("_short")
def test_where_nothing_can_be_saved_it_is_an_error(runner: TaskRunner, sd1_folder: Path) -> None:
    with pytest.raises(OutOfMemoryError):  # the processor's memory isn't saved so
        finish(runner.do(an_edit(runner, sd1_folder)))
    on_card(runner, MEDIUM)
    request = DrawRequest(SHOWS, model=str(sd1_folder), steps=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiffusionModel, "decode", _never)
        with pytest.raises(OutOfMemoryError):
            finish(runner.do(request))
    assert runner.models.plan == LOW


@pytest.mark.usefixtures("_short")
def test_another_model_is_loaded_as_a_whole_again(
    runner: TaskRunner, sd1_folder: Path, tmp_path: Path
) -> None:
    on_card(runner)
    finish(runner.do(an_edit(runner, sd1_folder)))
    assert runner.models.plan == MEDIUM
    assert not runner.models.get(str(tiny_folder(tmp_path / "m", "sd2"))).striped
    assert runner.models.get(str(sd1_folder)).striped, "its memory ran out"


def test_learning_goes_down_to_the_least(runner: TaskRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    on_card(runner, MEDIUM)
    monkeypatch.setitem(TASKS, LearnRequest, _out_of_memory)
    with pytest.raises(OutOfMemoryError):
        finish(runner.do(LearnRequest("toy", ("0" * 64,) * 3, "ball")))
    assert runner.models.plan == LOW


def test_the_model_makes_way_for_describing_and_keeps_its_plan(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_card(runner).models.get(str(sd1_folder))
    tried = []

    def describe(*_: object) -> Iterator[Finished]:
        tried.append(runner.models.loaded)
        if runner.models.loaded:
            raise OutOfMemoryError("Memory ran out.")
        yield Finished({}, {})

    monkeypatch.setitem(TASKS, DescribeRequest, describe)
    assert finish(runner.do(DescribeRequest("0" * 64))).result == {}, "nothing is said of less of the model"
    assert tried == [str(sd1_folder), ""]
    assert runner.models.plan == HIGH


def test_a_recipe_says_of_stripes_and_a_replay_what_differs(runner: TaskRunner, sd1_folder: Path) -> None:
    recipes = []
    for plan in (HIGH, LOW):
        on_card(runner, plan)
        recipes.append(finish(runner.do(an_edit(runner, sd1_folder))).result["recipe"])
    assert differences(recipes[1], runner) == []
    assert differences(recipes[0], runner) == ["model autoencoder was whole, is in stripes"]
    on_card(runner, HIGH)
    assert differences(recipes[0], runner) == []
    assert differences(recipes[1], runner) == ["model autoencoder was in stripes, is whole"]


def _out_of_memory(*_: object) -> Iterator[Finished]:
    raise OutOfMemoryError("Memory ran out.")
    yield


def _never(*_: object) -> None:
    raise torch.OutOfMemoryError("out of memory")


def test_plans_follow_each_other_down_to_the_least() -> None:
    assert [smaller(plan) for plan in PLANS] == [MEDIUM, LOW, None]


def test_the_setting_forces_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_MEMORY", "low")
    assert plan_of(CARD) == (LOW, None)
    assert plan_of(torch.device("cpu")) == (HIGH, None)
    with pytest.raises(RequestError, match="auto, high, medium, low"):
        read_memory({"PALIMPSEST_MEMORY": "lots"})


@pytest.mark.parametrize("plan", PLANS)
def test_what_stays_is_on_the_card_and_the_rest_is_not(plan: Plan, sd1_folder: Path) -> None:
    model = load(sd1_folder, CARD, plan=plan)
    places = [model.network.module, model.vae, model.text[0].encoder]
    stays = [next(network.parameters()).device == CARD for network in places]
    assert stays == [plan.network, plan.vae, plan.text]
    assert model.device == CARD


def test_the_plan_follows_from_what_is_free(sd1_folder: Path, tmp_path: Path) -> None:
    pools = {
        free: ModelPool(tmp_path, torch.device("cpu"), paths_allowed=True, free=lambda free=free: free)
        for free in (6 << 30, 5 << 29, 1 << 30)
    }
    for each in pools.values():
        each.get(str(sd1_folder))
    assert [each.plan for each in pools.values()] == [HIGH, MEDIUM, LOW]
