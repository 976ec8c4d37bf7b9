"""Do these pictures show the same subject? Asked of the diffusion model itself, no other network.

A network's features tell things apart (DIFT, Tang et al. 2023). Those of its last block, averaged over
the subject's mask, are compared between pictures by Euclidean distance in units of how far subjects are
from backgrounds. The picture farthest from the others is the odd one; its score compares its distance with
how far the others are from each other, so that a subject of many faces makes no outlier.

Without a mask backgrounds would decide, so the subject is then looked for by the noun's attention map
(``subject``). Finding it where the noun changes the model's prediction (DiffEdit, Couairon et al. 2022)
was tried on the built-in model and did not separate sets with a stranger from sets without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.conditioning import Conditioning
from palimpsest.core.learning.subject import find_roughly
from palimpsest.core.learning.templates import fill, templates_for
from palimpsest.core.learning.views import View, ViewSettings, encode_views
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.region import Mask
from palimpsest.core.process import Level, noised
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import concepts_installed


@dataclass(frozen=True)
class AgreementSettings:
    """``threshold`` trades missed strangers for false alarms.

    On the built-in model (``palimpsest bench agreement``), one stranger among 4: the oddest in 92 % of 52
    sets with masks and in 96 % without any. Above .85 it is in 73 % and 69 %, with no false alarm and with
    12 % (26 sets of each kind: intervals are wide). Not measured on other models.
    """

    threshold: float = 0.85
    times: tuple[float, ...] = (0.1, 0.26)  # t/T at which features are read; .26 is DIFT's
    softness: float = 0.25  # added to the others' mean distance: near-identical views make no outlier
    seed: int = 0


@dataclass(frozen=True)
class Oddness:
    """The picture (from 0) that fits the others least, and how little."""

    picture: int
    score: float
    distances: Tensor  # (pictures, pictures): 0 the same, 1 as far as subjects are from backgrounds


@dataclass(frozen=True)
class _Features:
    """Of one picture, (channels,) per time."""

    subject: tuple[Tensor, ...]
    background: tuple[Tensor, ...]


def oddness(
    model: DiffusionModel,
    pictures: Sequence[NDArray[Any]],
    masks: Sequence[Mask | None],
    noun: str,
    settings: AgreementSettings,
) -> Steps[Oddness]:
    """Find the odd picture out. ``pictures`` and ``masks`` as for ``encode_views``; at least 3."""
    marked = []
    for picture, mask in zip(pictures, masks, strict=True):
        found = mask if mask is not None else (yield from find_roughly(model, picture, noun, settings.seed))
        marked.append(found)
    plain = ViewSettings(per_picture=1, outside_weight=0.0)  # so that a view's weight is its mask
    views = yield from encode_views(model, pictures, marked, plain, settings.seed)
    described = []
    for index, view in enumerate(views):
        described.append(_describe(model, view, _conditioning(model, view, noun), settings))
        yield Step("compare", index + 1, len(views))
    return judge(_distances(described), settings.softness)


def judge(distances: Tensor, softness: float) -> Oddness:
    """The outlier of a distance matrix (n, n), n ≥ 3, and its score."""
    n = len(distances)
    away = (distances.sum(dim=1) - distances.diagonal()) / (n - 1)
    odd = int(away.argmax())
    others = [i for i in range(n) if i != odd]
    inner = distances[others][:, others]
    spread = (inner.sum() - inner.diagonal().sum()) / (len(others) * (len(others) - 1))
    return Oddness(odd, float(away[odd] / (spread + softness)), distances)


def _distances(described: Sequence[_Features]) -> Tensor:
    """Mean over the times of |s_i - s_j| / mean |s - b|."""
    parts = []
    for time in range(len(described[0].subject)):
        subjects = torch.stack([features.subject[time] for features in described])
        backgrounds = torch.stack([features.background[time] for features in described])
        unit = torch.cdist(subjects, backgrounds).mean().clamp(min=1e-6)
        # without matrix products, so that a picture's distance to itself is 0
        apart = torch.cdist(subjects, subjects, compute_mode="donot_use_mm_for_euclid_dist")
        parts.append(apart / unit)
    return torch.stack(parts).mean(dim=0)


def _conditioning(model: DiffusionModel, view: View, noun: str) -> Conditioning:
    template = templates_for("subject", [part.tokenizer for part in model.text])[0]
    size = (view.shape[0] * model.stride, view.shape[1] * model.stride)
    with concepts_installed(model, []) as vocabulary:
        return vocabulary.encode([vocabulary.parse(fill(template, noun))], size)


@torch.no_grad()
def _describe(
    model: DiffusionModel, view: View, conditioning: Conditioning, settings: AgreementSettings
) -> _Features:
    subject, background = [], []
    weight = view.weight[None].to(model.device)  # (1, 1, h, w)
    for number, time in enumerate(settings.times):
        z, level = _noised(model, view, time, settings.seed + number)
        with _output(model.network.features) as outputs:
            model.predict(z, level, conditioning)
        subject.append(_pooled(outputs[0], weight))
        background.append(_pooled(outputs[0], 1 - weight))
    return _Features(tuple(subject), tuple(background))


def _noised(model: DiffusionModel, view: View, time: float, seed: int) -> tuple[Tensor, Level]:
    """A view's mean at ``time`` of the process, and that level; the same noise for every picture."""
    level = model.process.level(time)
    eps = torch.randn(view.mean.shape, generator=torch.Generator().manual_seed(seed))
    return noised(model.process, view.mean, eps, level)[None].to(model.device), level


def _pooled(features: Tensor, weight: Tensor) -> Tensor:
    """Mean over the cells of (1, channels, h, w), weighted by a map of any size; → (channels,)."""
    scaled = functional.interpolate(weight.float(), features.shape[-2:], mode="area") + 1e-4
    return ((features.float() * scaled).sum(dim=(2, 3)) / scaled.sum(dim=(2, 3)))[0].cpu()


@contextmanager
def _output(block: Any) -> Iterator[list[Tensor]]:
    """Collects what the block returns while the ``with`` lasts."""
    kept: list[Tensor] = []
    hook = block.register_forward_hook(lambda _, __, output: kept.append(output))
    try:
        yield kept
    finally:
        hook.remove()
