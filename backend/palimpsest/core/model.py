"""The model as the mathematics sees it: four networks, one noise schedule, nothing about files.

Every size comes from the networks' own configuration: nothing here or downstream may assume
512 pixels, 64 latents, 77 tokens or a scaling factor of 0.18215.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.finite import all_finite, require_finite


@dataclass(frozen=True)
class Conditioning:
    """What the UNet is told besides the noisy latent, one row per batch entry."""

    context: Tensor  # (batch, tokens, width)
    pooled: Tensor | None = None  # (batch, pooled width), SDXL only
    time_ids: Tensor | None = None  # (batch, 6): original size, crop, target size; SDXL only

    @staticmethod
    def cat(parts: list[Conditioning]) -> Conditioning:
        def join(tensors: list[Tensor | None]) -> Tensor | None:
            present = [tensor for tensor in tensors if tensor is not None]
            return torch.cat(present) if present else None

        context = torch.cat([part.context for part in parts])
        return Conditioning(context, join([p.pooled for p in parts]), join([p.time_ids for p in parts]))

    def expand(self, batch: int) -> Conditioning:
        """The same single row for every entry of a batch."""

        def grow(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.expand(batch, *tensor.shape[1:])

        return Conditioning(self.context.expand(batch, -1, -1), grow(self.pooled), grow(self.time_ids))

    def with_context(self, context: Tensor) -> Conditioning:
        return replace(self, context=context)


@dataclass(frozen=True)
class TextPart:
    """One tokenizer and its encoder (SD 1.x and 2.x have one, SDXL two).

    ``hidden_state`` is the layer the UNet reads: -1 is the last one after the final layer norm
    (SD 1.x/2.x), -2 the one before it without the norm (SDXL).
    """

    tokenizer: Any
    encoder: Any
    hidden_state: int = -1
    pooled: bool = False  # SDXL's second encoder also gives a pooled embedding

    @property
    def context_length(self) -> int:
        return int(self.encoder.config.max_position_embeddings)

    @property
    def width(self) -> int:
        return int(self.encoder.config.hidden_size)


@dataclass(frozen=True)
class NoiseSchedule:
    """The forward process of the checkpoint, from its scheduler configuration; always float32/64 on CPU."""

    alphas_cumprod: Tensor  # (train steps,) float64
    final_alpha_cumprod: float  # ᾱ "before" the first timestep: ᾱ_0, or 1 when set_alpha_to_one
    prediction: str  # "epsilon" or "v_prediction"
    spacing: str  # "leading", "linspace" or "trailing"
    steps_offset: int = 0


@dataclass(frozen=True)
class DiffusionModel:
    """A loaded text-to-image latent diffusion model. Weights are frozen; change it only inside a ``with``."""

    unet: Any
    vae: Any
    text: tuple[TextPart, ...]
    noise: NoiseSchedule
    family: str  # "sd1", "sd2", "sdxl" or "demo"; concepts are valid within one family and width
    weights_hash: str  # of all weight files; part of every cache key
    guidance: float = 7.5  # recommended classifier-free guidance
    steps: int = 50  # recommended number of DDIM steps
    map_side: int = 16  # cells of a word's attention map, longer side
    words: tuple[str, ...] = ()  # all that it knows, where they are few; empty where they can't be told
    zero_null: bool = False  # SDXL: the empty prompt is all zeros (force_zeros_for_empty_prompt)

    @property
    def device(self) -> torch.device:
        return next(self.unet.parameters()).device  # diffusers' own property walks through every layer

    @property
    def dtype(self) -> torch.dtype:
        """The UNet's precision. Latents and coefficients stay float32 whatever this is."""
        return next(self.unet.parameters()).dtype

    @property
    def stride(self) -> int:
        """Pixels per latent cell."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def granularity(self) -> int:
        """Working width and height in pixels must be multiples of this (VAE stride x UNet stride)."""
        return self.stride * 2 ** (len(self.unet.config.block_out_channels) - 1)

    @property
    def native_size(self) -> int:
        """Side in pixels of the square pictures the model was trained on."""
        sample = self.unet.config.sample_size
        return int(sample if isinstance(sample, int) else max(sample)) * self.stride

    def encode(self, pixels: Tensor) -> Tensor:
        """Pictures to latents, the distribution's mean.

        ``pixels``: (batch, 3, height, width) in [-1, 1], sides multiples of ``stride``.
        Returns float32 (batch, channels, height/stride, width/stride).
        """
        mean, _ = self.encode_moments(pixels)
        return mean

    @torch.no_grad()
    def encode_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the scaled latent distribution, float32. Raises NotFiniteError."""
        posterior = self.vae.encode(pixels.to(self.vae.device, self.vae.dtype)).latent_dist
        shift = getattr(self.vae.config, "shift_factor", None)
        offset = 0.0 if shift is None else shift
        scale = self.vae.config.scaling_factor
        mean, std = (posterior.mean.float() - offset) * scale, posterior.std.float() * scale
        what = "The autoencoder's encoder"
        return require_finite(mean, what, self.vae.dtype), require_finite(std, what, self.vae.dtype)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Latents to pictures in [-1, 1], float32 (batch, 3, height, width). Raises NotFiniteError."""
        shift = getattr(self.vae.config, "shift_factor", None)
        offset = 0.0 if shift is None else shift
        scaled = z.float() / self.vae.config.scaling_factor + offset
        pixels = self.vae.decode(scaled.to(self.vae.dtype)).sample.float()
        return require_finite(pixels, "The autoencoder's decoder", self.vae.dtype).clamp(-1, 1)

    def eps(self, z: Tensor, t: int | Tensor, conditioning: Conditioning) -> Tensor:
        """ε_θ(z_t, t, C) in float32, whatever the checkpoint predicts.

        ``t``: one timestep for the whole batch, or a tensor (batch,) of one per entry.

        A v-predicting checkpoint gives v; ε = √ᾱ_t v + √(1-ᾱ_t) z (Salimans & Ho 2022, eq. D.3).
        Gradients flow to ``conditioning`` when enabled; switch them off around this when not needed.
        Raises NotFiniteError.
        """
        dtype, added = self.dtype, {}
        if conditioning.pooled is not None:
            added = {"text_embeds": conditioning.pooled.to(dtype), "time_ids": conditioning.time_ids}
        output = self.unet(
            z.to(dtype),
            t.to(z.device) if isinstance(t, Tensor) else torch.full((), t, device=z.device),
            encoder_hidden_states=conditioning.context.to(dtype),
            added_cond_kwargs=added or None,
        ).sample.float()
        self._require_finite(output, t, conditioning)
        if self.noise.prediction == "epsilon":
            return output
        alpha = self.noise.alphas_cumprod[torch.as_tensor(t).cpu()].reshape(-1, 1, 1, 1)
        signal, noise = (root.to(z.device, torch.float32) for root in (alpha.sqrt(), (1 - alpha).sqrt()))
        return signal * output + noise * z.float()

    def _require_finite(self, output: Tensor, t: int | Tensor, conditioning: Conditioning) -> None:
        """Raise NotFiniteError for the network that is to blame: the text encoder, or else the UNet."""
        if all_finite(output):
            return
        for part in (conditioning.context, conditioning.pooled):
            if part is not None:
                require_finite(part, "The text encoder", self.text[0].encoder.dtype)
        require_finite(output, f"The UNet at timestep {int(torch.as_tensor(t).max())}", self.dtype)
