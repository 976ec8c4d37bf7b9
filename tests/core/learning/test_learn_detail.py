"""A word learned with detail: adapters beside its rows, as dependable as the rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load, save

from core.learning.lessons import LESSON, QUICK, parameters, some_views
from palimpsest.core.adapters import Adapters, first_adapters, projections
from palimpsest.core.concept import Concept
from palimpsest.core.learning.learn import LearningStep, Start, first_rows, learn
from palimpsest.core.learning.settings import AdapterSettings, LearnSettings
from palimpsest.core.learning.state import AdapterState, LearningState
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.errors import RequestError
from tiny import tiny_model

DETAIL = replace(QUICK, adapters=AdapterSettings(rank=2, rate=1e-2))


def detailed(model: DiffusionModel, settings: LearnSettings = DETAIL) -> Concept:
    return finish(learn(model, some_views(model), LESSON, settings)).concept


def adapters_of(concept: Concept) -> Adapters:
    assert concept.adapters is not None
    return concept.adapters


def assert_same(one: Concept, other: Concept) -> None:
    assert all(torch.equal(a, b) for a, b in zip(one.rows, other.rows, strict=True))
    mine, theirs = adapters_of(one), adapters_of(other)
    assert mine.alpha == theirs.alpha
    assert sorted(mine.parts) == sorted(theirs.parts)
    assert all(torch.equal(a, b) for a, b in zip(mine.tensors, theirs.tensors, strict=True))


def states_of(
    model: DiffusionModel, settings: LearnSettings, more: Start | None = None
) -> list[LearningState]:
    steps = learn(model, some_views(model), LESSON, settings, more=more)
    return [step.state for step in steps if isinstance(step, LearningStep) and step.state is not None]


def test_rows_and_adapters_are_learned_and_nothing_else(model: DiffusionModel) -> None:
    before = [tensor.clone() for tensor in parameters(model)]
    concept = detailed(model)
    assert all(torch.equal(a, b) for a, b in zip(before, parameters(model), strict=True))
    assert not any(module._forward_hooks for module in model.network.module.modules())
    adapters, first = adapters_of(concept), first_adapters(model.network, 2, "all", LESSON.seed)
    assert sorted(adapters.parts) == sorted(projections(model.network))
    for tensor, was in zip(adapters.tensors, first.tensors, strict=True):
        assert tensor.dtype == torch.float32
        assert not tensor.requires_grad
        assert (tensor != was).any(), "a part was not learned"
    for row, was in zip(concept.rows, first_rows(model, LESSON, QUICK), strict=True):
        assert (row != was).any(dim=1).all()


def test_without_detail_a_word_has_none_and_is_the_word_it_was() -> None:
    """The first step's rows follow from the same gradient: fresh adapters change nothing yet."""
    model = tiny_model("sd1")
    plain, with_detail = states_of(model, QUICK), states_of(model, DETAIL)
    assert plain[0].adapters is None
    assert finish(learn(model, some_views(model), LESSON, QUICK)).concept.adapters is None
    assert "adapters.alpha" not in plain[-1].to_tensors()
    for a, b in zip(plain[0].rows, with_detail[0].rows, strict=True):
        assert torch.equal(a, b)


def test_the_same_seed_gives_the_same_adapters_and_another_seed_others() -> None:
    model = tiny_model("sd1")
    assert_same(detailed(model), detailed(model))
    other = finish(learn(model, some_views(model), replace(LESSON, seed=4), DETAIL)).concept
    pairs = zip(adapters_of(detailed(model)).tensors, adapters_of(other).tensors, strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)


def test_a_resumed_run_equals_an_uninterrupted_one(model: DiffusionModel) -> None:
    whole = finish(learn(model, some_views(model), LESSON, DETAIL))
    steps, kept = learn(model, some_views(model), LESSON, DETAIL), b""
    for _ in range(3):
        step = next(steps)
        assert isinstance(step, LearningStep)
        assert step.state is not None
        kept = save(step.state.to_tensors())
    steps.close()
    state = LearningState.from_tensors(load(kept))
    resumed = finish(learn(model, some_views(model), LESSON, DETAIL, state))
    assert_same(whole.concept, resumed.concept)
    assert (resumed.best_step, resumed.exams) == (whole.best_step, whole.exams)


def test_a_state_moves_to_another_device_whole() -> None:
    """Read from a file it is on the processor, and the gradients are where the model is."""
    state = states_of(tiny_model("sd1"), DETAIL)[0].adapters
    assert state is not None
    moved = state.on(torch.device("meta"))
    for name in ("now", "means", "squares", "best"):
        some, others = getattr(state, name).tensors, getattr(moved, name).tensors
        assert {tensor.device.type for tensor in others} == {"meta"}
        assert [tensor.shape for tensor in others] == [tensor.shape for tensor in some]


