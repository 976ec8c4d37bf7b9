"""Where each network runs, and in which precision (what overflows where: Rombach et al.'s fp16 lore).

- UNet and VAE in bfloat16 on processors that compute in it (AVX512-BF16, AMX), else in float32: without these
  instructions half precision is slower there. ``PALIMPSEST_PRECISION=float32`` keeps float32.
- On CUDA the UNet in bfloat16 on cards that compute in it, else in float16, and the VAE in float32, which
  costs little there: SDXL's gives NaN in float16.
- All in float32 where the family computes well in neither, as the built-in model.
- Text encoders always in float32: they cost nothing, and learned rows live there.
"""

from __future__ import annotations

from collections.abc import Collection

import torch

from palimpsest.settings import read_precision


def default_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def unet_dtype(device: torch.device, halves: Collection[str]) -> torch.dtype:
    """``halves``: which of "bfloat16" and "float16" the network computes well in."""
    if device.type == "cpu":
        return torch.bfloat16 if "bfloat16" in halves and processor_in_half() else torch.float32
    bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if bfloat16 and "bfloat16" in halves:
        return torch.bfloat16
    return torch.float16 if "float16" in halves else torch.float32


def vae_dtype(device: torch.device, halves: Collection[str]) -> torch.dtype:
    return unet_dtype(device, halves) if device.type == "cpu" else torch.float32


def processor_in_half() -> bool:
    """Whether it has instructions for bfloat16, and nobody forbade them. A PyTorch that can't say: no."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    able = any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
    return able and torch.backends.mkldnn.is_available() and read_precision() != "float32"
