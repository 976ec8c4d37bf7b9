"""A checkpoint's noise schedule, read from its scheduler configuration.

Only the forward process matters here (the ᾱ_t of Ho et al. 2020 and where the timesteps lie); which
sampler the checkpoint was published with (PNDM, Euler, DDIM) does not change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.process import Ddpm
from palimpsest.models.families.stable_diffusion.configuration import SCHEDULE_FIELDS, one_of


def noise_schedule(config: Mapping[str, Any]) -> Ddpm:
    """``config`` is the content of ``scheduler/scheduler_config.json``.

    Raises ModelUnreadableError for a parametrisation that the product does not know.
    """
    alphas_cumprod = torch.cumprod(1 - _betas(config), dim=0)
    if config.get("rescale_betas_zero_snr", False):
        alphas_cumprod = _rescale_to_zero_terminal_snr(alphas_cumprod)
    ends_at_one = config.get("set_alpha_to_one", config.get("_class_name") != "PNDMScheduler")
    return Ddpm(
        alphas_cumprod=alphas_cumprod,
        final_alpha_cumprod=1.0 if ends_at_one else float(alphas_cumprod[0]),
        prediction=one_of(config, "prediction_type", SCHEDULE_FIELDS["prediction_type"]),
        spacing=one_of(config, "timestep_spacing", SCHEDULE_FIELDS["timestep_spacing"]),
        steps_offset=int(config.get("steps_offset", 1)),  # absent only from old files, which meant 1
        distilled_levels=int(config.get("original_inference_steps", 50)),
    )


def _betas(config: Mapping[str, Any]) -> Tensor:
    train_steps = int(config.get("num_train_timesteps", 1000))
    start, end = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
    if config.get("trained_betas") is not None:
        return torch.tensor(config["trained_betas"], dtype=torch.float64)
    if one_of(config, "beta_schedule", SCHEDULE_FIELDS["beta_schedule"]) == "linear":
        return torch.linspace(start, end, train_steps, dtype=torch.float64)
    return torch.linspace(start**0.5, end**0.5, train_steps, dtype=torch.float64) ** 2


def _rescale_to_zero_terminal_snr(alphas_cumprod: Tensor) -> Tensor:
    """Lin et al. 2023, algorithm 1: shift and scale √ᾱ so that the last one is 0 and the first stays.

    The last is kept a hair above 0, where ε and x_0 of a v-predicting model are still defined.
    """
    root = alphas_cumprod.sqrt()
    scaled = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return (scaled**2).clamp(min=2.0**-24)
