"""Training of the autoencoder (Kingma & Welling 2014; the layout of Rombach et al. 2022 without a critic).

L1 + MSE + the L1 of image gradients + a tiny KL term. Pixels of things weigh more than the ground: things are
a tenth of the picture, and an unweighted loss lets small ones vanish while the PSNR still looks good.

An autoencoder that starts from another one is anchored to it: the latent channels that both have keep their
meaning, so that the denoiser which came along goes on from what it knows; new ones carry what was lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from palimpsest.training.checkpoint import step_generator
from palimpsest.training.dataset import to_signed
from palimpsest.training.precision import Precision
from palimpsest.training.presets import VaeCourse

CENTRED = 0.8  # share of the crops that are laid around a pixel of a thing


@dataclass(frozen=True)
class Trained:
    """One optimiser step and what it measured."""

    step: int
    loss: float
    rate: float


@dataclass(frozen=True)
class Lesson:
    """What an autoencoder is trained on, and how."""

    pictures: Tensor  # (n, 3, H, W) uint8
    cover: Tensor  # (n, 1, H, W) uint8
    course: VaeCourse
    precision: Precision
    seed: int
    decoder_only: bool = False
    anchor: AutoencoderKL | None = None


def trained_parameters(vae: AutoencoderKL, decoder_only: bool) -> list[torch.nn.Parameter]:
    """All parameters, or those behind the latents only: then latents stay what they were."""
    behind = ("decoder.", "post_quant_conv.") if decoder_only else ("",)
    return [p for name, p in vae.named_parameters() if name.startswith(behind)]


def train_vae(
    vae: AutoencoderKL, optimizer: torch.optim.Optimizer, lesson: Lesson, start: int
) -> Iterator[Trained]:
    """Take the steps of ``lesson`` from number ``start`` on, yielding after each one."""
    vae.train()
    for step in range(start, lesson.course.steps):
        rate = rate_at(step, lesson.course)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rng = step_generator(lesson.seed, step, lesson.precision.device)
        loss = vae_loss(vae, lesson, step, rng)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        yield Trained(step + 1, loss.item(), rate)
    vae.eval()


def rate_at(step: int, course: VaeCourse) -> float:
    """Warm up, then fall along a cosine to 3 % of the full rate."""
    warm = min(1.0, (step + 1) / course.warmup)
    return course.rate * warm * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / course.steps)))


def vae_loss(vae: AutoencoderKL, lesson: Lesson, step: int, rng: torch.Generator) -> Tensor:
    """The loss of one batch: crops first, whole pictures during the last share of the steps."""
    course = lesson.course
    whole = step >= course.steps * (1 - course.full_share)
    pixels, cover = _whole_batch(lesson, rng) if whole else _crop_batch(lesson, rng)
    x = to_signed(pixels)  # (batch, 3, side, side)
    weight = 1 + (course.object_weight - 1) * cover.float()  # (batch, 1, side, side)
    with lesson.precision.autocast():
        posterior = _encode(vae, x, lesson.decoder_only)
        y = decode(vae, posterior.sample(rng))
    kl = posterior.kl().float().mean() / posterior.mean[0].numel()
    loss = reconstruction_loss(y.float(), x, weight / weight.mean(), course) + course.kl_weight * kl
    if lesson.anchor is not None:
        loss = loss + course.anchor_weight * anchor_loss(posterior.mean.float(), x, lesson)
    return loss


def _encode(vae: AutoencoderKL, x: Tensor, frozen: bool):
    with torch.set_grad_enabled(not frozen):
        return vae.encode(x).latent_dist  # pyright: ignore[reportAttributeAccessIssue]


def anchor_loss(mean: Tensor, x: Tensor, lesson: Lesson) -> Tensor:
    """Mean squared distance of the scaled latents to the anchor's, over the channels that it has."""
    assert lesson.anchor is not None
    held = encode_mean(lesson.anchor, x, lesson.precision)  # (batch, C of the anchor, h, w)
    scale = lesson.anchor.config["scaling_factor"]
    return ((mean[:, : held.shape[1]] - held) * scale).square().mean()


def reconstruction_loss(y: Tensor, x: Tensor, weight: Tensor, course: VaeCourse) -> Tensor:
    """Weighted L1 + MSE + L1 between the horizontal and vertical differences of ``y`` and ``x``."""
    d = y - x
    across = (weight[..., 1:] * (d[..., 1:] - d[..., :-1]).abs()).mean()
    down = (weight[:, :, 1:] * (d[:, :, 1:] - d[:, :, :-1]).abs()).mean()
    pixelwise = (weight * d.abs()).mean() + course.mse_weight * (weight * d.square()).mean()
    return pixelwise + course.gradient_weight * (across + down)


