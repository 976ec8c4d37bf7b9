"""Other savers' names for the same weights, brought to those of the original checkpoints.

Programs that merge, prune or train save with other prefixes, and with diffusers' names for the VAE's
attention. The same function serves names alone (what is in a file) and weights (reading it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

UNET, VAE = "model.diffusion_model.", "first_stage_model."

_UNET_PARTS = r"(?=(?:time_embed|label_emb|input_blocks|middle_block|output_blocks|out)\.)"
_VAE_PARTS = r"(?=(?:encoder|decoder|quant_conv|post_quant_conv)\.)"
#: Applied in order to every name: what is found is replaced.
SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(?:model\.diffusion_model\.|diffusion_model\.|model\.|unet\.)?" + _UNET_PARTS), UNET),
    (re.compile(r"^(?:first_stage_model\.|vae\.)" + _VAE_PARTS), VAE),
    (re.compile(r"(\.mid\.attn_1)\.(?:to_q|query)\."), r"\1.q."),
    (re.compile(r"(\.mid\.attn_1)\.(?:to_k|key)\."), r"\1.k."),
    (re.compile(r"(\.mid\.attn_1)\.(?:to_v|value)\."), r"\1.v."),
    (re.compile(r"(\.mid\.attn_1)\.(?:to_out\.0|proj_attn)\."), r"\1.proj_out."),
    (re.compile(r"(\.mid\.attn_1)\.group_norm\."), r"\1.norm."),
)
#: A file that is a VAE alone has no prefix, and may have diffusers' names throughout.
_BARE_VAE = re.compile(r"^" + _VAE_PARTS)
_DIFFUSERS_ATTENTION = (
    (re.compile(r"(\.mid_block\.attentions\.0)\.(?:q|query)\."), r"\1.to_q."),
    (re.compile(r"(\.mid_block\.attentions\.0)\.(?:k|key)\."), r"\1.to_k."),
    (re.compile(r"(\.mid_block\.attentions\.0)\.(?:v|value)\."), r"\1.to_v."),
    (re.compile(r"(\.mid_block\.attentions\.0)\.(?:proj_attn|proj_out)\."), r"\1.to_out.0."),
)


def original(named: Mapping[str, Value]) -> dict[str, Value]:
    """``named`` under the names of the original checkpoints."""
    return {original_name(name): value for name, value in named.items()}


def original_name(name: str) -> str:
    for pattern, replacement in SPELLINGS:
        name = pattern.sub(replacement, name)
    return name


def vae_alone(named: Mapping[str, Value]) -> dict[str, Value]:
    """The weights of a file that is a VAE alone, under the original names or diffusers', with one prefix."""
    return original({_BARE_VAE.sub(VAE, name): value for name, value in named.items()})


def in_diffusers_names(vae: Mapping[str, Value]) -> bool:
    return any(".mid_block." in name for name in vae)


def diffusers_vae(vae: Mapping[str, Value]) -> dict[str, Value]:
    """Diffusers' names as they are today, without prefix."""
    named = {}
    for name, value in vae.items():
        plain = name.removeprefix(VAE)
        for pattern, replacement in _DIFFUSERS_ATTENTION:
            plain = pattern.sub(replacement, plain)
        named[plain] = value
    return named
