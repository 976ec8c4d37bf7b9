"""Where each network runs, and in which precision (what overflows where: Rombach et al.'s fp16 lore).

- float32 on the CPU: half precision is slower there and gains nothing.
- The UNet in bfloat16 on CUDA cards that compute in it, else in float16; in float32 where its family
  computes well in neither.
- The VAE always in float32: SDXL's gives NaN in float16, and bfloat16's 8 bits of mantissa are visible
  in pictures. Text encoders always in float32: they cost nothing, and learned rows live there.
"""

from __future__ import annotations

from collections.abc import Collection

import torch


def default_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def unet_dtype(device: torch.device, halves: Collection[str]) -> torch.dtype:
    """``halves``: which of "bfloat16" and "float16" the network computes well in."""
    if device.type == "cpu":
        return torch.float32
    bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if bfloat16 and "bfloat16" in halves:
        return torch.bfloat16
    return torch.float16 if "float16" in halves else torch.float32
