"""The noise processes: their levels are diffusers' own, and the way between two is DDIM's or Euler's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.networks.unet import UNet
from palimpsest.core.process import (
    Ddpm,
    Estimate,
    Flow,
    Process,
    move,
    noise_between,
    noised,
    pairs,
    second_order_step,
)
from palimpsest.errors import ModelIncapableError, RequestError
from tiny import tiny_model
from tiny_edit import photo

Spacing = Literal["leading", "linspace", "trailing"]
SPACINGS = ("leading", "linspace", "trailing")
COUNTS = (1, 7, 20, 33, 50, 1000)


def diffusers_scheduler(
    spacing: Spacing = "leading",
    offset: int = 1,
    to_one: bool = False,
    predicts: Literal["epsilon", "v_prediction"] = "epsilon",
) -> DDIMScheduler:
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


def ddpm(scheduler: DDIMScheduler) -> Ddpm:
    config = scheduler.config
    return Ddpm(
        alphas_cumprod=scheduler.alphas_cumprod.double(),
        final_alpha_cumprod=float(scheduler.final_alpha_cumprod),
        prediction=config["prediction_type"],
        spacing=config["timestep_spacing"],
        steps_offset=config["steps_offset"],
    )


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("steps", [c for c in COUNTS if c < 1000])
def test_timesteps_are_those_of_diffusers(spacing: Spacing, offset: int, steps: int) -> None:
    scheduler = diffusers_scheduler(spacing, offset)
    scheduler.set_timesteps(steps)
    assert ddpm(scheduler).levels(steps) == tuple(scheduler.timesteps.tolist())


def test_no_timestep_lies_beyond_the_training_range() -> None:
    process = ddpm(diffusers_scheduler("leading", offset=1))
    assert max(process.levels(1000)) == 999


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", COUNTS)
def test_a_step_and_the_inverse_step_undo_each_other(spacing: Spacing, steps: int) -> None:
    process = ddpm(diffusers_scheduler(spacing))
    z, eps = photo().double(), photo(seed=2).double()
    for t, t_prev in pairs(process, process.levels(steps)):
        there = move(process, z, eps, t, t_prev)
        assert (move(process, there, eps, t_prev, t) - z).abs().max() < 1e-10


@pytest.mark.parametrize("steps", [20, 50])
@pytest.mark.parametrize("to_one", [False, True])
def test_a_whole_trajectory_is_that_of_diffusers(steps: int, to_one: bool) -> None:
    scheduler = diffusers_scheduler("leading", to_one=to_one)
    scheduler.set_timesteps(steps)
    process = ddpm(scheduler)
    ours, theirs = photo(), photo()
    for index, (t, t_prev) in enumerate(pairs(process, process.levels(steps))):
        eps = photo(seed=10 + index)
        ours = move(process, ours, eps, t, t_prev)
        theirs = scheduler.step(eps, int(t), theirs)[0]
    assert torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_velocity_predicting_checkpoint_gives_the_same_step_as_diffusers() -> None:
    scheduler = diffusers_scheduler("leading", predicts="v_prediction")
    scheduler.set_timesteps(20)
    model = replace(tiny_model("sd2"), process=ddpm(scheduler))
    velocity, z = photo(seed=3), photo()

    class Fixed(torch.nn.Linear):
        def forward(self, input: Tensor, *_: object, **__: object) -> Any:
            return SimpleNamespace(sample=velocity)

    eps = replace(model, network=UNet(Fixed(1, 1))).predict(z, 501, Conditioning(torch.zeros(1, 1, 1)))
    ours = move(model.process, z, eps, 501, 451)
    assert torch.allclose(ours, scheduler.step(velocity, 501, z)[0], atol=1e-5)


def test_the_last_step_leads_to_the_clean_level() -> None:
    process = ddpm(diffusers_scheduler("leading"))
    assert pairs(process, process.levels(20))[-1] == (1, process.clean)
    assert process.alpha_bar(process.clean) == process.final_alpha_cumprod


def test_noise_added_is_noise_found() -> None:
    process = ddpm(diffusers_scheduler("leading"))
    z0, eps = photo().double(), photo(seed=2).double()
    z = noised(process, z0, eps, 601)
    assert torch.allclose(process.split(z, eps, 601)[0], z0)
    assert torch.allclose(noise_between(process, z, z0, 601), eps)


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_an_impossible_number_of_steps_is_refused(steps: int) -> None:
    with pytest.raises(RequestError, match=str(steps)):
        ddpm(diffusers_scheduler("leading")).levels(steps)


def test_an_unknown_spacing_is_refused_by_name() -> None:
    process = replace(ddpm(diffusers_scheduler("leading")), spacing="golden")
    with pytest.raises(ModelIncapableError, match="golden"):
        process.levels(10)


STEPS = (1, 4, 8, 28, 50)


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("steps", STEPS)
def test_the_levels_of_a_flow_are_those_of_diffusers(shift: float, steps: int) -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=1.0)
    scheduler.set_shift(shift)
    scheduler.set_timesteps(sigmas=[1 - i / steps for i in range(steps)])
    ours = torch.tensor([*Flow(shift).levels(steps), Flow(shift).clean], dtype=torch.float64)
    assert isinstance(scheduler.sigmas, Tensor)
    assert (ours - scheduler.sigmas.double()).abs().max() < 2e-7


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("steps", STEPS)
def test_moving_along_a_flow_is_eulers_step_and_comes_back(shift: float, steps: int) -> None:
    flow, z, v = Flow(shift), photo().double(), photo(seed=2).double()
    for level, cleaner in pairs(flow, flow.levels(steps)):
        there = move(flow, z, v, level, cleaner)
        assert (there - (z + (cleaner - level) * v)).abs().max() < 1e-12
        assert (move(flow, there, v, cleaner, level) - z).abs().max() < 1e-12


@pytest.mark.parametrize("process", [ddpm(diffusers_scheduler("leading")), Flow(3.0)])
def test_what_should_be_predicted_splits_into_what_was_mixed(process: Ddpm | Flow) -> None:
    z0, eps = photo().double(), photo(seed=2).double()
    for share in (0.1, 0.5, 0.9):
        level = process.level(share)
        target = process.target(z0, eps)
        found = process.split(noised(process, z0, eps, level), target, level)
        assert torch.allclose(found[0], z0, atol=1e-10)
        assert torch.allclose(found[1], eps, atol=1e-10)
        assert not process.errors(target, target, torch.tensor([level])).any()


@pytest.mark.parametrize("process", [ddpm(diffusers_scheduler("leading")), Flow(3.0)])
def test_levels_between_two_shares_are_drawn_evenly_and_lie_between_them(process: Ddpm | Flow) -> None:
    at = torch.arange(8) / 8
    levels = process.between((0.1, 0.9), at)
    assert levels == sorted(set(levels))
    assert process.level(0.1) - 1 <= levels[0]
    assert levels[-1] < process.level(0.9)


def sampled(process: Process, z: Tensor, steps: int, second_order: bool, spread: float) -> Tensor:
    """From noise to the clean level of pictures that are Gaussian with a deviation of ``spread``, by the best
    prediction there is."""
    last: Estimate | None = None
    for level, to in pairs(process, process.levels(steps)):
        a, b = process.scales(level)
        z0, eps = (part * z / (a * a * spread * spread + b * b) for part in (a * spread * spread, b))
        z, found = second_order_step(process, z, process.target(z0, eps), level, to, last)
        last = found if second_order else None
    return z


@pytest.mark.parametrize("process", [ddpm(diffusers_scheduler("leading")), Flow(1.0)])
def test_the_error_of_second_order_falls_with_the_square_of_the_steps(process: Process) -> None:
    spread, z = 0.5, photo().double()

    def error(steps: int, second_order: bool) -> float:
        ends = [process.scales(level) for level in (process.levels(steps)[0], process.clean)]
        noisy, clean = ((a * a * spread * spread + b * b) ** 0.5 for a, b in ends)
        drawn = sampled(process, z, steps, second_order, spread)
        return (drawn - z * clean / noisy).abs().max().item()

    assert error(320, second_order=True) < error(160, second_order=True) / 3
    assert error(320, second_order=False) > error(160, second_order=False) / 2.1
    assert error(40, second_order=True) < error(40, second_order=False)


@pytest.mark.parametrize("steps", [2, 10, 33])
def test_second_order_steps_are_those_of_diffusers(steps: int) -> None:
    process = ddpm(diffusers_scheduler())
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        final_sigmas_type="sigma_min",
        euler_at_final=True,
    )
    scheduler.set_timesteps(timesteps=list(process.levels(steps)))
    ours = theirs = photo().double()
    last: Estimate | None = None
    for level, to in pairs(process, process.levels(steps)):
        eps = photo(seed=int(level)).double()
        ours, last = second_order_step(process, ours, eps, level, to, last)
        (theirs,) = scheduler.step(eps, int(level), theirs, return_dict=False)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
