"""Tiny models with random weights, in the true shape of each family.

``tiny_model("sdxl")`` is a DiffusionModel in memory; ``tiny_folder(path, "sdxl")`` writes the same one in
the diffusers layout. Non-square widths, several levels and odd channel counts are deliberate: what holds
here must not depend on 512 pixels, 64 latents or 77 tokens. Same family, seed and sizes, same weights.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from tokenizers import pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from palimpsest.core.model import DiffusionModel, TextPart
from palimpsest.core.networks.unet import UNet
from palimpsest.core.process import Ddpm
from palimpsest.models.families.stable_diffusion.schedule import noise_schedule

#: Every word here is one token; any other word is spelled in bytes (so "squirrel" is eight tokens).
WORDS = (
    "a an the photo picture painting of in on at with and next to style small big red orange yellow green "
    "blue purple white black striped dotted plain cat dog horse bird toy mirror chair table house tree sky "
    "ball cube cone ring star mug grass sand wood snow water brick oil ink mosaic watercolor sitting "
    "standing man woman hat , . -"
).split()


@dataclass(frozen=True)
class Sizes:
    """What a test may change with keyword arguments."""

    sample: int = 8  # latent side of the native picture
    channels: tuple[int, int] = (16, 32)  # of the UNet's two levels
    width: int = 24  # of the (first) text encoder
    second_width: int = 32  # of SDXL's second text encoder
    tokens: int = 32  # context length
    vae_channels: tuple[int, ...] = (8, 8, 16, 16)  # four levels: eight pixels per latent
    prediction: str | None = None  # None: the family's own


SCHEDULERS: dict[str, dict[str, Any]] = {
    "sd1": {"_class_name": "PNDMScheduler", "set_alpha_to_one": False, "skip_prk_steps": True},
    "sd2": {
        "_class_name": "DDIMScheduler",
        "set_alpha_to_one": False,
        "clip_sample": False,
        "prediction_type": "v_prediction",
    },
    "sdxl": {"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"},
}


def tiny_model(family: str = "sd1", seed: int = 0, **sizes: Any) -> DiffusionModel:
    """A frozen float32 model on the CPU with random weights."""
    size = replace(Sizes(), **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        text = _text_parts(family, size)
        unet, vae = _unet(family, size), _vae(family, size)
    for network in (unet, vae, *(part.encoder for part in text)):
        network.requires_grad_(False).eval()
    return DiffusionModel(
        network=UNet(unet),
        vae=vae,
        text=text,
        process=noise_schedule(scheduler_config(family, size)),
        family=family,
        weights_hash=f"tiny-{family}-{seed}-{size}",
        zero_null=family == "sdxl",
    )


def ddpm_of(model: DiffusionModel) -> Ddpm:
    """Its noise process, which is a diffusion's."""
    assert isinstance(model.process, Ddpm)
    return model.process


def tiny_folder(path: Path, family: str = "sd1", seed: int = 0, **sizes: Any) -> Path:
    """Write ``tiny_model(...)`` to ``path`` in the diffusers layout, and return ``path``."""
    model = tiny_model(family, seed, **sizes)
    model.network.module.save_pretrained(path / "unet")
    model.vae.save_pretrained(path / "vae")
    for name, part in zip(("", "_2"), model.text, strict=False):
        part.encoder.save_pretrained(path / f"text_encoder{name}")
        part.tokenizer.save_pretrained(path / f"tokenizer{name}")
    scheduler = scheduler_config(family, replace(Sizes(), **sizes))
    _write_json(path / "scheduler" / "scheduler_config.json", scheduler)
    _write_json(path / "model_index.json", _model_index(family, scheduler))
    return path


def scheduler_config(family: str, size: Sizes) -> dict[str, Any]:
    common = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
        "prediction_type": "epsilon",
        "steps_offset": 1,
    }
    own = SCHEDULERS[family]
    chosen = {} if size.prediction is None else {"prediction_type": size.prediction}
    return {**common, **own, **chosen}


