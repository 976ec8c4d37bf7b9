"""Edits by models of few steps: the photo exactly, nothing for the empty prompt, the published sampler."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_lcm import LCMScheduler

from palimpsest.core.count import counted
from palimpsest.core.editing.draw import draw, start_noise
from palimpsest.core.editing.edit import Options, edit, reproduce
from palimpsest.core.inversion import invert
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import consistency_step
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from tiny import ddpm_of, tiny_model
from tiny_edit import SIZE, SOURCE, photo

TARGET = "a photo of a dog on grass"
SELECTION = torch.zeros(1, 1, *SIZE)
SELECTION[..., 2:6, 3:8] = 1


def few(family: str, steps: int = 4, sampler: str = "consistency") -> DiffusionModel:
    model = tiny_model(family)
    process = replace(ddpm_of(model), spacing="trailing")
    return replace(model, process=process, steps=steps, guidance=1.0, sampler=sampler)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
@pytest.mark.parametrize("operation", ["replace", "insert", "restyle", "remove"])
def test_the_photo_outside_is_the_same_to_the_last_bit(operation: str, steps: int, family: str) -> None:
    model = few(family, steps)
    with concepts_installed(model, []) as words:
        source, target = words.parse(SOURCE), words.parse(TARGET)
        with counted(model) as count:
            inversion = finish(invert(model, words, photo(), source))
        assert count.evaluations == 0  # the photo is noised, and nothing is asked about it
        with counted(model) as count:
            done = finish(edit(model, words, inversion, source, [target], operation, selection=SELECTION))
    assert torch.equal(done.source, photo())
    assert torch.equal(done.latents * (1 - SELECTION), photo() * (1 - SELECTION))
    assert not torch.equal(done.latents, photo())
    assert count.evaluations <= 2 * steps  # of the target, and of the photo where its attention is needed


def test_an_edit_gives_the_same_bytes_again_and_the_photo_comes_back() -> None:
    model = few("sd1")
    with concepts_installed(model, []) as words:
        source = words.parse(SOURCE)
        inversion = finish(invert(model, words, photo(), source))
        assert torch.equal(finish(reproduce(model, words, inversion, source)).source, photo())
        first = finish(edit(model, words, inversion, source, [source], "reweight", Options(seed=0)))
        again = finish(edit(model, words, inversion, source, [source], "reweight", Options(seed=0)))
    assert torch.equal(first.latents, again.latents)


def test_an_inversion_is_the_same_whether_it_is_made_at_once_or_gone_on_with() -> None:
    model = few("sd1")
    with concepts_installed(model, []) as words:
        source = words.parse(SOURCE)
        whole = finish(invert(model, words, photo(), source))
        part = finish(invert(model, words, photo(), source, reach=2))
        on = finish(invert(model, words, photo(), source, known=part))
    assert (part.reach, on.reach) == (2, 4)
    assert torch.equal(on.latents, whole.latents)
    assert whole.noises is not None
    assert on.noises is not None
    assert torch.equal(on.noises, whole.noises)


def test_a_step_whose_picture_is_the_photo_stays_on_its_path() -> None:
    model = few("sd1")
    with concepts_installed(model, []) as words:
        found = finish(invert(model, words, photo(), words.parse(SOURCE)))
    process = ddpm_of(model)
    for step, (level, to) in enumerate(zip(found.levels, (*found.levels[1:], process.clean), strict=True)):
        a, b = process.scales(level)
        eps, noise = (found.before(step) - a * photo()) / b, found.noise(step)
        assert noise is not None
        z, z0 = consistency_step(process, found.before(step), eps, level, to, noise)
        assert torch.allclose(z, found.after(step), atol=1e-4)
        assert torch.allclose(z0, photo(), atol=1e-4)


def test_steps_are_those_of_the_published_sampler() -> None:
    """Diffusers' LCM, without its scaling, which is 1 to within 3e-5 at the levels there are."""
    process = replace(ddpm_of(tiny_model("sd1")), spacing="distilled")
    scheduler: Any = LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    scheduler.set_timesteps(4)
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    levels = process.levels(4)
    for level, to in zip(levels, (*levels[1:], process.clean), strict=True):
        eps = torch.sin(z)
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(level))
        ours, _ = consistency_step(process, z, eps, level, to, noise)
        made = scheduler.step(eps, torch.tensor(level), z, generator=torch.Generator().manual_seed(level))
        theirs = made.prev_sample
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3)
        z = theirs


@pytest.mark.parametrize("sampler", ["consistency", "ddim"])
def test_drawing_without_guidance_asks_once_per_step(sampler: str, family: str) -> None:
    model = few(family, sampler=sampler)
    with concepts_installed(model, []) as words, counted(model) as count:
        prompts = [words.parse(TARGET)]
        first, again = (finish(draw(model, words, prompts, start_noise(model, 0), 1.0, 4)) for _ in range(2))
    assert count.evaluations == 2 * 4
    assert torch.equal(first, again)
