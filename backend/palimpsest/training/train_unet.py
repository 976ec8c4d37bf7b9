"""Training of the denoiser with the text encoder (Ho et al. 2020, eq. 14; weights of Hang et al. 2023).

The loss is ``min(SNR(t), γ)/SNR(t) · ‖eps - eps_θ(z_t, t, text)‖²`` on cached latents. A tenth of the
captions is empty, for classifier-free guidance (Ho & Salimans 2022). Nothing else is asked of the network:
its attention maps are not supervised.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import CLIPTextModel

from palimpsest.scenes.things import STYLES
from palimpsest.training.checkpoint import step_generator
from palimpsest.training.dataset import KINDS
from palimpsest.training.precision import Precision
from palimpsest.training.presets import UNetCourse
from palimpsest.training.train_vae import Trained


@dataclass(frozen=True)
class Latents:
    """The table that the denoiser learns from, on the device that trains."""

    latents: Tensor  # (n, C, h, w), scaled
    tokens: Tensor  # (n, captions, context)
    kinds: Tensor  # (n,) rows of KINDS
    styles: Tensor  # (n,) rows of STYLES
    empty: Tensor  # (context,) the tokens of the empty caption
    alphas_cumprod: Tensor  # (timesteps,)


@dataclass(frozen=True)
class Denoiser:
    """The two networks, and the slow averages of their weights that are shipped."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    mean_unet: UNet2DConditionModel
    mean_text_encoder: CLIPTextModel

    @classmethod
    def of(cls, unet: UNet2DConditionModel, text_encoder: CLIPTextModel, precision: Precision) -> Denoiser:
        mean_unet, mean_text_encoder = copy.deepcopy(unet), copy.deepcopy(text_encoder)
        for mean in (mean_unet, mean_text_encoder):
            mean.eval().requires_grad_(False)
        if precision.half and precision.device.type == "cpu":
            unet.set_attn_processor(AttnProcessor())  # written out: a third faster than the fused one here
        return cls(unet.train(), text_encoder.train(), mean_unet, mean_text_encoder)

    def parameters(self) -> list[nn.Parameter]:
        return [*self.unet.parameters(), *self.text_encoder.parameters()]

    def means(self) -> list[nn.Parameter]:
        return [*self.mean_unet.parameters(), *self.mean_text_encoder.parameters()]

    def modules(self) -> dict[str, nn.Module]:
        return {
            "unet": self.unet,
            "text_encoder": self.text_encoder,
            "mean_unet": self.mean_unet,
            "mean_text_encoder": self.mean_text_encoder,
        }


def make_optimizer(denoiser: Denoiser, course: UNetCourse) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        denoiser.parameters(), course.rate, betas=(0.9, 0.99), weight_decay=course.weight_decay, fused=True
    )


@dataclass(frozen=True)
class DenoisingLesson:
    """What the denoiser is trained on, and how."""

    table: Latents
    course: UNetCourse
    precision: Precision
    seed: int


def train_unet(
    denoiser: Denoiser, optimizer: torch.optim.Optimizer, lesson: DenoisingLesson, start: int
) -> Iterator[Trained]:
    """Take the steps of ``lesson`` from number ``start`` on, yielding after each one."""
    shares = sampling_shares(lesson.table, lesson.course)
    for step in range(start, lesson.course.steps):
        rate = rate_at(step, lesson.course)
        for group in optimizer.param_groups:
            group["lr"] = rate
        error, weighted = denoising_loss(denoiser, lesson, shares, step)
        weighted.backward()
        nn.utils.clip_grad_norm_(denoiser.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average(denoiser, step, lesson.course.ema)
        yield Trained(step + 1, error.item(), rate)


def rate_at(step: int, course: UNetCourse) -> float:
    """Warm up, hold, then fall to nothing along a cosine during the last share of the steps.

    While the rate is held the number of steps can still be changed: a run is made longer without a new start.
    """
    falling = (step / course.steps - (1 - course.decay_share)) / course.decay_share
    fall = 0.5 * (1 + math.cos(math.pi * max(0.0, falling)))
    return course.rate * min(1.0, (step + 1) / course.warmup) * (0.01 + 0.99 * fall)


def sampling_shares(table: Latents, course: UNetCourse) -> Tensor:
    """How likely each scene is drawn, unnormalised  # (n,)"""
    mix = dict(course.mix)
    kinds, styles = (
        torch.tensor([mix.get(name, 1.0) for name in names], device=table.kinds.device)
        for names in (KINDS, STYLES)
    )
    return kinds[table.kinds.long()] * styles[table.styles.long()]


def denoising_loss(
    denoiser: Denoiser, lesson: DenoisingLesson, shares: Tensor, step: int
) -> tuple[Tensor, Tensor]:
    """The plain and the weighted error of one batch; everything random comes from the step's number."""
    table, course = lesson.table, lesson.course
    rng = step_generator(lesson.seed, step, lesson.precision.device)
    rows = torch.multinomial(shares, course.batch, replacement=True, generator=rng)
    z = table.latents[rows].float()  # (batch, C, h, w)
    tokens = _captions(table, rows, course.caption_dropout, rng)  # (batch, context)
    t = torch.randint(len(table.alphas_cumprod), (course.batch,), generator=rng, device=rng.device)
    eps = torch.randn(z.shape, generator=rng, device=rng.device)
    alpha_bar = table.alphas_cumprod[t]
    root, noise = alpha_bar.sqrt()[:, None, None, None], (1 - alpha_bar).sqrt()[:, None, None, None]
    with lesson.precision.autocast():
        text = denoiser.text_encoder(tokens).last_hidden_state
        predicted = denoiser.unet(root * z + noise * eps, t, text).sample
    error = (predicted.float() - eps).square().flatten(1).mean(1)  # (batch,)
    return error.mean().detach(), (error * min_snr(alpha_bar, course.snr_gamma)).mean()


def _captions(table: Latents, rows: Tensor, dropout: float, rng: torch.Generator) -> Tensor:
    """One wording of each scene, some of them empty."""
    wording = torch.randint(table.tokens.shape[1], rows.shape, generator=rng, device=rng.device)
    dropped = torch.rand(rows.shape, generator=rng, device=rng.device) < dropout
    return torch.where(dropped[:, None], table.empty[None], table.tokens[rows, wording].long())


def min_snr(alpha_bar: Tensor, gamma: float) -> Tensor:
    """``min(SNR, γ)/SNR``, for a network that predicts the noise."""
    snr = alpha_bar / (1 - alpha_bar)
    return snr.clamp(max=gamma) / snr


@torch.no_grad()
def average(denoiser: Denoiser, step: int, ema: float) -> None:
    """Move the averaged weights a little towards the trained ones; faster while the run is young."""
    keep = min(ema, (2 + step) / (21 + step))
    move = get_ema_multi_avg_fn(keep)  # all at once: hundreds of small calls keep a card waiting
    move(tuple(denoiser.means()), tuple(denoiser.parameters()), step)
