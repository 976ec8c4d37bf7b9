"""The noise schedule is the one diffusers' own schedulers compute from the same configuration."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler

from palimpsest.errors import ModelUnreadableError
from palimpsest.models.families.stable_diffusion.schedule import noise_schedule

SCALED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


@pytest.mark.parametrize(
    "config",
    [
        SCALED,
        {**SCALED, "set_alpha_to_one": False},
        {"beta_start": 0.0015, "beta_end": 0.0195, "num_train_timesteps": 700},
        {"trained_betas": [0.001, 0.002, 0.004, 0.008]},
    ],
)
def test_alphas_are_those_of_diffusers(config: dict[str, Any]) -> None:
    reference, ours = DDIMScheduler(**config), noise_schedule({**config, "_class_name": "DDIMScheduler"})
    assert torch.allclose(ours.alphas_cumprod.float(), reference.alphas_cumprod, rtol=1e-4)
    assert ours.final_alpha_cumprod == pytest.approx(float(reference.final_alpha_cumprod), rel=1e-4)


def test_a_published_sampler_keeps_its_own_end() -> None:
    reference = PNDMScheduler(**SCALED)
    ours = noise_schedule({**SCALED, "_class_name": "PNDMScheduler"})
    assert ours.final_alpha_cumprod == pytest.approx(float(reference.final_alpha_cumprod), rel=1e-4)


def test_zero_terminal_noise_is_rescaled_and_stays_finite() -> None:
    reference = DDIMScheduler(**SCALED, rescale_betas_zero_snr=True)
    ours = noise_schedule({**SCALED, "rescale_betas_zero_snr": True})
    assert torch.allclose(ours.alphas_cumprod[:-1].float(), reference.alphas_cumprod[:-1], rtol=1e-3)
    assert 0 < ours.alphas_cumprod[-1] < 1e-6


@pytest.mark.parametrize(
    "config",
    [{"prediction_type": "sample"}, {"timestep_spacing": "karras"}, {"beta_schedule": "squaredcos_cap_v2"}],
)
def test_an_unknown_parametrisation_is_refused_by_name(config: dict[str, Any]) -> None:
    (value,) = config.values()
    with pytest.raises(ModelUnreadableError, match=value):
        noise_schedule(config)
