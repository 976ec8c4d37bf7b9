"""The model as the mathematics sees it: its networks and its noise process, nothing about files.

Every size comes from the networks' own configuration: nothing here or downstream may assume
512 pixels, 64 latents, 77 tokens or a scaling factor of 0.18215.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.finite import all_finite, require_finite
from palimpsest.core.learning.settings import LearningAdvice
from palimpsest.core.networks import Network, stripes
from palimpsest.core.process import Level, Process


@dataclass(frozen=True)
class TextPart:
    """One tokenizer and its encoder (SD 1.x and 2.x have one, SDXL two).

    ``hidden_state`` is the layer the network reads: -1 is the last one after the final layer norm
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
class DiffusionModel:
    """A loaded text-to-image latent diffusion model. Weights are frozen; change it only inside a ``with``."""

    network: Network
    vae: Any
    text: tuple[TextPart, ...]
    process: Process
    family: str  # "sd1", say; concepts are valid within one family and width
    weights_hash: str  # of all weight files; part of every cache key
    guidance: float = 7.5  # recommended classifier-free guidance
    steps: int = 50  # recommended number of sampling steps
    sampler: str = "ddim"  # or "consistency": each step takes ẑ_0, and noises it anew (Song et al. 2023)
    map_side: int = 16  # cells of a word's attention map, longer side
    words: tuple[str, ...] = ()  # all that it knows, where they are few; empty where they can't be told
    zero_null: bool = False  # SDXL: the empty prompt is all zeros (force_zeros_for_empty_prompt)
    standard_latents: bool = False  # each channel of the latents of photos has mean 0 and deviation 1
    striped: bool = False  # the autoencoder works in stripes, for less memory
    learning: LearningAdvice = field(default_factory=LearningAdvice)

    @property
    def device(self) -> torch.device:
        return self.network.device

    @property
    def dtype(self) -> torch.dtype:
        """The network's precision. Latents and coefficients stay float32 whatever this is."""
        return self.network.dtype

    @property
    def stride(self) -> int:
        """Pixels per latent cell."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def granularity(self) -> int:
        """Working width and height in pixels must be multiples of this."""
        return self.stride * self.network.granularity

    @property
    def native_size(self) -> int:
        """Side in pixels of the square pictures the model was trained on."""
        return self.network.native_side * self.stride

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
        found_mean, found_std = self._moments(pixels.to(self.device, self.vae.dtype))
        shift = getattr(self.vae.config, "shift_factor", None)
        offset = 0.0 if shift is None else shift
        scale = self.vae.config.scaling_factor
        mean, std = (found_mean.float() - offset) * scale, found_std.float() * scale
        what = "The autoencoder's encoder"
        return require_finite(mean, what, self.vae.dtype), require_finite(std, what, self.vae.dtype)

    def _moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        if self.striped:
            return stripes.encode(self.vae, pixels, self.device)
        posterior = self.vae.encode(pixels).latent_dist
        return posterior.mean, posterior.std

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Latents to pictures in [-1, 1], float32 (batch, 3, height, width). Raises NotFiniteError."""
        shift = getattr(self.vae.config, "shift_factor", None)
        offset = 0.0 if shift is None else shift
        scaled = z.float() / self.vae.config.scaling_factor + offset
        scaled = scaled.to(self.device, self.vae.dtype)
        decoded = (
            stripes.decode(self.vae, scaled, self.device) if self.striped else self.vae.decode(scaled).sample
        )
        pixels = decoded.float()
        return require_finite(pixels, "The autoencoder's decoder", self.vae.dtype).clamp(-1, 1)

    def predict(self, z: Tensor, level: Level | Tensor, conditioning: Conditioning) -> Tensor:
        """What the model says of z at a noise level, as ``process`` understands it; float32.

        ``level``: one for the whole batch, or a tensor (batch,) of one per entry. Gradients flow to
        ``conditioning`` when enabled; switch them off around this when not needed. Raises NotFiniteError.
        """
        output = self.network(z, level, conditioning)
        self._require_finite(output, level, conditioning)
        return self.process.read(z, output, level)

    def _require_finite(self, output: Tensor, level: Level | Tensor, conditioning: Conditioning) -> None:
        """Raise NotFiniteError for the network that is to blame: the text encoder, or else the other."""
        if all_finite(output):
            return
        for part in (conditioning.context, conditioning.pooled):
            if part is not None:
                require_finite(part, "The text encoder", self.text[0].encoder.dtype)
        noisiest = torch.as_tensor(level).max().item()
        require_finite(output, f"The {self.network.name} at timestep {noisiest}", self.dtype)