def test_a_resumed_run_moves_its_state_to_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = tiny_model("sd1"), []
    state = states_of(model, DETAIL)[0]
    on = AdapterState.on

    def watched(adapters: AdapterState, device: torch.device) -> AdapterState:
        asked.append(device)
        return on(adapters, device)

    monkeypatch.setattr(AdapterState, "on", watched)
    finish(learn(model, some_views(model), LESSON, DETAIL, state))
    assert asked == [model.device]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a card")
def test_a_run_on_a_card_goes_on_from_a_file() -> None:
    model = tiny_model("sd1")
    for network in (model.network.module, model.vae, *(part.encoder for part in model.text)):
        network.to("cuda")
    kept = save(states_of(model, DETAIL)[2].to_tensors())
    state = LearningState.from_tensors(load(kept))
    learned = finish(learn(model, some_views(model), LESSON, DETAIL, state))
    assert learned.steps == DETAIL.steps
    assert {tensor.device.type for tensor in adapters_of(learned.concept).tensors} == {"cuda"}


def test_states_given_out_do_not_change_afterwards() -> None:
    steps = learn(tiny_model("sd1"), some_views(tiny_model("sd1")), LESSON, DETAIL)
    step = next(steps)
    assert isinstance(step, LearningStep)
    assert step.state is not None
    before = step.state.to_tensors()
    finish(steps)
    assert all(torch.equal(before[name], tensor) for name, tensor in step.state.to_tensors().items())


def test_the_adapters_of_the_best_exam_are_kept() -> None:
    model = tiny_model("sd1")
    settings = replace(DETAIL, steps=12, exam_every=1)
    states = states_of(model, settings)
    final = states[-1]
    assert final.adapters is not None
    assert final.exams[final.best_step] == min(final.exams) < final.exams[0]
    then = states[final.best_step - 1].adapters
    assert then is not None
    assert all(torch.equal(a, b) for a, b in zip(final.adapters.best.tensors, then.now.tensors, strict=True))


def test_adapters_fit_what_rows_alone_do_not() -> None:
    """The tiny networks are random: their loss falls further where more than the word may move."""
    model = tiny_model("sd1")
    settings = replace(QUICK, steps=12, exam_every=1)
    plain = states_of(model, settings)[-1].exams
    detail = states_of(model, replace(settings, adapters=DETAIL.adapters))[-1].exams
    assert min(detail) < min(plain)


def test_a_look_at_the_word_has_its_adapters_and_changes_nothing_of_it(model: DiffusionModel) -> None:
    wishes, seen = iter([False, True, False, False, True]), []
    steps = learn(model, some_views(model), LESSON, DETAIL, look=lambda: next(wishes))
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            learned = stop.value
            break
        seen += [] if step.z0 is None else [step.z0]
    assert len(seen) == 2
    assert not torch.equal(seen[0], seen[1])
    assert_same(learned.concept, detailed(model))


def test_a_word_is_learned_on_with_its_own_adapters() -> None:
    model = tiny_model("sd1")
    once = detailed(model)
    first = states_of(model, DETAIL, Start(once, QUICK.steps))[0]
    assert first.adapters is not None
    had = adapters_of(once).tensors
    moved = max(float((a - b).abs().max()) for a, b in zip(first.adapters.now.tensors, had, strict=True))
    assert 0 < moved <= 1.1e-2, "one step from where they were"
    with pytest.raises(RequestError, match="learned with detail"):
        next(learn(model, some_views(model), LESSON, QUICK, more=Start(once)))


def test_rows_alone_are_learned_on_with_detail() -> None:
    model = tiny_model("sd1")
    plain = finish(learn(model, some_views(model), LESSON, QUICK)).concept
    concept = finish(learn(model, some_views(model), LESSON, DETAIL, more=Start(plain))).concept
    assert adapters_of(concept).rank == 2


def test_fewer_latents_at_once_learn_the_same() -> None:
    model = tiny_model("sd1")
    together, one_by_one = (detailed(model, replace(DETAIL, batch=4, at_once=n, steps=2)) for n in (4, 1))
    differences = distances(adapters_of(together).tensors, adapters_of(one_by_one).tensors)
    assert max(differences) < 1e-2


def distances(some: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> list[float]:
    return [float((a - b).square().mean().sqrt()) for a, b in zip(some, others, strict=True)]


def test_only_what_reads_the_words_can_be_chosen() -> None:
    model = tiny_model("sd1")
    concept = detailed(model, replace(DETAIL, adapters=AdapterSettings(rank=1, rate=1e-2, layers="cross")))
    assert sorted(adapters_of(concept).parts) == sorted(projections(model.network, "cross"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_they_stay_float32_in_a_network_of_less(dtype: torch.dtype) -> None:
    model = tiny_model("sd1")
    model.network.module.to(dtype)
    concept = detailed(model)
    assert all(t.dtype == torch.float32 and t.isfinite().all() for t in adapters_of(concept).tensors)
    assert any(part.up.abs().max() > 0 for part in adapters_of(concept).parts.values())
