"""Learning a word moves that word and nothing else, the same way every time, and survives interruption."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from core.learning.lessons import LESSON, QUICK, parameters, run, some_views
from palimpsest.core.concept import Concept
from palimpsest.core.editing.draw import start_noise
from palimpsest.core.learning import learn as learning
from palimpsest.core.learning.draws import TRAINING, Draws
from palimpsest.core.learning.learn import LearningStep, Start, first_rows, learn, sentences
from palimpsest.core.learning.optimiser import Optimiser, rate, within_norms
from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.state import LearningState
from palimpsest.core.learning.stopping import Dvar
from palimpsest.core.learning.views import View
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest.errors import ConceptIncompatibleError, RequestError
from tiny import ddpm_of, tiny_model


def test_only_the_new_rows_move(model: DiffusionModel) -> None:
    before = [tensor.clone() for tensor in parameters(model)]
    tables = [part.encoder.get_input_embeddings() for part in model.text]
    learned = finish(learn(model, some_views(model), LESSON, QUICK))
    assert all(torch.equal(a, b) for a, b in zip(before, parameters(model), strict=True))
    assert all(p.encoder.get_input_embeddings() is t for p, t in zip(model.text, tables, strict=True))
    modules = (model.network.module, model.vae)
    assert all(tensor.grad is None for module in modules for tensor in module.parameters())
    for part, row, first in zip(
        model.text, learned.concept.rows, first_rows(model, LESSON, QUICK), strict=True
    ):
        assert row.shape == (2, part.width)
        assert row.dtype == torch.float32
        assert not row.requires_grad
        assert (row != first).any(dim=1).all(), "a vector of an encoder was not trained"


@pytest.mark.parametrize("way", ["closed early", "thrown out"])
def test_an_interrupted_run_leaves_the_model_as_it_was(model: DiffusionModel, way: str) -> None:
    tables = [part.encoder.get_input_embeddings() for part in model.text]
    steps = learn(model, some_views(model), LESSON, QUICK)
    next(steps)
    if way == "closed early":
        steps.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            steps.throw(KeyboardInterrupt())
    assert all(p.encoder.get_input_embeddings() is t for p, t in zip(model.text, tables, strict=True))


def test_every_step_is_told_with_total_and_loss() -> None:
    model = tiny_model("sd1")
    steps = list(learn(model, some_views(model), LESSON, QUICK))
    assert [(step.phase, step.index, step.total) for step in steps] == [("learn", i + 1, 5) for i in range(5)]
    assert all(step.loss is not None and np.isfinite(step.loss) for step in steps)


def test_a_look_at_the_word_on_the_way_changes_nothing_of_it(model: DiffusionModel) -> None:
    views, wishes = some_views(model), iter([False, True, False, True, False])
    steps, seen = learn(model, views, LESSON, QUICK, look=lambda: next(wishes)), []
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            learned = stop.value
            break
        if step.z0 is not None:
            seen.append((step.index, step.z0))
    assert [index for index, _ in seen] == [2, 4]
    assert seen[0][1].shape == start_noise(model, 0).shape
    assert not torch.equal(seen[0][1], seen[1][1]), "the word has changed, and so must its picture"
    assert all(torch.equal(a, b) for a, b in zip(learned.concept.rows, run(model), strict=True))


def test_the_exam_loss_falls_and_its_best_rows_are_kept() -> None:
    """The tiny networks are random, but their loss depends on the prompt, so it can be lowered."""
    model = tiny_model("sd1")
    settings = replace(QUICK, steps=16, exam_every=1, rate=0.3, norms=(0.1, 10.0))
    states = [
        step.state
        for step in learn(model, some_views(model, ((64, 64),)), LESSON, settings)
        if isinstance(step, LearningStep) and step.state is not None
    ]
    final = states[-1]
    assert min(final.exams) < final.exams[0]
    assert final.exams[final.best_step] == min(final.exams)
    kept = states[final.best_step - 1].rows
    assert all(torch.equal(a, b) for a, b in zip(final.best, kept, strict=True))


def test_a_word_is_learned_on_from_its_rows_by_other_draws(model: DiffusionModel) -> None:
    views = some_views(model)
    once = finish(learn(model, views, LESSON, QUICK)).concept
    more = Start(once, QUICK.steps)
    steps = list(learn(model, views, LESSON, QUICK, more=more))
    states = [step.state for step in steps if isinstance(step, LearningStep)]
    first = states[0]
    assert first is not None
    moved = max(float((a - b).abs().max()) for a, b in zip(first.rows, once.rows, strict=True))
    apart = max(float((a - b).abs().max()) for a, b in zip(first.rows, run(model), strict=True))
    assert moved > 0, "a step is taken"
    unit = max(float(row.square().mean().sqrt()) for row in first_rows(model, LESSON, QUICK))
    assert moved <= 1.001 * rate(QUICK, 1) * unit, "from where the word was"
    assert apart == moved
    again = finish(learn(model, views, LESSON, QUICK, more=more)).concept
    assert all(torch.equal(a, b) for a, b in zip(finish_rows(states), again.rows, strict=True))
    anew = finish(learn(model, views, LESSON, QUICK, more=Start(once))).concept
    assert any(not torch.equal(a, b) for a, b in zip(anew.rows, again.rows, strict=True))


def finish_rows(states: Sequence[LearningState | None]) -> tuple[Tensor, ...]:
    last = states[-1]
    assert last is not None
    return last.best


def test_learning_on_never_gives_a_worse_word_than_it_began_with() -> None:
    """By the exam: steps that are far too large make it worse, so none of them is kept."""
    model = tiny_model("sd1")
    wild = replace(QUICK, rate=500.0, norms=(0.1, 100.0))
    once = finish(learn(model, some_views(model), LESSON, replace(QUICK, steps=16, exam_every=1))).concept
    learned = finish(learn(model, some_views(model), LESSON, wild, more=Start(once, 16)))
    assert learned.exams[0] == min(learned.exams)
    assert learned.best_step == 0
    assert all(torch.equal(a, b) for a, b in zip(learned.concept.rows, once.rows, strict=True))


def test_a_word_of_another_model_is_not_learned_on() -> None:
    other = finish(learn(tiny_model("sdxl"), some_views(tiny_model("sdxl")), LESSON, QUICK)).concept
    model = tiny_model("sd1")
    with pytest.raises(ConceptIncompatibleError, match="sdxl"):
        next(learn(model, some_views(model), LESSON, QUICK, more=Start(other)))


def test_the_norms_of_a_word_from_elsewhere_are_let_be() -> None:
    start = torch.ones(2, 4)
    begin = torch.tensor([[9.0] * 4, [0.01] * 4])
    assert torch.allclose(within_norms(begin, start, (0.8, 1.25), begin), begin)
    assert torch.allclose(within_norms(10 * begin, start, (0.8, 1.25), begin)[0], begin[0])


def test_learning_starts_from_the_class_noun(model: DiffusionModel) -> None:
    """With one vector, the new word means exactly what the noun means before the first step."""
    lesson = replace(LESSON, vectors=1)
    concept = Concept("<toy>", first_rows(model, lesson, QUICK), model.family)
    with concepts_installed(model, [concept]) as vocabulary:
        ours = vocabulary.encode([vocabulary.parse("a photo of a <toy> on grass")])
        theirs = vocabulary.encode([vocabulary.parse("a photo of a cat on grass")])
    assert torch.equal(ours.context, theirs.context)
    if ours.pooled is not None and theirs.pooled is not None:
        assert torch.equal(ours.pooled, theirs.pooled)


def test_norms_stay_near_the_vocabulary() -> None:
    model = tiny_model("sdxl")
    settings = replace(QUICK, rate=3.0, steps=8)
    start = first_rows(model, LESSON, settings)
    for step in learn(model, some_views(model), LESSON, settings):
        assert isinstance(step, LearningStep)
        assert step.state is not None
        for row, first in zip(step.state.rows, start, strict=True):
            ratio = row.norm(dim=1) / first.norm(dim=1)
            assert float(ratio.min()) >= 0.8 - 1e-5
            assert float(ratio.max()) <= 1.25 + 1e-5


def test_the_norm_bound_is_a_projection() -> None:
    start = torch.eye(3)
    rows = torch.tensor([[0.1, 0.0, 0.0], [0.0, 1.1, 0.0], [3.0, 0.0, 4.0]])
    bounded = within_norms(rows, start, (0.8, 1.25))
    expected = torch.tensor([[0.8, 0.0, 0.0], [0.0, 1.1, 0.0], [0.75, 0.0, 1.0]])
    assert torch.allclose(bounded, expected)
    assert torch.allclose(within_norms(bounded, start, (0.8, 1.25)), bounded)


def test_the_same_seed_gives_the_same_word_and_another_seed_another() -> None:
    model = tiny_model("sd1")
    first, second = run(model), run(model)
    other = run(model, lesson=replace(LESSON, seed=4))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_new_process_learns_the_same_word(tmp_path: Path) -> None:
    program = (
        "import sys, json, torch; sys.path[:0] = json.loads(sys.argv[1]); torch.set_num_threads(1)\n"
        "from tiny import ddpm_of, tiny_model; from core.learning.lessons import run\n"
        "print(json.dumps([row.tolist() for row in run(tiny_model('sd1'))]))"
    )
    tests = Path(__file__).parents[2]
    paths = json.dumps([str(tests), str(tests.parent / "backend")])
    command = [sys.executable, "-c", program, paths]
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=dict(os.environ))
    assert json.loads(done.stdout) == [row.tolist() for row in run(tiny_model("sd1"))]


def test_a_resumed_run_equals_an_uninterrupted_one(model: DiffusionModel) -> None:
    whole = finish(learn(model, some_views(model), LESSON, QUICK))
    steps = learn(model, some_views(model), LESSON, QUICK)
    kept = None
    for _ in range(3):
        step = next(steps)
        assert isinstance(step, LearningStep)
        assert step.state is not None
        kept = save(step.state.to_tensors())
    steps.close()
    assert kept is not None
    state = LearningState.from_tensors(load(kept))
    resumed = finish(learn(model, some_views(model), LESSON, QUICK, state))
    assert all(torch.equal(a, b) for a, b in zip(whole.concept.rows, resumed.concept.rows, strict=True))
    assert (resumed.steps, resumed.best_step, resumed.exams) == (whole.steps, whole.best_step, whole.exams)


def test_states_given_out_do_not_change_afterwards() -> None:
    model = tiny_model("sd1")
    steps = learn(model, some_views(model), LESSON, QUICK)
    step = next(steps)
    assert isinstance(step, LearningStep)
    assert step.state is not None
    before = {name: tensor.clone() for name, tensor in step.state.to_tensors().items()}
    finish(steps)
    assert all(torch.equal(before[name], tensor) for name, tensor in step.state.to_tensors().items())


def test_pictures_of_any_shape_are_learned_together() -> None:
    model = tiny_model("sdxl")
    views = some_views(model, ((64, 64), (64, 96), (150, 70)))
    assert len({view.shape for view in views}) > 1
    learned = finish(learn(model, views, LESSON, replace(QUICK, batch=3)))
    assert learned.steps == 5


def test_fewer_latents_at_once_learn_the_same() -> None:
    """Less memory is no other result: gradients of groups add up."""
    model = tiny_model("sd1")
    together = run(model, replace(QUICK, batch=4, at_once=4))
    one_by_one = run(model, replace(QUICK, batch=4, at_once=1))
    for a, b in zip(together, one_by_one, strict=True):
        assert torch.allclose(a, b, atol=1e-3)


def course_of(model: DiffusionModel, views: tuple[View, ...], vocabulary: Vocabulary) -> learning._Course:
    draws = Draws(model.process, views, sentences(vocabulary, LESSON), LESSON.seed, QUICK.times)
    first = first_rows(model, LESSON, QUICK)
    return learning._Course(model, vocabulary, QUICK, draws, Optimiser(QUICK, first, first))


def test_the_loss_is_that_of_the_paper(model: DiffusionModel) -> None:
    """Against a computation in float64, entry by entry, in the checkpoint's own prediction."""
    views = tuple(
        replace(view, weight=torch.rand(1, *view.shape, generator=torch.Generator().manual_seed(i)))
        for i, view in enumerate(some_views(model))
    )
    concept = Concept("<toy>", first_rows(model, LESSON, QUICK), model.family)
    with concepts_installed(model, [concept]) as vocabulary, torch.no_grad():
        course, process = course_of(model, views, vocabulary), ddpm_of(model)
        draws = course.draws.batch(TRAINING, 5, 3)
        ours = float(course.group_loss(draws))
        theirs = 0.0
        for draw in draws:
            alpha = process.alphas_cumprod[int(draw.level)]
            z0 = draw.view.mean.double() + draw.view.std.double() * draw.sample.double()
            z = alpha.sqrt() * z0 + (1 - alpha).sqrt() * draw.eps.double()
            conditioning = vocabulary.encode([draw.prompt])
            added = {"text_embeds": conditioning.pooled, "time_ids": conditioning.time_ids}
            unet, told = model.network.module, conditioning.context
            output = unet(z[None].float(), draw.level, told, added_cond_kwargs=added).sample[0].double()
            velocity = alpha.sqrt() * draw.eps.double() - (1 - alpha).sqrt() * z0
            target = velocity if process.prediction == "v_prediction" else draw.eps.double()
            weight = draw.view.weight.double().expand_as(z0)
            theirs += float((weight * (output - target) ** 2).sum() / weight.sum())
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_one_timestep_per_entry_equals_one_at_a_time(model: DiffusionModel) -> None:
    z = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    times = [900, 20, 411]
    with concepts_installed(model, []) as vocabulary, torch.no_grad():
        row = vocabulary.encode([vocabulary.parse("a cat on grass")])
        together = model.predict(z, torch.tensor(times), row.expand(3))
        for i, t in enumerate(times):
            assert torch.allclose(together[i], model.predict(z[i : i + 1], t, row)[0], atol=1e-5)


