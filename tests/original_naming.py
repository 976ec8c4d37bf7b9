"""Write a tiny model the way the original codes do: one file, CompVis / Stability / OpenCLIP names.

The inverse of what the product reads, written from the published naming scheme and not from the product.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig

from palimpsest.models.families.stable_diffusion import published
from palimpsest.models.families.stable_diffusion.load import encoder_class
from tiny import tiny_folder, tiny_model

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET_TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
TEXT_PREFIX = {
    "sd1": ("cond_stage_model.transformer.",),
    "sd2": ("cond_stage_model.model.",),
    "sdxl": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
}


def single_file(
    path: Path,
    family: str,
    with_companion: bool = True,
    sizes: Mapping[str, Any] | None = None,
    **extra: Tensor,
) -> Path:
    """Write ``tiny_model(family)`` to ``path`` and what the file can't say to its companion folder."""
    sizes = {} if sizes is None else sizes
    model = tiny_model(family, **sizes)
    weights = {f"model.diffusion_model.{k}": v for k, v in unet_weights(model.network.module).items()}
    weights |= {f"first_stage_model.{k}": v for k, v in vae_weights(model.vae).items()}
    for index, (part, prefix) in enumerate(zip(model.text, TEXT_PREFIX[family], strict=True)):
        original_clip = family == "sd1" or (family == "sdxl" and index == 0)
        text = clip_weights(part.encoder) if original_clip else open_clip_weights(part.encoder)
        weights |= {prefix + k: v for k, v in text.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.clone().contiguous() for k, v in {**weights, **extra}.items()}, path)
    if with_companion:
        folder = tiny_folder(path.with_suffix(""), family, **sizes)
        (folder / "model_index.json").unlink()
        for weights_file in folder.glob("*/*.safetensors"):
            weights_file.unlink()
    return path


def unet_weights(unet: Any) -> dict[str, Tensor]:
    layers = unet.config.layers_per_block
    state = {_unet_name(key, layers): value for key, value in unet.state_dict().items()}
    with_attention = {".".join(key.split(".")[:2]) for key in state if ".attn1." in key}
    return {_number_upsampler(key, with_attention): value for key, value in state.items()}


def _number_upsampler(key: str, with_attention: set[str]) -> str:
    """An upsampler follows the attention of its block, or the resnet where there is none."""
    return key.replace(".UP.", ".2." if key.split(".UP.")[0] in with_attention else ".1.")


def vae_weights(vae: Any) -> dict[str, Tensor]:
    levels = len(vae.config.block_out_channels)
    named = {_vae_name(key, levels): value for key, value in vae.state_dict().items()}
    for key, value in named.items():  # the originals are 1x1 convolutions
        if ".attn_1." in key and value.ndim == 2:
            named[key] = value[:, :, None, None]
    return named


def clip_weights(encoder: Any) -> dict[str, Tensor]:
    return {_with_prefix(key): value for key, value in encoder.state_dict().items()}


