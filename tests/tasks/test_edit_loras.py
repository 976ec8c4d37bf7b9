"""With LoRAs: what is made has them, the photo's own path hasn't, and the recipe says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora_files import make
from palimpsest.contract import DrawRequest, EditRequest, LoraUse, from_json, to_json
from palimpsest.errors import LoraIncompatibleError, LoraNotFoundError, RequestError
from palimpsest.tasks.recipe import differences
from palimpsest.tasks.runner import TaskRunner
from tasks.edit_requests import STEPS, request, run
from tiny import tiny_model
from tiny_task import finish

TOY, HALF, NONE = LoraUse("toy"), LoraUse("toy", 0.5), LoraUse("toy", 0)


@pytest.fixture
def file(runner: TaskRunner) -> Path:
    """A LoRA where the runner looks for them."""
    place = runner.models.models.parent / "loras" / "toy.safetensors"
    return make(tiny_model("sd1"), "kohya").save(place)


def test_the_target_has_it_and_the_photo_stays_remembered_without(
    runner: TaskRunner, sd1_folder: Path, file: Path
) -> None:
    plain = run(runner, request(runner, sd1_folder))
    made = {use: run(runner, request(runner, sd1_folder, loras=(use,))) for use in (TOY, HALF, NONE)}
    assert len({done.artifacts["layer"] for done in (plain, made[TOY], made[HALF])}) == 3
    assert made[NONE].artifacts == plain.artifacts
    for done in made.values():
        assert done.result["remembered"], "the inversion is that of the photo without it"
        assert done.artifacts["reconstruction"] == plain.artifacts["reconstruction"]
        assert done.result["pixels_changed_outside"] == 0
    assert run(runner, request(runner, sd1_folder)).artifacts == plain.artifacts
    assert run(runner, request(runner, sd1_folder, loras=(TOY,))).artifacts == made[TOY].artifacts


def test_the_recipe_names_the_file_and_a_changed_one_is_told(
    runner: TaskRunner, sd1_folder: Path, file: Path
) -> None:
    recipe = run(runner, request(runner, sd1_folder, loras=(HALF,))).result["recipe"]
    assert from_json(EditRequest, recipe["request"]).loras == (HALF,)
    assert differences(recipe, runner) == []
    make(tiny_model("sd1"), "kohya", seed=9).save(file)
    assert differences(recipe, runner) == ["the LoRA toy is another file than then"]
    file.unlink()
    with pytest.raises(LoraNotFoundError, match="no LoRA called 'toy'"):
        differences(recipe, runner)


def test_a_drawing_has_it(runner: TaskRunner, sd1_folder: Path, file: Path) -> None:
    asked = [
        DrawRequest("a photo of a cat on grass", str(sd1_folder), steps=STEPS, loras=loras)
        for loras in ((), (TOY,), (TOY,), (NONE,))
    ]
    plain, one, again, none = (finish(runner.do(each)) for each in asked)
    assert one.artifacts == again.artifacts != plain.artifacts == none.artifacts
    assert list(one.result["loras"]) == ["toy"]
    assert "loras" not in plain.result


def test_what_cant_be_used_is_refused_before_a_model_is_loaded(
    runner: TaskRunner, sd1_folder: Path, file: Path
) -> None:
    make(tiny_model("sdxl"), "kohya").save(file.with_name("large.safetensors"))
    file.with_name("old.pt").write_bytes(b"\x80\x04")
    for used, error, said in (
        (("none",), LoraNotFoundError, "There are: large, toy"),
        (("large",), LoraIncompatibleError, "The LoRA large was made for .* is sd1"),
        (("toy", "toy"), RequestError, "named twice"),
        (("old",), Exception, "pickle"),
    ):
        loras = tuple(LoraUse(name) for name in used)
        with pytest.raises(error, match=said):
            run(runner, request(runner, sd1_folder, loras=loras))
        assert runner.models.loaded == ""
    with pytest.raises(RequestError, match=r"strength is 3(\.0)?; it can be -2 to 2"):
        from_json(
            EditRequest, {**to_json(request(runner, sd1_folder)), "loras": [{"name": "a", "strength": 3}]}
        )
