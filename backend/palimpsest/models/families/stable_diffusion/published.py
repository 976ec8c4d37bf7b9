"""The published configurations of the three families, for checkpoints that come as one file.

A single ``.safetensors`` file holds weights and no sizes; these are the ones of Stable Diffusion 1.x
(Rombach et al. 2022), 2.x, and SDXL (Podell et al. 2023) in the terms of diffusers and transformers.
"""

from __future__ import annotations

from typing import Any

_UNET: dict[str, Any] = {"in_channels": 4, "out_channels": 4, "layers_per_block": 2}
_FOUR_LEVELS: dict[str, Any] = {
    **_UNET,
    "block_out_channels": [320, 640, 1280, 1280],
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {**_FOUR_LEVELS, "sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": {
        **_FOUR_LEVELS,
        "sample_size": 96,
        "cross_attention_dim": 1024,
        "attention_head_dim": [5, 10, 20, 20],
        "use_linear_projection": True,
        "upcast_attention": True,
    },
    "sdxl": {
        **_UNET,
        "sample_size": 128,
        "block_out_channels": [320, 640, 1280],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "transformer_layers_per_block": [1, 2, 10],
        "attention_head_dim": [5, 10, 20],
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}

_VAE: dict[str, Any] = {
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "scaling_factor": 0.18215,
}
VAES: dict[str, dict[str, Any]] = {
    "sd1": _VAE,
    "sd2": _VAE,
    "sdxl": {**_VAE, "sample_size": 1024, "scaling_factor": 0.13025},
}

_CLIP: dict[str, Any] = {
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
    "architectures": ["CLIPTextModel"],
}
_CLIP_L: dict[str, Any] = {
    **_CLIP,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
}
_OPEN_CLIP_H: dict[str, Any] = {  # without its last layer, which SD 2.x does not read
    **_CLIP,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 23,
    "num_attention_heads": 16,
    "hidden_act": "gelu",
    "projection_dim": 1024,
}
_OPEN_CLIP_BIG_G: dict[str, Any] = {
    **_CLIP,
    "architectures": ["CLIPTextModelWithProjection"],
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "hidden_act": "gelu",
    "projection_dim": 1280,
}
ENCODERS: dict[str, tuple[dict[str, Any], ...]] = {
    "sd1": (_CLIP_L,),
    "sd2": (_OPEN_CLIP_H,),
    "sdxl": (_CLIP_L, _OPEN_CLIP_BIG_G),
}

#: What each tokenizer pads with: the end mark for OpenAI's CLIP, ``!`` (id 0) for OpenCLIP.
PADS: dict[str, tuple[str, ...]] = {
    "sd1": ("<|endoftext|>",),
    "sd2": ("!",),
    "sdxl": ("<|endoftext|>", "!"),
}

SCHEDULER: dict[str, Any] = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
    "steps_offset": 1,
    "set_alpha_to_one": False,
}
