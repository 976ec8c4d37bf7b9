"""What a file or folder is that is no model to edit with, known by names, shapes and configurations alone.

One table of kinds, each with the sentence that refuses it, and below it the marks by which each is
recognised: names of weights (as CompVis, Stability AI, kohya, ComfyUI and diffusers save them), numbers
of input channels, schedulers, and fields of a UNet's configuration. Torch is not imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.errors import ModelIncapableError
from palimpsest.models.header import Header

PLAIN = "Use a text-to-image model of Stable Diffusion 1.x, 2.x or SDXL."
ORIGINAL = "Use the model that it was made from."
PART = "Use it with a whole checkpoint in the program it was made for; Palimpsest edits with whole models."


@dataclass(frozen=True)
class Kind:
    """``what`` completes "m.safetensors is …"; ``instead`` is what to do."""

    what: str
    instead: str = PLAIN


KINDS: dict[str, Kind] = {
    # trained by another rule than DDPM's
    "edm": Kind("trained by EDM's rule on rescaled latents, as Playground 2.5 is, which isn't run yet"),
    "cosxl": Kind("a CosXL model, trained by EDM's rule with v-prediction, which isn't run yet"),
    "flow": Kind("trained by flow matching, which isn't run yet"),
    "consistency": Kind("a consistency model, which isn't run yet", ORIGINAL),
    # trained for another task
    "inpainting": Kind("an inpainting model", ORIGINAL),
    "edit": Kind("a model that edits by instructions (InstructPix2Pix and its like)", ORIGINAL),
    "depth": Kind("a depth-guided model", ORIGINAL),
    "upscaling": Kind("an upscaling model"),
    "refiner": Kind("an SDXL refiner, which only finishes pictures", "Use the SDXL base model."),
    "unclip": Kind("an unCLIP model, which varies pictures", ORIGINAL),
    "gligen": Kind("a GLIGEN model, which places things in boxes", ORIGINAL),
    "video": Kind("a video model"),
    "channels": Kind("a model for another task"),
    # built another way
    "cut_down": Kind("a UNet with blocks cut out or added (SSD-1B, Segmind, BK-SDM and others)", ORIGINAL),
    "conditioned": Kind("a UNet that is told more than words (Kolors, Kandinsky and others)"),
    "flux": Kind("a diffusion transformer, Flux"),
    "sd3": Kind("a diffusion transformer, Stable Diffusion 3"),
    "z_image": Kind("a diffusion transformer, Z-Image or Lumina"),
    "qwen_image": Kind("a diffusion transformer, Qwen-Image"),
    "transformer": Kind("a diffusion transformer (PixArt, AuraFlow, Hunyuan, Wan and others)"),
    "cascade": Kind("a Stable Cascade model"),
    "quantised": Kind(
        "quantised: its weights mean nothing without their scales, which aren't applied",
        "Use the same model in float16, bfloat16 or float32 (float8 without scales is read, too).",
    ),
    # parts and add-ons
    "lora": Kind("a LoRA, which is no model by itself", PART),
    "controlnet": Kind("a ControlNet, which is no model by itself", PART),
    "adapter": Kind("an adapter (T2I-Adapter or IP-Adapter), which is no model by itself", PART),
    "motion": Kind("a motion module (AnimateDiff), which is no model by itself", PART),
    "upscaler": Kind("a picture upscaler, which is no text-to-image model"),
    "image_encoder": Kind("an image encoder, which is no model by itself", PART),
    "embedding": Kind(
        "a textual-inversion embedding, which is a word and no model",
        "Take it into the library of words: palimpsest concepts import FILE.",
    ),
    "vae": Kind(
        "a VAE alone",
        "It can be given to a checkpoint m.safetensors that lacks one: call it m.vae.safetensors.",
    ),
    "text_encoder": Kind("a text encoder alone", PART),
    "unet": Kind("a UNet alone, without text encoders", "Use the full checkpoint."),
    "parts_in_diffusers_names": Kind(
        "one file in the naming of diffusers, which is read only as a folder",
        "Use the model's folder, or a checkpoint in the original naming.",
    ),
}

#: Names of weights (regular expressions, any one is enough) → kind; the first that fits. These decide
#: whatever else the file holds.
NET = r"^(?:model\.diffusion_model\.|diffusion_model\.|unet\.|model\.|transformer\.|net\.)?"
MARKS: tuple[tuple[str, str], ...] = (
    ("lora", r"^lora_|[._]lora[._](?:up|down|A|B)\b|\.lora_(?:up|down|mid|A|B)\b|\.hada_w\d_|\.lokr_w\d"),
    ("lora", r"\.oft_(?:blocks|diag)|\.dora_scale$|\.lora_linear_layer\."),
    ("controlnet", r"^control_model\.|^zero_convs\.|^input_hint_block\.|^controlnet_|^lllite_"),
    ("controlnet", r"^control_(?:layers|all_x_embedder)\."),
    ("adapter", r"^(?:image_proj|ip_adapter)\.|^(?:adapter\.)?body\.\d+\.(?:block\d|resnets|in_conv)"),
    ("cascade", r"^clip_txt_mapper\.|^(?:down|up)_blocks\.\d+\.\d+\.channelwise\."),
    ("video", NET + r"input_blocks\.\d+\.\d+\.(?:time_stack|time_mixer|temopral_conv)\b"),
    ("motion", r"\bmotion_modules\."),
    ("transformer", NET + r"txt_in\.individual_token_refiner\."),
    ("flux", NET + r"(?:double_blocks|single_blocks|single_transformer_blocks)\.\d"),
    ("flux", NET + r"(?:distilled_guidance_layer|single_stream_modulation|early_stream_modulations)\."),
    ("sd3", NET + r"joint_blocks\.\d"),
    ("z_image", NET + r"(?:layers\.\d+\.adaLN_modulation|cap_embedder|noise_refiner)\."),
    ("qwen_image", NET + r"transformer_blocks\.\d+\.(?:img_mod|txt_mod)\.|" + NET + r"txt_in\.text_norm\."),
    ("transformer", NET + r"(?:transformer_blocks|double_layers|double_stream_blocks|token_refiner)\."),
    ("transformer", NET + r"(?:patchify_proj|x_embedder|t_embedder|txtfusion)\."),
    ("transformer", NET + r"head\.modulation$"),
    ("transformer", NET + r"blocks\.(?:\d+|block\d+)\.(?:attn|self_attn|cross_attn|blocks)\b"),
    ("edm", r"^edm_(?:mean|std)$"),
    ("unclip", r"^(?:embedder\.model\.visual|noise_augmentor)\."),
    ("gligen", NET + r"position_net\."),
    ("upscaler", r"^model\.\d+\.(?:sub|weight)\b|^RRDB_trunk\.|\.(?:rdb|RDB)\d\.|^conv_first\."),
    ("upscaler", r"\bresidual_group\."),
)
#: These only where there is no UNet in the file.
MARKS_OF_PARTS: tuple[tuple[str, str], ...] = (
    ("parts_in_diffusers_names", r"^unet\.down_blocks\.\d"),
    ("unet", r"^(?:down_blocks|up_blocks)\.\d+\.(?:resnets|attentions)\."),
    ("image_encoder", r"^(?:vision_model|visual|image_encoder)\."),
)
#: These decide after the number of channels has: CosXL's edit model is an edit model.
MARKS_OF_UNETS: tuple[tuple[str, str], ...] = (("cosxl", r"^edm_vpred\."),)
#: The scales and states that quantisers write beside weights: ComfyUI's float8, bitsandbytes, GPTQ/AWQ.
SCALES = (
    r"scaled_fp8$|\.(?:scale_weight|scale_input|weight_scale(?:_\w+)?|input_scale|comfy_quant)$"
    r"|\.(?:absmax|quant_map|nested_absmax|nested_quant_map|qweight|qzeros|g_idx|SCB|weight_format)$"
    r"|\.quant_state\b"
)
QUANTISED_METADATA = "_quantization_metadata"
READABLE = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")  # float8 is widened, exactly

#: What a UNet's number of input channels tells, where the VAE has four.
CHANNELS = {9: "inpainting", 8: "edit", 7: "upscaling", 5: "depth"}

#: Schedulers that walk DDPM's chain (ᾱ_t of Ho et al. 2020), so that the noise schedule is all they say.
DDPM = frozenset(
    f"{name}Scheduler"
    for name in (
        *("DDIM", "DDIMInverse", "DDIMParallel", "DDPM", "DDPMParallel", "PNDM", "LMSDiscrete", "SASolver"),
        *("EulerDiscrete", "EulerAncestralDiscrete", "HeunDiscrete", "KDPM2Discrete", "UniPCMultistep"),
        *("KDPM2AncestralDiscrete", "DPMSolverMultistep", "DPMSolverMultistepInverse", "DEISMultistep"),
        *("DPMSolverSinglestep", "DPMSolverSDE", "LCM", "TCD"),
    )
)
SCHEDULERS: tuple[tuple[str, str], ...] = (
    ("edm", r"EDM|Cosine"),
    ("flow", r"Flow|\bSCM"),
    ("consistency", r"ConsistencyModel|CMStochastic"),
    ("unclip", r"UnCLIP"),
)

#: What a ``transformer`` folder belongs to, by the name of the pipeline in model_index.json.
TRANSFORMERS: tuple[tuple[str, str], ...] = (
    ("flux", r"^(?:Flux|Chroma)"),
    ("sd3", r"^StableDiffusion3"),
    ("z_image", r"^(?:ZImage|Lumina)"),
    ("qwen_image", r"^QwenImage"),
    ("transformer", r""),
)

#: Fields of a diffusers UNet's configuration → the values a plain text-to-image UNet has, and the kind
#: that any other value makes it.
UNET_FIELDS: dict[str, tuple[tuple[Any, ...], str]] = {
    "_class_name": (("UNet2DConditionModel",), "channels"),
    "class_embed_type": ((None,), "unclip"),
    "num_class_embeds": ((None,), "channels"),
    "addition_embed_type": ((None, "text_time"), "conditioned"),
    "encoder_hid_dim_type": ((None,), "conditioned"),
    "attention_type": (("default",), "gligen"),
    "reverse_transformer_layers_per_block": ((None,), "cut_down"),
    "mid_block_type": (("UNetMidBlock2DCrossAttn",), "cut_down"),
    "dual_cross_attention": ((False,), "channels"),
    "time_embedding_type": (("positional",), "channels"),
}


def refusal(place: Path, kind: str, detail: str = "") -> ModelIncapableError:
    """``detail`` continues the sentence, such as "its UNet takes 9 channels"."""
    known = KINDS[kind]
    more = f": {detail}" if detail else ""
    return ModelIncapableError(f"{place} is {known.what}{more}.", known.instead, kind=kind)


def refuse_marks(place: Path, header: Header, marks: Iterable[tuple[str, str]]) -> None:
    """Raises ModelIncapableError for the first mark that any name of the file bears."""
    kind = marked("\n".join(header.shapes), marks)
    if kind is not None:
        raise refusal(place, kind)


def marked(names: str, marks: Iterable[tuple[str, str]]) -> str | None:
    """The kind of the first mark in ``names``, which are separated by line ends."""
    return next((kind for kind, mark in marks if re.search(mark, names, re.MULTILINE)), None)


def refuse_quantised(place: Path, header: Header) -> None:
    """Raises ModelIncapableError for weights in integers, or with scales beside them."""
    scaled = re.search(SCALES, "\n".join(header.shapes), re.MULTILINE)
    weights = (name for name in header.shapes if name.endswith(("weight", "bias")))
    packed = next((name for name in weights if header.dtypes[name] not in READABLE), None)
    if packed is not None:
        raise refusal(place, "quantised", f"{packed} is {header.dtypes[packed]}")
    if scaled is not None or QUANTISED_METADATA in header.metadata:
        raise refusal(place, "quantised")


def refuse_channels(place: Path, channels: int, latent: int) -> None:
    """``channels``: what the UNet takes; ``latent``: what the VAE gives."""
    if channels != latent:
        kind = CHANNELS.get(channels, "channels")
        detail = f"its UNet takes {channels} channels where a text-to-image model's takes {latent}"
        raise refusal(place, kind, detail)


def refuse_scheduler(place: Path, config: Mapping[str, Any]) -> None:
    """Raises ModelIncapableError for a scheduler of models that were not trained as DDPM."""
    name = str(config.get("_class_name") or "DDIMScheduler")
    kind = next((kind for kind, mark in SCHEDULERS if re.search(mark, name)), None)
    if config.get("use_flow_sigmas") or "flow" in str(config.get("prediction_type", "")):
        kind = "flow"
    elif config.get("timestep_type") == "continuous":
        kind = "edm"
    if kind is not None:
        raise refusal(place, kind, f"its scheduler is {name}")
    if name not in DDPM:
        raise ModelIncapableError(
            f"{place} is sampled by {name}, which Palimpsest does not know.", PLAIN, kind="scheduler"
        )


def refuse_unet(place: Path, config: Mapping[str, Any]) -> None:
    """Raises ModelIncapableError for a diffusers UNet that computes more or less than the published ones."""
    for field, (values, kind) in UNET_FIELDS.items():
        if field in config and config[field] not in values:
            raise refusal(place, kind, f"{field} is {config[field]!r} in its UNet's configuration")
    depths = config.get("transformer_layers_per_block", 1)
    if isinstance(depths, (list, tuple)) and not all(isinstance(depth, int) for depth in depths):
        raise refusal(place, "cut_down", f"transformer_layers_per_block is {depths!r}")


def refuse_vae(place: Path, config: Mapping[str, Any]) -> None:
    """Raises ModelIncapableError for latents that are shifted or scaled per channel, or another network."""
    if config.get("latents_mean") is not None or config.get("latents_std") is not None:
        raise refusal(place, "edm", "its VAE states a mean or deviation of its latents")
    name = config.get("_class_name", "AutoencoderKL")
    if name != "AutoencoderKL" or config.get("shift_factor") is not None:
        raise ModelIncapableError(
            f"{place} has a VAE of another kind ({name}) than Stable Diffusion's.", PLAIN, kind="vae_kind"
        )


def refuse_quantisation_config(place: Path, config: Mapping[str, Any]) -> None:
    """Raises ModelIncapableError for a diffusers or transformers network that was saved quantised."""
    stated = config.get("quantization_config")
    if stated is not None:
        how = stated.get("quant_method", "unknown") if isinstance(stated, Mapping) else stated
        raise refusal(place, "quantised", f"quant_method is {how}")
