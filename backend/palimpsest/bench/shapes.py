"""Models in the true shapes of the published families, with random weights: for time and memory alone.

A network takes as long for random numbers as for learned ones. The pictures mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from palimpsest.bench.model_options import WEIGHTS
from palimpsest.core.model import DiffusionModel
from palimpsest.models.families.stable_diffusion import published
from palimpsest.models.families.stable_diffusion.configuration import Configuration
from palimpsest.models.families.stable_diffusion.load import assemble, encoder_class, place_of
from palimpsest.models.libraries import quiet_libraries
from palimpsest.models.plan import HIGH, Plan

FAMILIES = {"sd15": "sd1", "sd21": "sd2", "sdxl": "sdxl", "tiny": "sd1"}
PREDICTIONS = {"sd2": "v_prediction"}  # of SD 2.1 at 768 pixels
TINY_UNET: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": [16, 16, 32, 32],
    "layers_per_block": 1,
    "attention_head_dim": 2,
    "norm_num_groups": 8,
    "cross_attention_dim": 32,
}
TINY_VAE: dict[str, Any] = {
    "block_out_channels": [8, 8, 8, 8],
    "layers_per_block": 1,
    "norm_num_groups": 4,
}
TINY_ENCODER: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "projection_dim": 32,
}


def random_model(shape: str, device: torch.device, plan: Plan = HIGH) -> DiffusionModel:
    """The model called ``shape`` in FAMILIES, made for ``device`` in the precision it would be loaded in.

    Its tokenizer is the built-in model's: a sentence is as long in tokens, whatever they mean.
    """
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTokenizer

    chosen = configuration(shape)
    tokenizer = CLIPTokenizer.from_pretrained(WEIGHTS / "tokenizer", local_files_only=True)
    place = place_of(chosen, device, plan)
    main = torch.device("cpu")
    with _made_on(device if plan.network else main, place.unet):
        unet = place.put(UNet2DConditionModel.from_config(dict(chosen.unet)), plan.network)
    with _made_on(device if plan.vae else main, place.vae):
        vae = place.put(AutoencoderKL.from_config(dict(chosen.vae)), plan.vae)
    with _made_on(device if plan.text else main, place.text):
        made = [encoder_class(config)(CLIPTextConfig(**config)) for config in chosen.encoders]
        text = [(tokenizer, place.put(encoder, plan.text)) for encoder in made]
    with quiet_libraries():
        return assemble(chosen, (unet, vae), text, f"random weights, {shape}", place)


def configuration(shape: str) -> Configuration:
    family = FAMILIES[shape]
    tiny = shape == "tiny"
    smaller = TINY_ENCODER if tiny else {}
    prediction = PREDICTIONS.get(family, "epsilon")
    return Configuration(
        where=Path(shape),
        unet={**published.UNETS[family], **(TINY_UNET if tiny else {})},
        vae={**published.VAES[family], **(TINY_VAE if tiny else {})},
        encoders=tuple({**encoder, **smaller} for encoder in published.ENCODERS[family]),
        scheduler={**published.SCHEDULER, "prediction_type": prediction},
        own={},
        index={},
    )


@contextmanager
def _made_on(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Networks made inside are there and so; the caller's random numbers go on as before."""
    before = torch.get_default_dtype()
    used = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=used), torch.device(device):
        torch.manual_seed(0)
        torch.set_default_dtype(dtype)
        try:
            yield
        finally:
            torch.set_default_dtype(before)
