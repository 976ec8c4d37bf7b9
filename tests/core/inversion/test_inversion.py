"""Inversions: pivots, null embeddings, and what they promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from palimpsest.core import inversion as inversions
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.count import counted
from palimpsest.core.editing.sampling import sample
from palimpsest.core.inversion import Inversion, InvertSettings, invert, method_named
from palimpsest.core.inversion.null_text import NullTextSettings, optimise_nulls
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import move, pairs
from palimpsest.core.steps import Step, finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import RequestError
from palimpsest_client.methods import METHODS
from tiny import tiny_model
from tiny_edit import GUIDANCE, NOTHING, SIZE, STEPS, inverted, photo, plan

SOURCE = "a photo of a cat on grass"


def test_the_pivots_go_from_the_photo_to_noise(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse(SOURCE))
    assert inversion.latents.shape == (STEPS + 1, 1, 4, *SIZE)
    assert torch.equal(inversion.latents[0], photo())
    assert torch.equal(inversion.after(STEPS - 1), photo())
    assert torch.equal(inversion.before(0), inversion.latents[-1])


def test_the_pivots_are_ddim_steps_at_guidance_one(model: DiffusionModel) -> None:
    """Each is made from the one before with the noise that the model sees there at the next timestep."""
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion, cond = inverted(model, vocabulary, source), vocabulary.encode([source], (64, 96))
    for i, (t, t_prev) in enumerate(pairs(model.process, inversion.levels)):
        below = inversion.after(i)
        with torch.no_grad():
            eps = model.predict(below, t, cond)
        assert torch.equal(move(model.process, below, eps, t_prev, t), inversion.before(i))


def test_direct_inversion_costs_one_evaluation_per_step(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse(SOURCE))
    assert inversion.evaluations == STEPS


@pytest.mark.parametrize("method", METHODS)
def test_a_part_of_an_inversion_is_gone_on_with_and_ends_the_same(model: DiffusionModel, method: str) -> None:
    """To the last bit, each level evaluated once. What begins at the noisiest level is never a part."""
    with concepts_installed(model, []) as vocabulary:
        source, settings = vocabulary.parse(SOURCE), InvertSettings(method, STEPS, GUIDANCE)
        whole = finish(invert(model, vocabulary, photo(), source, settings))
        none, part = (
            finish(invert(model, vocabulary, photo(), source, settings, reach)) for reach in (0, STEPS - 1)
        )
        if method_named(method).whole:
            assert none.reach == part.reach == STEPS
            return
        assert (none.reach, none.evaluations, part.reach) == (0, 0, STEPS - 1)
        per_level = method_named(method).cost(None)["invert"].forward
        assert part.evaluations == per_level * (STEPS - 1)
        assert torch.equal(part.before(1), whole.before(1))
        kept = Inversion.from_tensors(*part.to_tensors())
        steps = list(invert(model, vocabulary, photo(), source, settings, known=kept))
        rest = finish(invert(model, vocabulary, photo(), source, settings, known=kept))
    assert torch.equal(rest.latents, whole.latents)
    assert (rest.noises is None) == (whole.noises is None)
    if rest.noises is not None and whole.noises is not None:
        assert torch.equal(rest.noises, whole.noises)
    assert rest.evaluations == per_level
    told = [("invert", 1, 1)] if per_level else []
    assert [(step.phase, step.index, step.total) for step in steps] == told


def reconstruction_error(model: DiffusionModel, inner_steps: int) -> float:
    """Mean squared error of the guided reconstruction; a small rate, so that random weights behave."""
    constants = NullTextSettings(inner_steps=inner_steps, rate=1e-3, stop=0, stop_growth=0)
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        settings = InvertSettings("null-text", STEPS, GUIDANCE, constants)
        inversion = finish(invert(model, vocabulary, photo(), source, settings))
        done = finish(sample(plan(model, vocabulary, inversion, source, [source], NOTHING)))
    return float((done.source - photo()).square().mean())


def test_null_text_reconstructs_better_with_every_inner_step(model: DiffusionModel) -> None:
    errors = [reconstruction_error(model, inner) for inner in (0, 1, 2, 5)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.99 * errors[0]


def test_without_inner_steps_the_nulls_are_the_empty_prompt(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse(SOURCE), "null-text", inner_steps=0)
        null = vocabulary.null().context
    assert inversion.nulls is not None
    assert torch.equal(inversion.nulls, null.expand(STEPS, *null.shape))


def test_null_text_is_the_published_loop() -> None:
    """Written out once more: Adam anew at each timestep, rate 1e-2·(1 - i/100), stop after the step."""
    model = tiny_model("sd1")
    settings = NullTextSettings(inner_steps=4, stop=5e-2, stop_growth=2e-2)
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source)
        cond, null = vocabulary.encode([source]), vocabulary.null()
    ours, path = finish(
        optimise_nulls(model, inversion.latents, cond, null, inversion.levels, GUIDANCE, settings)
    )
    z, context = inversion.latents[-1], null.context.clone()
    for i, (t, t_prev) in enumerate(pairs(model.process, inversion.levels)):
        context = context.clone().requires_grad_(True)
        adam = torch.optim.Adam([context], lr=1e-2 * (1.0 - i / 100.0))
        with torch.no_grad():
            text = model.predict(z, t, cond)
        for _ in range(4):
            empty = model.predict(z, t, Conditioning(context))
            guided = empty + GUIDANCE * (text - empty)
            loss = (move(model.process, z, guided, t, t_prev) - inversion.latents[-2 - i]).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            if loss.item() < 5e-2 + 2e-2 * i:
                break
        context = context.detach()
        assert torch.allclose(ours[i], context, atol=1e-6)
        with torch.no_grad():
            empty = model.predict(z, t, Conditioning(context))
            z = move(model.process, z, empty + GUIDANCE * (text - empty), t, t_prev)
        assert torch.allclose(path[-2 - i], z, atol=1e-5)


def test_fast_null_text_begins_at_the_caption_and_steps_only_where_the_loss_asks() -> None:
    """Where any loss is small enough it is negative-prompt inversion, and no gradient is led back."""
    model, method = tiny_model("sd1"), method_named("null-text-fast")
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        caption = vocabulary.encode([source]).context
        easy, hard = (replace(method.constants(2), stop=stop, stop_growth=0) for stop in (1e9, 0.0))
        for constants, backward in ((easy, 0), (hard, 2 * STEPS)):
            settings = InvertSettings("null-text-fast", STEPS, GUIDANCE, constants)
            with counted(model) as count:
                made = finish(invert(model, vocabulary, photo(), source, settings))
            assert count.backward == backward
            assert made.nulls is not None
            assert torch.equal(made.nulls[0], caption) == (backward == 0)


def test_the_early_stop_takes_one_step_even_when_good_enough() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        easy = NullTextSettings(inner_steps=5, stop=1e9)
        once = NullTextSettings(inner_steps=1)
        stopped, single = (
            finish(invert(model, vocabulary, photo(), source, InvertSettings("null-text", 2, 3.0, settings)))
            for settings in (easy, once)
        )
    assert stopped.nulls is not None
    assert single.nulls is not None
    assert torch.equal(stopped.nulls, single.nulls)
    assert stopped.evaluations == single.evaluations


def test_only_the_embedding_gets_gradients(model: DiffusionModel) -> None:
    before = {name: value.clone() for name, value in model.network.module.state_dict().items()}
    with concepts_installed(model, []) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse(SOURCE), "null-text")
    assert inversion.nulls is not None
    assert not inversion.nulls.requires_grad
    networks = [model.network.module, *(part.encoder for part in model.text)]
    assert all(p.grad is None and not p.requires_grad for network in networks for p in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.network.module.state_dict().items())


def test_progress_is_counted_and_previewed(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        settings = InvertSettings("null-text", 3, GUIDANCE, NullTextSettings(inner_steps=1))
        steps = list(invert(model, vocabulary, photo(), vocabulary.parse(SOURCE), settings))
    assert [(s.phase, s.index, s.total) for s in steps] == [
        (phase, i, 3) for phase in ("invert", "optimise") for i in (1, 2, 3)
    ]
    assert all(isinstance(s, Step) and s.z0 is not None and s.z0.shape == photo().shape for s in steps)
    assert all(s.loss is not None for s in steps[3:])


def test_grad_mode_is_the_consumers_own_while_watching(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        settings = InvertSettings("null-text", 2, 3.0, NullTextSettings(inner_steps=1))
        for _ in invert(model, vocabulary, photo(), vocabulary.parse(SOURCE), settings):
            assert torch.is_grad_enabled()


@pytest.mark.parametrize("method", ["direct", "null-text"])
def test_an_inversion_survives_being_stored(method: str) -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        inversion = inverted(model, vocabulary, vocabulary.parse(SOURCE), method, steps=2)
    tensors, metadata = inversion.to_tensors()
    back = Inversion.from_tensors(tensors, metadata)
    assert torch.equal(back.latents, inversion.latents)
    assert (back.nulls is None) == (inversion.nulls is None)
    if back.nulls is not None and inversion.nulls is not None:
        assert torch.equal(back.nulls, inversion.nulls)
    for name in ("levels", "method", "guidance", "prompt"):
        assert getattr(back, name) == getattr(inversion, name)


@pytest.mark.parametrize(
    "settings",
    [
        InvertSettings("wishful"),
        InvertSettings("null-text", constants=NullTextSettings(inner_steps=-1)),
        InvertSettings(steps=0),
    ],
)
def test_impossible_settings_are_refused(settings: InvertSettings) -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary, pytest.raises(RequestError):
        finish(invert(model, vocabulary, photo(), vocabulary.parse(SOURCE), settings))


def test_every_method_of_the_table_has_a_file_and_every_file_a_method() -> None:
    folder = Path(inversions.__file__).parent
    others = {"__init__", "method", "result"}
    files = {path.stem for path in folder.glob("*.py")} - others
    assert {name.replace("-", "_") for name in METHODS} == files
    assert len({type(method_named(name)) for name in METHODS}) == len(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_costs_what_it_says_at_most(name: str) -> None:
    """With an error that no step reaches, so that none stops before its last inner step."""
    model, method = tiny_model("sd1"), method_named(name)
    constants = method.constants(3)
    settings = InvertSettings(name, STEPS, GUIDANCE, constants and replace(constants, stop=0, stop_growth=0))
    with concepts_installed(model, []) as vocabulary:
        made = finish(invert(model, vocabulary, photo(), vocabulary.parse(SOURCE), settings))
    assert made.evaluations == STEPS * sum(cost.forward for cost in method.cost(constants).values())