def open_clip_weights(encoder: Any) -> dict[str, Tensor]:
    state = clip_weights(encoder)
    projection = state.pop("text_projection.weight", None)
    named = {
        "token_embedding.weight": state["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": state["text_model.embeddings.position_embedding.weight"],
        "ln_final.weight": state["text_model.final_layer_norm.weight"],
        "ln_final.bias": state["text_model.final_layer_norm.bias"],
        "logit_scale": torch.tensor(1.0),
    }
    for layer in range(encoder.config.num_hidden_layers + 1):  # OpenCLIP has a last layer nobody reads
        source = f"text_model.encoder.layers.{min(layer, encoder.config.num_hidden_layers - 1)}."
        named |= _open_clip_layer(state, source, f"transformer.resblocks.{layer}.")
    if projection is not None:
        named["text_projection"] = projection.T
    return named


def _open_clip_layer(state: dict[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    names = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    layer = {}
    for kind in ("weight", "bias"):
        for ours, theirs in names.items():
            layer[f"{target}{theirs}.{kind}"] = state[f"{source}{ours}.{kind}"]
        parts = [state[f"{source}self_attn.{part}_proj.{kind}"] for part in "qkv"]
        layer[f"{target}attn.in_proj_{kind}"] = torch.cat(parts)
    return layer


def _with_prefix(key: str) -> str:
    return key if key.startswith("text_") else f"text_model.{key}"


def _unet_name(key: str, layers: int) -> str:
    for ours, theirs in UNET_TOP.items():
        if key.startswith(ours + "."):
            return theirs + key[len(ours) :]
    part, *rest = key.split(".")
    if part == "mid_block":
        kind, index, *tail = rest
        place = 1 if kind == "attentions" else 2 * int(index)
        return f"middle_block.{place}." + _inner(kind, ".".join(tail))
    block, kind, index, *tail = rest
    if part == "down_blocks":
        first = 1 + int(block) * (layers + 1)
        if kind == "downsamplers":
            return f"input_blocks.{first + layers}.0.op." + tail[-1]
        place = f"input_blocks.{first + int(index)}.{int(kind == 'attentions')}."
        return place + _inner(kind, ".".join(tail))
    first = int(block) * (layers + 1)
    if kind == "upsamplers":
        return f"output_blocks.{first + layers}.UP.conv." + tail[-1]
    place = f"output_blocks.{first + int(index)}.{int(kind == 'attentions')}."
    return place + _inner(kind, ".".join(tail))


def _inner(kind: str, tail: str) -> str:
    if kind == "attentions":
        return tail
    for ours, theirs in RESNET.items():
        if tail.startswith(ours + "."):
            return theirs + tail[len(ours) :]
    raise KeyError(tail)


def _vae_name(key: str, levels: int) -> str:
    parts = key.split(".")
    side = parts[0]
    if "mid_block" in key:
        kind, index, *tail = parts[2:]
        if kind == "resnets":
            return f"{side}.mid.block_{int(index) + 1}." + ".".join(tail)
        inner = ".".join(tail)
        for ours, theirs in VAE_ATTENTION.items():
            if inner.startswith(ours + "."):
                return f"{side}.mid.attn_1.{theirs}{inner[len(ours) :]}"
    if len(parts) > 1 and parts[1] in ("down_blocks", "up_blocks"):
        block, kind, index, *tail = parts[2:]
        level = int(block) if parts[1] == "down_blocks" else levels - 1 - int(block)
        direction = "down" if parts[1] == "down_blocks" else "up"
        if kind == "resnets":
            inner = ".".join(tail).replace("conv_shortcut", "nin_shortcut")
            return f"{side}.{direction}.{level}.block.{index}.{inner}"
        sampler = "downsample" if direction == "down" else "upsample"
        return f"{side}.{direction}.{level}.{sampler}.{'.'.join(tail)}"
    return key.replace("conv_norm_out", "norm_out")


def sparse_file(
    path: Path,
    shapes: Mapping[str, Sequence[int]],
    dtypes: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A safetensors file with a true header, of the true size, that takes no room: all its numbers are 0."""
    bits = {"F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "U8": 8, "I8": 8, "I64": 64}
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    end = 0
    for key, shape in shapes.items():
        dtype = (dtypes or {}).get(key, "F16")
        start, end = end, end + math.prod(shape) * bits[dtype] // 8
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return path


@lru_cache(maxsize=3)
def published_shapes(family: str) -> Mapping[str, tuple[int, ...]]:
    """Every weight of the published checkpoint, by its original name."""
    with torch.device("meta"):
        unet = unet_weights(UNet2DConditionModel.from_config(published.UNETS[family]))
        vae = vae_weights(AutoencoderKL.from_config(published.VAES[family]))
        named = {f"model.diffusion_model.{key}": value for key, value in unet.items()}
        named |= {f"first_stage_model.{key}": value for key, value in vae.items()}
        for index, config in enumerate(published.ENCODERS[family]):
            encoder = encoder_class(config)(CLIPTextConfig(**config))
            clip = family == "sd1" or (family == "sdxl" and index == 0)
            text = clip_weights(encoder) if clip else open_clip_weights(encoder)
            named |= {TEXT_PREFIX[family][index] + key: value for key, value in text.items()}
    return {key: tuple(value.shape) for key, value in named.items()}


def copy_without(folder: Path, target: Path, *parts: str) -> Path:
    """A copy of a model folder that lacks some files or folders."""
    shutil.copytree(folder, target)
    for part in parts:
        place = target / part
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    return target
