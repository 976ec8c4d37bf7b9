"""The methods that are there to be measured: each is what its paper says."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.editing.edit import Options, edit, reproduce
from palimpsest.core.editing.sampling import sample
from palimpsest.core.inversion import Inversion, edit_friendly, fixed_point
from palimpsest.core.inversion.proximal import shrunk
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Ddpm, move, noise_between, pairs
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import Vocabulary, concepts_installed
from palimpsest_client.methods import METHODS, OFFERED, RECOMMENDED
from tiny import tiny_model
from tiny_edit import GUIDANCE, NOTHING, SIZE, SOURCE, STEPS, Wish, inverted, photo, plan

DOG = "a photo of a dog on grass"


def test_users_are_offered_few() -> None:
    assert RECOMMENDED in OFFERED
    assert set(OFFERED) < set(METHODS)


def of_source(model: DiffusionModel, vocabulary: Vocabulary) -> Conditioning:
    return vocabulary.encode([vocabulary.parse(SOURCE)], (8 * SIZE[0], 8 * SIZE[1]))


def test_the_straight_path_has_one_noise_and_no_evaluation(model: DiffusionModel) -> None:
    with concepts_installed(model, []) as vocabulary:
        made = inverted(model, vocabulary, vocabulary.parse(SOURCE), "straight")
    noises = [
        noise_between(model.process, made.before(i), photo(), level) for i, level in enumerate(made.levels)
    ]
    assert all((noise - noises[0]).abs().max() < 1e-4 for noise in noises)
    assert 0.8 < noises[0].std() < 1.2
    assert made.evaluations == 0


def missed(model: DiffusionModel, made: Inversion, cond: Conditioning) -> float:
    """How far a sampling step from each pivot ends from the next, on average."""
    gaps = []
    for i, (level, cleaner) in enumerate(pairs(model.process, made.levels)):
        with torch.no_grad():
            prediction = model.predict(made.before(i), level, cond)
        there = move(model.process, made.before(i), prediction, level, cleaner)
        gaps.append(float((there - made.after(i)).abs().mean()))
    return sum(gaps) / len(gaps)


def test_a_fixed_point_is_nearer_with_every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many steps that the map contracts with random weights, too."""
    model, errors = tiny_model("sd1"), []
    with concepts_installed(model, []) as vocabulary:
        source, cond = vocabulary.parse(SOURCE), of_source(model, vocabulary)
        plain = inverted(model, vocabulary, source, "ddim", steps=20)
        for iterations in (0, 1, 2, 4):
            monkeypatch.setattr(fixed_point, "ITERATIONS", iterations)
            made = inverted(model, vocabulary, source, "fixed-point", steps=20)
            errors.append(missed(model, made, cond))
            if iterations == 0:
                assert torch.equal(made.latents, plain.latents)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1 * errors[0]


def test_with_the_caption_as_negative_prompt_the_photo_is_sampled_without_guidance() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source, cond = vocabulary.parse(SOURCE), of_source(model, vocabulary)
        made = inverted(model, vocabulary, source, "negative-prompt")
        done = finish(reproduce(model, vocabulary, made, source))
        z = made.before(0)
        for level, cleaner in pairs(model.process, made.levels):
            with torch.no_grad():
                z = move(model.process, z, model.predict(z, level, cond), level, cleaner)
    assert (done.source - z).abs().max() < 1e-4
    assert (done.latents - z).abs().max() < 1e-4, "with the same words the target is the photo"
    assert done.evaluations == 3 * STEPS, "the photo's branch needs no empty prompt"


def test_guidance_leads_away_from_the_caption_for_those_methods_alone() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source, dog = vocabulary.parse(SOURCE), vocabulary.parse(DOG)
        options = Options(cross=(0, 0), self_attention=(0, 0))
        ends = {}
        for method in ("ddim", "negative-prompt"):
            made = inverted(model, vocabulary, source, method)
            ends[method] = finish(edit(model, vocabulary, made, source, [dog], "reweight", options)).latents
            plain = finish(edit(model, vocabulary, made, source, [dog], "replace", options, whole())).latents
            assert torch.equal(ends[method], plain) == (method == "negative-prompt")
    gap = (ends["ddim"] - ends["negative-prompt"]).abs().max()
    assert gap < 1e-4, "reweight leads away from it in any case"


