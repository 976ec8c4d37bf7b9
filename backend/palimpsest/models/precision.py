"""Where each network runs, and in which precision (what overflows where: Rombach et al.'s fp16 lore).

- float32 on the CPU: half precision is slower there and gains nothing.
- The UNet in bfloat16 on CUDA cards that compute in it, else in float16. SD 2.x's attention overflows
  float16, so without bfloat16 it stays in float32.
- The VAE always in float32: SDXL's gives NaN in float16, and bfloat16's 8 bits of mantissa are visible
  in pictures. Text encoders always in float32: they cost nothing, and learned rows live there.
"""

from __future__ import annotations

import torch


def default_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def unet_dtype(device: torch.device, family: str) -> torch.dtype:
    if device.type == "cpu" or family == "demo":
        return torch.float32
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32 if family == "sd2" else torch.float16