def test_timesteps_cover_the_range_in_every_batch() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        sentence = (vocabulary.parse("a cat"),)
        lots = Draws(model.process, some_views(model), lambda _: sentence, LESSON.seed, QUICK.times)
        for step in range(20):
            draws = lots.batch(TRAINING, step, 4)
            quarters = sorted((draw.level / 999 - 0.1) / 0.2 for draw in draws)
            assert all(i - 0.01 <= quarter <= i + 1 for i, quarter in enumerate(quarters))
            assert {draw.view.picture for draw in draws} == {0, 1, 2}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_half_precision_unet_teaches_the_same_float32_rows(dtype: torch.dtype) -> None:
    settings = replace(QUICK, steps=8)
    exact = run(tiny_model("sd1"), settings)[0]
    half = tiny_model("sd1")
    half.network.module.to(dtype)
    rows = run(half, settings)[0]
    assert rows.dtype == torch.float32
    assert torch.isfinite(rows).all()
    assert float(torch.cosine_similarity(rows, exact).min()) > 0.9


def test_a_picture_s_own_caption_is_used() -> None:
    model = tiny_model("sd1")
    lesson = replace(LESSON, captions=("a photo of a {} on grass", None))
    concept = Concept("<toy>", first_rows(model, lesson, QUICK), model.family)
    with concepts_installed(model, [concept]) as vocabulary:
        told = sentences(vocabulary, lesson)
        assert [prompt.text for prompt in told(0)] == ["a photo of a <toy> on grass"]
        assert "a photo of a <toy>" in [prompt.text for prompt in told(1)]
        assert told(1) == told(2)
    with pytest.raises(RequestError, match=r"doesn't say where"):
        next(learn(model, some_views(model), replace(LESSON, captions=("a photo",)), QUICK))


def test_learning_stops_when_the_exam_says_so() -> None:
    model = tiny_model("sd1")

    class Enough(Dvar):
        def satisfied(self, losses: Sequence[float]) -> bool:
            return len(losses) >= 3

    learned = finish(learn(model, some_views(model), LESSON, replace(QUICK, steps=100, stop=Enough())))
    assert learned.steps == 4


def test_the_rate_warms_up_and_falls() -> None:
    settings = LearnSettings(steps=100, warmup=10, rate=1.0, final_rate=0.1)
    rates = [rate(settings, step) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert all(a > b for a, b in pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(0.1)