def whole() -> Tensor:
    return torch.ones(1, 1, *SIZE)


def test_a_proximal_step_cuts_what_is_small_and_shrinks_the_rest() -> None:
    delta = torch.linspace(-1, 1, 101)[None, None, None]
    cut = shrunk(delta)
    assert int((cut == 0).sum()) == pytest.approx(70, abs=2)
    assert torch.allclose(cut.abs(), (delta.abs() - 0.7).clamp(min=0), atol=0.02)
    assert torch.equal(shrunk(-delta), -cut)
    assert torch.allclose(shrunk(3 * delta), 3 * cut)


def test_the_same_words_give_the_photo_back_exactly(
    model: DiffusionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Virtual inversion at any guidance; the edit-friendly one where both are guided alike."""
    monkeypatch.setattr(edit_friendly, "SHARE", 1.0)
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        again = finish(reproduce(model, vocabulary, inverted(model, vocabulary, source, "virtual"), source))
        assert (again.latents - photo()).abs().max() < 1e-4
        made = inverted(model, vocabulary, source, "edit-friendly")
        for wish in (NOTHING, Wish(weights={"cat": 1.0})):
            done = finish(sample(plan(model, vocabulary, made, source, [source], wish)))
            assert (done.latents - photo()).abs().max() < 1e-4


def test_the_edit_friendly_step_is_ddpms_and_its_noise_leads_from_level_to_level() -> None:
    """Ho et al. 2020, eqs. 6 and 7, written out between neighbouring levels."""
    process = tiny_model("sd1").process
    assert isinstance(process, Ddpm)
    (level, cleaner), *_ = pairs(process, process.levels(20))
    z, eps = photo(seed=2), photo(seed=3)
    mean, z0 = edit_friendly.METHOD.step(process, z, eps, level, cleaner, torch.zeros_like(z))
    now, then = process.alpha_bar(level), process.alpha_bar(cleaner)
    beta = 1 - now / then
    published = then**0.5 * beta / (1 - now) * z0 + (now / then) ** 0.5 * (1 - then) / (1 - now) * z
    assert (mean - published).abs().max() < 1e-5
    with_noise, _ = edit_friendly.METHOD.step(process, z, eps, level, cleaner, eps)
    assert torch.equal(with_noise, mean + eps)


@pytest.mark.parametrize("method", ["edit-friendly", "virtual"])
def test_every_level_has_a_noise_of_its_own(method: str) -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        made = inverted(model, vocabulary, vocabulary.parse(SOURCE), method, steps=8)
    noises = [
        noise_between(model.process, made.before(i), photo(), level) for i, level in enumerate(made.levels)
    ]
    related = [float((a * b).mean()) for a, b in pairwise(noises)]
    assert max(map(abs, related)) < 0.2


def test_a_target_of_virtual_inversion_is_as_wrong_as_the_photo() -> None:
    """InfEdit's formula for a target's estimate, over the whole of sampling."""
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source, dog = vocabulary.parse(SOURCE), vocabulary.parse(DOG)
        made = inverted(model, vocabulary, source, "virtual")
        done = finish(sample(plan(model, vocabulary, made, source, [dog], NOTHING)))
        cond, null = of_source(model, vocabulary), vocabulary.null((8 * SIZE[0], 8 * SIZE[1]))
        wanted = vocabulary.encode([dog], (8 * SIZE[0], 8 * SIZE[1]))
        z = made.before(0)
        for i, (level, cleaner) in enumerate(pairs(model.process, made.levels)):
            a, b = model.process.scales(level)
            with torch.no_grad():
                eps_src = model.predict(made.before(i), level, cond)
                empty, text = (model.predict(z, level, words) for words in (null, wanted))
            eps_tgt = empty + GUIDANCE * (text - empty)
            z0 = photo() + (z - made.before(i) - b * (eps_tgt - eps_src)) / a
            z = made.after(i) + model.process.scales(cleaner)[0] * (z0 - photo())  # the photo's own noise
    assert (done.latents - z).abs().max() < 1e-3