def _whole_batch(lesson: Lesson, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    rows = _rows(lesson, lesson.course.full_batch, rng)
    return _put(lesson, lesson.pictures[rows]), _put(lesson, lesson.cover[rows])


def _crop_batch(lesson: Lesson, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    rows = _rows(lesson, lesson.course.crop_batch, rng)
    side = lesson.course.crop
    chances = torch.rand(len(rows), 4, generator=rng, device=rng.device).tolist()  # read all at once
    windows = [_window(lesson, row, *chance) for row, chance in zip(rows.tolist(), chances, strict=True)]
    cut = [
        (table[row, :, top : top + side, left : left + side])
        for table in (lesson.pictures, lesson.cover)
        for row, (top, left) in zip(rows.tolist(), windows, strict=True)
    ]
    half = len(rows)
    return _put(lesson, torch.stack(cut[:half])), _put(lesson, torch.stack(cut[half:]))


def _window(lesson: Lesson, row: int, centred: float, pick: float, *shift: float) -> tuple[int, int]:
    """The corner of a crop: mostly around some pixel of a thing, else anywhere. Chances are in 0..1."""
    side, room = lesson.course.crop, lesson.pictures.shape[-1] - lesson.course.crop
    things = lesson.cover[row, 0].nonzero()
    if centred >= CENTRED or len(things) == 0:
        return int(shift[0] * (room + 1)), int(shift[1] * (room + 1))
    middle = things[int(pick * len(things))].tolist()
    corner = [int(m - side / 2 + (s - 0.5) * side * 0.6) for m, s in zip(middle, shift, strict=True)]
    return min(max(corner[0], 0), room), min(max(corner[1], 0), room)


def _rows(lesson: Lesson, count: int, rng: torch.Generator) -> Tensor:
    drawn = torch.randint(len(lesson.pictures), (count,), generator=rng, device=rng.device)
    return drawn.to(lesson.pictures.device)


def _put(lesson: Lesson, tensor: Tensor) -> Tensor:
    return tensor.to(lesson.precision.device)


@torch.no_grad()
def bake_normalisation(vae: AutoencoderKL, pictures: Tensor, precision: Precision) -> None:
    """Fold each latent channel's mean and spread into the 1×1 convolutions on both sides of the latents.

    Afterwards ``scaling_factor · latent`` has mean 0 and variance 1 per channel, without a shift.
    """
    z = torch.cat([encode_mean(vae, to_signed(p), precision) for p in pictures.split(32)])  # (n, C, h, w)
    mean, spread = z.mean((0, 2, 3)), z.std((0, 2, 3)) * vae.config["scaling_factor"]
    tensors, channels = vae.state_dict(), len(mean)
    tensors["quant_conv.weight"][:channels] /= spread[:, None, None, None]
    tensors["quant_conv.bias"][:channels] = (tensors["quant_conv.bias"][:channels] - mean) / spread
    tensors["quant_conv.bias"][channels:] -= 2 * torch.log(spread)  # the logarithm of the variance
    tensors["post_quant_conv.bias"] += tensors["post_quant_conv.weight"][:, :, 0, 0] @ mean
    tensors["post_quant_conv.weight"] *= spread[None, :, None, None]


@torch.no_grad()
def encode_mean(vae: AutoencoderKL, x: Tensor, precision: Precision) -> Tensor:
    """The posterior's mean of pictures in -1..1, unscaled  # (n, C, h, w)"""
    with precision.autocast():
        posterior = vae.encode(x.to(precision.device)).latent_dist  # pyright: ignore[reportAttributeAccessIssue]
    return posterior.mean.float()


def decode(vae: AutoencoderKL, z: Tensor) -> Tensor:
    """Unscaled latents → pictures, about -1..1  # (n, 3, H, W)"""
    return vae.decode(z, return_dict=False)[0]  # pyright: ignore[reportArgumentType, reportReturnType]


@torch.no_grad()
def round_trip(vae: AutoencoderKL, pixels: Tensor, precision: Precision) -> Tensor:
    """Pictures encoded and decoded again, -1..1."""
    decoded = []
    for piece in pixels.split(16):
        z = encode_mean(vae, to_signed(piece), precision)
        with precision.autocast():
            decoded.append(decode(vae, z).float().cpu())
    return torch.cat(decoded).clamp(-1, 1)


def psnr(restored: Tensor, pixels: Tensor) -> float:
    """Mean over the pictures of the peak signal-to-noise ratio, dB."""
    error = (restored - to_signed(pixels)).square().flatten(1).mean(1)
    return float((10 * torch.log10(4 / error)).mean())


def make_optimizer(vae: AutoencoderKL, lesson: Lesson) -> torch.optim.Optimizer:
    parameters = trained_parameters(vae, lesson.decoder_only)
    return torch.optim.AdamW(parameters, lesson.course.rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
