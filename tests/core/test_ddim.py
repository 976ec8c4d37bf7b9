"""The schedule: its timesteps are the scheduler's own, and its step is DDIM's, both ways."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from palimpsest.core.model import Conditioning, NoiseSchedule
from palimpsest.core.schedule import CLEAN, add_noise, alpha_bar, ddim, pairs, predict_z0, timesteps
from palimpsest.errors import ModelIncapableError, RequestError
from tiny import tiny_model
from tiny_edit import photo

SPACINGS = ("leading", "linspace", "trailing")
COUNTS = (1, 7, 20, 33, 50, 1000)


def diffusers_scheduler(spacing: str, offset: int = 1, to_one: bool = False, predicts: str = "epsilon"):
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=to_one,
        steps_offset=offset,
        timestep_spacing=spacing,
        prediction_type=predicts,
    )


def noise_schedule(scheduler: DDIMScheduler) -> NoiseSchedule:
    config = scheduler.config
    return NoiseSchedule(
        alphas_cumprod=scheduler.alphas_cumprod.double(),
        final_alpha_cumprod=float(scheduler.final_alpha_cumprod),
        prediction=config["prediction_type"],
        spacing=config["timestep_spacing"],
        steps_offset=config["steps_offset"],
    )


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("steps", [c for c in COUNTS if c < 1000])
def test_timesteps_are_those_of_diffusers(spacing: str, offset: int, steps: int) -> None:
    scheduler = diffusers_scheduler(spacing, offset)
    scheduler.set_timesteps(steps)
    assert timesteps(noise_schedule(scheduler), steps) == tuple(scheduler.timesteps.tolist())


def test_no_timestep_lies_beyond_the_training_range() -> None:
    noise = noise_schedule(diffusers_scheduler("leading", offset=1))
    assert max(timesteps(noise, 1000)) == 999


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", COUNTS)
def test_a_step_and_the_inverse_step_undo_each_other(spacing: str, steps: int) -> None:
    noise = noise_schedule(diffusers_scheduler(spacing))
    z, eps = photo().double(), photo(seed=2).double()
    for t, t_prev in pairs(timesteps(noise, steps)):
        there = ddim(noise, z, eps, t, t_prev)
        assert (ddim(noise, there, eps, t_prev, t) - z).abs().max() < 1e-10


@pytest.mark.parametrize("steps", [20, 50])
@pytest.mark.parametrize("to_one", [False, True])
def test_a_whole_trajectory_is_that_of_diffusers(steps: int, to_one: bool) -> None:
    scheduler = diffusers_scheduler("leading", to_one=to_one)
    scheduler.set_timesteps(steps)
    noise = noise_schedule(scheduler)
    ours, theirs = photo(), photo()
    for index, (t, t_prev) in enumerate(pairs(timesteps(noise, steps))):
        eps = photo(seed=10 + index)
        ours = ddim(noise, ours, eps, t, t_prev)
        theirs = scheduler.step(eps, t, theirs).prev_sample
    assert torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_velocity_predicting_checkpoint_gives_the_same_step_as_diffusers() -> None:
    scheduler = diffusers_scheduler("leading", predicts="v_prediction")
    scheduler.set_timesteps(20)
    model = replace(tiny_model("sd2"), noise=noise_schedule(scheduler))
    velocity, z = photo(seed=3), photo()

    class Fixed(torch.nn.Linear):
        def forward(self, *_args: object, **_kwargs: object) -> object:
            return type("Output", (), {"sample": velocity})()

    eps = replace(model, unet=Fixed(1, 1)).eps(z, 501, Conditioning(torch.zeros(1, 1, 1)))
    ours = ddim(model.noise, z, eps, 501, 451)
    assert torch.allclose(ours, scheduler.step(velocity, 501, z).prev_sample, atol=1e-5)


def test_the_last_step_leads_to_the_clean_level() -> None:
    noise = noise_schedule(diffusers_scheduler("leading"))
    assert pairs(timesteps(noise, 20))[-1] == (1, CLEAN)
    assert alpha_bar(noise, CLEAN) == noise.final_alpha_cumprod


def test_noise_added_is_noise_found() -> None:
    noise = noise_schedule(diffusers_scheduler("leading"))
    z0, eps = photo().double(), photo(seed=2).double()
    assert torch.allclose(predict_z0(noise, add_noise(noise, z0, eps, 601), eps, 601), z0)


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_an_impossible_number_of_steps_is_refused(steps: int) -> None:
    with pytest.raises(RequestError, match=str(steps)):
        timesteps(noise_schedule(diffusers_scheduler("leading")), steps)


def test_an_unknown_spacing_is_refused_by_name() -> None:
    noise = replace(noise_schedule(diffusers_scheduler("leading")), spacing="golden")
    with pytest.raises(ModelIncapableError, match="golden"):
        timesteps(noise, 10)
