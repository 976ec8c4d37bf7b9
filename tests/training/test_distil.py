"""The recipe of the model of few steps: it learns, goes on where it stopped, and draws."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from palimpsest.core.count import counted
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.families import load, read_spec
from palimpsest.training import distil
from palimpsest.training.layout import load as load_parts
from palimpsest.training.precision import Precision


def test_the_loss_falls_on_what_is_learned(tmp_path: Path) -> None:
    course = distil.Course(steps=6, batch=2, scenes=4)
    pupil, precision = distil.Pupil.of(load_parts(distil.TEACHER)), Precision(torch.device("cpu"))
    lesson = distil.read_lesson(tmp_path, pupil.teacher, course, precision)
    optimizer = torch.optim.AdamW(pupil.student.parameters(), 1e-4)
    losses = []
    for _ in range(6):  # the same batch each time: the step's number draws it
        loss = distil.consistency_loss(pupil, lesson, step=0)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_levels_are_those_of_two_four_and_eight_steps() -> None:
    levels = distil.trailing(1000).tolist()
    for steps in (2, 4, 8, 16):
        assert set(levels) >= {round(1000 - 1000 * i / steps) - 1 for i in range(steps)}


def test_a_run_goes_on_and_leaves_a_model_of_four_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--out", str(tmp_path), "--scenes", "4", "--batch", "2", "--steps"]
    assert distil.main([*run, "1", "--minutes", "0"]) == 0
    capsys.readouterr()
    assert distil.main([*run, "2"]) == 0
    assert "distil 2/2" in capsys.readouterr().out
    folder = tmp_path / "model"
    spec, model = read_spec(folder), load(folder, "cpu")
    assert (spec.steps, spec.guidance, spec.sampler) == (4, 1.0, "consistency")
    assert model.process.levels(4) == (999, 749, 499, 249)
    with concepts_installed(model, []) as words, counted(model) as count:
        prompts = [words.parse("a photo of a red ball")]
        made = finish(draw(model, words, prompts, start_noise(model, 0), 1.0, 4))
    assert count.evaluations == 4
    assert made.isfinite().all()
