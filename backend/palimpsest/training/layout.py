"""The parts of the built-in model and the folder they are kept in: the ordinary Stable Diffusion layout.

A folder written here is read by ``diffusers.StableDiffusionPipeline.from_pretrained`` and by every loader of
that layout. Beside ``model_index.json`` lie ``palimpsest.json``, how the model is best used, and
``provenance.json``, how it was made, with the sha256 of each weight file.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from palimpsest.errors import ModelUnreadableError
from palimpsest.training.presets import Preset, TextShape, UNetShape, VaeShape
from palimpsest.training.tokenizer import BEGIN, END, save_tokenizer

USE = "palimpsest.json"
PROVENANCE = "provenance.json"
SCALING = 0.18215  # Stable Diffusion's; the normalisation of the latents is baked into the autoencoder for it


@dataclass
class Parts:
    """The five parts of a latent diffusion model."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    vae: AutoencoderKL
    unet: UNet2DConditionModel
    scheduler: DDIMScheduler

    def modules(self) -> Iterator[nn.Module]:
        yield from (self.text_encoder, self.vae, self.unet)

    def to(self, device: torch.device) -> Parts:
        for module in self.modules():
            module.to(device)
        return self


def build(preset: Preset, tokenizer: CLIPTokenizer) -> Parts:
    """New parts with random weights, drawn from the preset's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(preset.seed)
        text_encoder = build_text_encoder(preset.text, tokenizer)
        vae = build_vae(preset.vae, preset.size)
        unet = build_unet(preset.unet, preset)
    return Parts(tokenizer, text_encoder, vae, unet, build_scheduler())


def build_text_encoder(shape: TextShape, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    rows = tokenizer.get_vocab()
    model = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.width,
            intermediate_size=4 * shape.width,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=shape.context,
            projection_dim=shape.width,
            hidden_act="quick_gelu",
            bos_token_id=rows[BEGIN],
            eos_token_id=rows[END],
            pad_token_id=rows[END],
        )
    )
    # CLIP's 0.02 leaves words nearly alike, and a text encoder this small takes long to part them.
    nn.init.normal_(model.get_input_embeddings().weight, std=0.2)  # pyright: ignore[reportArgumentType]
    return model


def build_vae(shape: VaeShape, size: int) -> AutoencoderKL:
    levels = len(shape.channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,  # pyright: ignore[reportArgumentType]
        up_block_types=("UpDecoderBlock2D",) * levels,  # pyright: ignore[reportArgumentType]
        block_out_channels=shape.channels,  # pyright: ignore[reportArgumentType]
        latent_channels=shape.latent_channels,
        norm_num_groups=shape.groups,
        layers_per_block=1,
        sample_size=size,
        scaling_factor=SCALING,
        mid_block_add_attention=False,
    )


def build_unet(shape: UNetShape, preset: Preset) -> UNet2DConditionModel:
    levels = len(shape.channels)
    return UNet2DConditionModel(
        sample_size=preset.latent_size,
        in_channels=preset.vae.latent_channels,
        out_channels=preset.vae.latent_channels,
        layers_per_block=shape.layers,
        block_out_channels=shape.channels,
        down_block_types=("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (levels - 1),
        cross_attention_dim=preset.text.width,
        # diffusers' name for the number of heads in this layout
        attention_head_dim=shape.heads,  # pyright: ignore[reportArgumentType]
        norm_num_groups=shape.groups,
    )


def build_scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise schedule, sampled by DDIM (Song et al. 2021)."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def save(parts: Parts, folder: Path, use: dict[str, Any], provenance: dict[str, Any]) -> None:
    """Write ``parts`` as float16 safetensors, ``use``, and ``provenance`` with the weight files' hashes."""
    text_encoder, vae, unet = (copy.deepcopy(m).to("cpu", torch.float16) for m in parts.modules())
    StableDiffusionPipeline(
        vae=vae,  # pyright: ignore[reportArgumentType]
        text_encoder=text_encoder,  # pyright: ignore[reportArgumentType]
        tokenizer=parts.tokenizer,
        unet=unet,  # pyright: ignore[reportArgumentType]
        scheduler=parts.scheduler,  # pyright: ignore[reportArgumentType]
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)
    save_tokenizer(parts.tokenizer, folder / "tokenizer")
    _forget_origin(folder)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)  # written readable by their owner alone
    write_json(folder / USE, use)
    write_json(folder / PROVENANCE, {**provenance, "sha256": weight_hashes(folder)})


def _forget_origin(folder: Path) -> None:
    """Drop the path that diffusers notes in each configuration: it names the trainer's own disk."""
    for file in (*folder.glob("*.json"), *folder.glob("*/*.json")):
        stored = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(stored, dict) and stored.pop("_name_or_path", None) is not None:
            write_json(file, stored)


def weight_hashes(folder: Path) -> dict[str, str]:
    """sha256 of every weight file below ``folder``, by its path with forward slashes."""
    files = sorted(folder.rglob("*.safetensors"))
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def write_json(file: Path, content: Any) -> None:
    """Write ``content`` whole or not at all."""
    partial = file.with_name(file.name + ".partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(file)


def load(folder: Path) -> Parts:
    """The parts kept in ``folder``, in float32 and in evaluation mode."""
    if not (folder / "model_index.json").is_file():
        raise ModelUnreadableError(
            f"{folder} holds no model_index.json.",
            "Give a folder in the Stable Diffusion layout.",
            folder=str(folder),
        )
    full = {"torch_dtype": torch.float32, "local_files_only": True}
    return Parts(
        tokenizer=CLIPTokenizer.from_pretrained(str(folder / "tokenizer"), local_files_only=True),
        text_encoder=CLIPTextModel.from_pretrained(
            str(folder / "text_encoder"), torch_dtype=torch.float32, local_files_only=True
        ).eval(),
        vae=AutoencoderKL.from_pretrained(folder, subfolder="vae", **full).eval(),
        unet=UNet2DConditionModel.from_pretrained(folder, subfolder="unet", **full).eval(),
        scheduler=_scheduler(folder),
    )


def _scheduler(folder: Path) -> DDIMScheduler:
    loaded = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    assert isinstance(loaded, DDIMScheduler), "only return_unused_kwargs gives a pair"
    return loaded
