"""The autoencoder in stripes of a few rows, for cards that can't hold its feature maps.

Tiles that are decoded apart (diffusers' own tiling) have their own GroupNorm statistics, so that colours
differ from tile to tile. Here one layer after the other works through all stripes; what a layer gives is kept
in main memory, with the sums from which the next norm's statistics are those of the whole map. A convolution
sees the rows that border on a stripe. So the result is the whole picture's but for rounding, without seams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

STRIPE_BYTES = 32 << 20
"""Of one stripe of a layer's input or output, about; the device holds a few of them."""
DEVICE_BYTES = 48 << 20
"""The largest map that stays on the device."""
LEAST_ROWS = 8

Pointwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Map:
    """A feature map (1, c, h, w), on the device or in main memory; its sums and squares', (c,) float64."""

    values: Tensor
    sums: Tensor
    squares: Tensor


def can_stripe(vae: Any) -> bool:
    """Whether it is built of the blocks that are known here: all of Stable Diffusion's are."""
    config = vae.config
    blocks = {*config.down_block_types, *config.up_block_types}
    return blocks == {"DownEncoderBlock2D", "UpDecoderBlock2D"}


def encode(vae: Any, pixels: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """As ``vae.encode``: mean and standard deviation (batch, channels, height, width) of the distribution."""
    moments = torch.cat([_encoded(vae, picture, device) for picture in pixels.split(1)])
    mean, logvar = moments.chunk(2, dim=1)
    return mean, (0.5 * logvar.clamp(-30, 20)).exp()  # the bounds are diffusers'


def decode(vae: Any, z: Tensor, device: torch.device) -> Tensor:
    """As ``vae.decode``: pictures (batch, 3, height, width)."""
    return torch.cat([_decoded(vae, latent, device) for latent in z.split(1)])


def _encoded(vae: Any, pixels: Tensor, device: torch.device) -> Tensor:
    encoder = vae.encoder
    x = _convolved(_map(pixels), encoder.conv_in, device)
    for block in encoder.down_blocks:
        for resnet in block.resnets:
            x = _resnet(x, resnet, device)
        for down in block.downsamplers or ():
            x = _halved(x, down.conv, device)
    x = _map(encoder.mid_block(x.values.to(device)))
    norm = _norm(x, encoder.conv_norm_out, encoder.conv_act, device)
    moments = _convolved(x, encoder.conv_out, device, norm).values.to(device)
    return moments if vae.quant_conv is None else vae.quant_conv(moments)


def _decoded(vae: Any, z: Tensor, device: torch.device) -> Tensor:
    decoder = vae.decoder
    z = z.to(device)
    z = z if vae.post_quant_conv is None else vae.post_quant_conv(z)
    x = _map(decoder.mid_block(decoder.conv_in(z)))
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            x = _resnet(x, resnet, device)
        for up in block.upsamplers or ():
            x = _doubled(x, up.conv, device)
    norm = _norm(x, decoder.conv_norm_out, decoder.conv_act, device)
    return _convolved(x, decoder.conv_out, device, norm).values.to(device)


def _resnet(x: Map, resnet: Any, device: torch.device) -> Map:
    """diffusers' ResnetBlock2D without a timestep."""
    before = _norm(x, resnet.norm1, resnet.nonlinearity, device)
    inner = _convolved(x, resnet.conv1, device, before)
    before = _norm(inner, resnet.norm2, resnet.nonlinearity, device)
    return _convolved(inner, resnet.conv2, device, before, (x, resnet.conv_shortcut))


def _convolved(
    x: Map,
    conv: Any,
    device: torch.device,
    before: Pointwise | None = None,
    beside: tuple[Map, Any] | None = None,
) -> Map:
    """A 3x3 convolution of stride 1. ``before``: of its input; ``beside``: a map that is added, and the 1x1
    convolution of it, if there is one."""
    height, width = x.values.shape[-2:]
    made = _Filled(conv.out_channels, height, width, x.values.dtype, device)
    for rows in _stripes(height, width, max(conv.in_channels, conv.out_channels), x.values):
        start, stop = max(0, rows.start - 1), min(height, rows.stop + 1)
        part = x.values[:, :, start:stop].to(device)
        out = conv(part if before is None else before(part))[:, :, rows.start - start : rows.stop - start]
        if beside is not None:
            added = beside[0].values[:, :, rows].to(device)
            out = out + (added if beside[1] is None else beside[1](added))
        made.put(rows, out)
    return made.map


def _halved(x: Map, conv: Any, device: torch.device) -> Map:
    """diffusers' Downsample2D: one row and one column of zeros below and to the right, stride 2."""
    height, width = x.values.shape[-2:]
    made = _Filled(conv.out_channels, height // 2, width // 2, x.values.dtype, device)
    for rows in _stripes(height // 2, width, 2 * conv.in_channels, x.values):
        part = x.values[:, :, 2 * rows.start : min(height, 2 * rows.stop + 1)].to(device)
        below = 2 * (rows.stop - rows.start) + 1 - part.shape[-2]
        made.put(rows, conv(functional.pad(part, (0, 1, 0, below))))
    return made.map


def _doubled(x: Map, conv: Any, device: torch.device) -> Map:
    """diffusers' Upsample2D: every cell four times, then a 3x3 convolution."""
    height, width = x.values.shape[-2:]
    made = _Filled(conv.out_channels, 2 * height, 2 * width, x.values.dtype, device)
    for rows in _stripes(2 * height, 2 * width, conv.out_channels, x.values):
        start, stop = max(0, (rows.start - 1) // 2), min(height, rows.stop // 2 + 1)
        part = functional.interpolate(x.values[:, :, start:stop].to(device), scale_factor=2.0, mode="nearest")
        made.put(rows, conv(part)[:, :, rows.start - 2 * start : rows.stop - 2 * start])
    return made.map


def _norm(x: Map, norm: Any, act: Pointwise, device: torch.device) -> Pointwise:
    """GroupNorm by the statistics of the whole map, and the activation after it."""
    groups, (height, width) = norm.num_groups, x.values.shape[-2:]
    each = len(x.sums) // groups
    count = each * height * width
    mean = x.sums.view(groups, each).sum(1) / count
    variance = (x.squares.view(groups, each).sum(1) / count - mean**2).clamp(min=0)
    inverse = (variance + norm.eps).rsqrt().repeat_interleave(each)
    scale = inverse * norm.weight.to(device, torch.float64)
    shift = norm.bias.to(device, torch.float64) - mean.repeat_interleave(each) * scale
    scale, shift = (each[:, None, None].to(x.values.dtype) for each in (scale, shift))
    return lambda part: act(part * scale + shift)


def _map(values: Tensor) -> Map:
    """Of a map that is on the device as a whole."""
    return Map(values, *_moments(values))


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    wide = values[0].flatten(1)
    return wide.sum(1, dtype=torch.float64), (wide.float() ** 2).sum(1, dtype=torch.float64)


class _Filled:
    """A map that is made stripe by stripe."""

    def __init__(
        self, channels: int, height: int, width: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        small = channels * height * width * dtype.itemsize <= DEVICE_BYTES
        self.values = torch.empty(
            (1, channels, height, width), dtype=dtype, device=device if small else "cpu"
        )
        self.sums, self.squares = torch.zeros(2, channels, dtype=torch.float64, device=device)

    def put(self, rows: slice, part: Tensor) -> None:
        sums, squares = _moments(part)
        self.sums += sums
        self.squares += squares
        self.values[:, :, rows] = part

    @property
    def map(self) -> Map:
        return Map(self.values, self.sums, self.squares)


def _stripes(height: int, width: int, channels: int, values: Tensor) -> Iterator[slice]:
    """Of ``height`` rows, as many as ``STRIPE_BYTES`` hold of so many channels."""
    rows = max(LEAST_ROWS, STRIPE_BYTES // (width * channels * values.element_size()))
    return (slice(top, min(height, top + rows)) for top in range(0, height, rows))
