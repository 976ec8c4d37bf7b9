"""The UNet of Stable Diffusion 1.x, 2.x and SDXL, as diffusers has it (Rombach et al. 2022; Podell 2023)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.networks import Attention, Site, Size
from palimpsest.errors import ModelIncapableError


@dataclass(frozen=True)
class UNet:
    """``module``: a UNet2DConditionModel. Its weights are frozen.

    ``place``: where it computes, if its weights lie elsewhere (``networks.lending``).
    ``embedded_guidance``: the guidance that one whose distillation learned it is told, with the timestep
    (``time_cond_proj_dim``; Meng et al. 2023, Luo et al. 2023). None for all others.
    """

    module: Any
    place: torch.device | None = None
    embedded_guidance: float | None = None

    @property
    def name(self) -> str:
        return "UNet"

    @property
    def device(self) -> torch.device:
        if self.place is not None:
            return self.place
        return next(self.module.parameters()).device  # diffusers' own property walks through every layer

    @property
    def dtype(self) -> torch.dtype:
        return next(self.module.parameters()).dtype

    @property
    def channels(self) -> int:
        return int(self.module.config.in_channels)

    @property
    def native_side(self) -> int:
        sample = self.module.config.sample_size
        return int(sample if isinstance(sample, int) else max(sample))

    @property
    def granularity(self) -> int:
        return 2 ** (self._depth - 1)

    @property
    def sites(self) -> Mapping[str, Site]:
        return self._sites

    @cached_property
    def _sites(self) -> Mapping[str, Site]:
        paths = [name.removesuffix(".processor") for name in self.module.attn_processors]
        return {path: self._site(path) for path in paths}

    @property
    def features(self) -> Any:
        return self.module.up_blocks[-1]

    def grids(self, latent: Size) -> tuple[Size, ...]:
        sizes = [latent]
        for _ in range(self._depth - 1):
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))  # a stride-2 convolution rounds up
        return tuple(sizes)

    @contextmanager
    def attending(self, attention: Attention) -> Iterator[None]:
        before = self.module.attn_processors
        try:
            self.module.set_attn_processor(Processor(attention))
            yield
        finally:
            self.module.set_attn_processor(dict(before))  # a copy: diffusers empties the dict it is given

    def __call__(self, z: Tensor, level: float | Tensor, conditioning: Conditioning) -> Tensor:
        """``level``: timesteps. Gradients flow to ``conditioning`` when enabled."""
        dtype, added = self.dtype, {}
        if conditioning.pooled is not None:
            added = {"text_embeds": conditioning.pooled.to(dtype), "time_ids": conditioning.time_ids}
        return self.module(
            z.to(dtype),
            level.to(z.device) if isinstance(level, Tensor) else torch.full((), level, device=z.device),
            encoder_hidden_states=conditioning.context.to(dtype),
            timestep_cond=self._told_guidance(len(z), z.device),
            added_cond_kwargs=added or None,
        ).sample.float()

    def _told_guidance(self, rows: int, device: torch.device) -> Tensor | None:
        """The published sines of 1000·(w - 1), (rows, time_cond_proj_dim)."""
        if self.embedded_guidance is None:
            return None
        half = int(self.module.config.time_cond_proj_dim) // 2
        falling = torch.exp(torch.arange(half) * -(math.log(10_000) / (half - 1)))
        angles = 1000 * (self.embedded_guidance - 1) * falling
        sines = torch.cat([angles.sin(), angles.cos()]).expand(rows, -1)
        return sines.to(device, self.dtype)

    @property
    def _depth(self) -> int:
        return len(self.module.config.block_out_channels)

    def _site(self, path: str) -> Site:
        module = self.module.get_submodule(path)
        return Site(module, "cross" if module.is_cross_attention else "self", self._halvings(path))

    def _halvings(self, path: str) -> int:
        """Of an attention layer: down_blocks.i is level i, up_blocks.i counts back."""
        found = re.match(r"(down|up)_blocks\.(\d+)\.", path)
        if found is None:
            return self._depth - 1  # the middle block
        index = int(found[2])
        return index if found[1] == "down" else self._depth - 1 - index


class Processor:
    """Diffusers' projections around another's attention. One serves every layer; where that attention is
    plain, it computes what diffusers' own processor computes, bit for bit."""

    def __init__(self, attention: Attention) -> None:
        self.attention = attention

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        _refuse_unknown(attn, attention_mask)
        shape = hidden_states.shape
        hidden = hidden_states.flatten(2).transpose(1, 2) if hidden_states.ndim == 4 else hidden_states
        if attn.group_norm is not None:
            hidden = attn.group_norm(hidden.transpose(1, 2)).transpose(1, 2)
        context = hidden if encoder_hidden_states is None else encoder_hidden_states
        if encoder_hidden_states is not None and attn.norm_cross:
            context = attn.norm_encoder_hidden_states(context)
        q, k, v = (_heads(attn, x) for x in (attn.to_q(hidden), attn.to_k(context), attn.to_v(context)))
        q = q if attn.norm_q is None else attn.norm_q(q)
        k = k if attn.norm_k is None else attn.norm_k(k)
        is_cross = encoder_hidden_states is not None
        attend = self.attention.cross if is_cross else self.attention.self_attention
        out = attend(q, k, v, attn.scale).transpose(1, 2).flatten(2)  # (batch, pixels, inner width)
        out = attn.to_out[1](attn.to_out[0](out))
        out = out.transpose(-1, -2).reshape(shape) if len(shape) == 4 else out
        out = out + hidden_states if attn.residual_connection else out
        return out / attn.rescale_output_factor


def _heads(attn: Any, projected: Tensor) -> Tensor:
    batch, length, width = projected.shape
    return projected.view(batch, length, attn.heads, width // attn.heads).transpose(1, 2)


def _refuse_unknown(attn: Any, attention_mask: Tensor | None) -> None:
    added = getattr(attn, "added_kv_proj_dim", None) is not None
    if added or attn.spatial_norm is not None or attention_mask is not None:
        raise ModelIncapableError(
            "An attention layer of this model is of a kind that attention control doesn't know.",
            "Use a Stable Diffusion 1.x, 2.x or SDXL model.",
        )