@lru_cache(maxsize=2)
def _vocabulary() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """CLIP's own construction: 256 byte symbols, the same at a word's end, merges, two marks."""
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: index for index, symbol in enumerate(symbols + [s + "</w>" for s in symbols])}
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pieces = _apply(merges, [*word[:-1], word[-1] + "</w>"])
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            vocabulary.setdefault(pieces[0] + pieces[1], len(vocabulary))
            pieces = _apply(merges, pieces)
    for mark in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[mark] = len(vocabulary)
    return vocabulary, tuple(merges)


def _apply(merges: list[tuple[str, str]], pieces: list[str]) -> list[str]:
    for left, right in merges:
        index = 0
        while index < len(pieces) - 1:
            if (pieces[index], pieces[index + 1]) == (left, right):
                pieces[index : index + 2] = [left + right]
            index += 1
    return pieces


def tiny_tokenizer(pad: str = "<|endoftext|>", tokens: int = 32) -> Any:
    """Bare lower-case CLIP byte pairs; SD 2.x and SDXL's second tokenizer pad with ``!`` (id 0)."""
    vocabulary, merges = _vocabulary()
    pairs: Any = list(merges)  # declared as of texts, which are split into pairs
    return CLIPTokenizer(vocab=dict(vocabulary), merges=pairs, pad_token=pad, model_max_length=tokens)


def _text_parts(family: str, size: Sizes) -> tuple[TextPart, ...]:
    if family == "sd1":
        return (TextPart(tiny_tokenizer(tokens=size.tokens), _encoder(size, size.width)),)
    if family == "sd2":
        return (TextPart(tiny_tokenizer("!", size.tokens), _encoder(size, size.width, act="gelu")),)
    second = _encoder(size, size.second_width, projection=size.second_width, act="gelu")
    return (
        TextPart(tiny_tokenizer(tokens=size.tokens), _encoder(size, size.width), hidden_state=-2),
        TextPart(tiny_tokenizer("!", size.tokens), second, hidden_state=-2, pooled=True),
    )


def _encoder(size: Sizes, width: int, projection: int | None = None, act: str = "quick_gelu") -> Any:
    vocabulary, _ = _vocabulary()
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=size.tokens,
        hidden_act=act,
        projection_dim=width if projection is None else projection,
        bos_token_id=vocabulary["<|startoftext|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
        pad_token_id=vocabulary["<|endoftext|>"],
    )
    return CLIPTextModel(config) if projection is None else CLIPTextModelWithProjection(config)


def _unet(family: str, size: Sizes) -> Any:
    common: dict[str, Any] = {
        "sample_size": size.sample,
        "block_out_channels": size.channels,
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "attention_head_dim": (2, 4),  # the number of heads per level, as in the published configurations
    }
    if family != "sdxl":
        return UNet2DConditionModel(
            **common,
            cross_attention_dim=size.width,
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            use_linear_projection=family == "sd2",
        )
    layers: Any = [1, 2]  # as published; declared as one number or tuples
    return UNet2DConditionModel(
        **common,
        cross_attention_dim=size.width + size.second_width,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=layers,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=size.second_width + 6 * 8,
    )


def _vae(family: str, size: Sizes) -> Any:
    levels = len(size.vae_channels)
    blocks: dict[str, Any] = {  # declared as tuples of one
        "block_out_channels": size.vae_channels,
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
    }
    return AutoencoderKL(
        **blocks,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=size.sample * 2 ** (levels - 1),
        scaling_factor=0.13025 if family == "sdxl" else 0.18215,
        force_upcast=family == "sdxl",
    )


def _model_index(family: str, scheduler: dict[str, Any]) -> dict[str, Any]:
    index: dict[str, Any] = {
        "_class_name": "StableDiffusionXLPipeline" if family == "sdxl" else "StableDiffusionPipeline",
        "scheduler": ["diffusers", scheduler["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    if family == "sdxl":
        index["text_encoder_2"] = ["transformers", "CLIPTextModelWithProjection"]
        index["force_zeros_for_empty_prompt"] = True
        index["tokenizer_2"] = ["transformers", "CLIPTokenizer"]
    return index


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
