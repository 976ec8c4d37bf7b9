"""The pictures a word is learned from, as the model will see them: crops, encoded once.

A picture's shape is kept (never squashed). With a subject mask the crop is the subject with context
around it. Each picture gives several views that differ in crop, and for styles in mirror image: subjects
are not mirrored, because lettering, a parting or a handle on the left belong to what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.region import Mask, Size, bounds, cut, plan, working_mask
from palimpsest.core.steps import Step, Steps


@dataclass(frozen=True)
class ViewSettings:
    per_picture: int = 4
    shrink: float = 0.15  # a view without mask shows at least this much less of each side, at most
    context: tuple[float, float] = (0.25, 0.75)  # around a masked subject, in parts of its longer side
    mirrored: bool = False  # every second view is a mirror image
    outside_weight: float = 0.1  # of the loss outside a subject's mask (1 inside)


@dataclass(frozen=True)
class View:
    """One crop of one picture, as the latent distribution N(mean, std²) of the autoencoder."""

    picture: int
    mean: Tensor  # (channels, h, w) float32, on the CPU like the others
    std: Tensor  # (channels, h, w)
    weight: Tensor  # (1, h, w), the loss's weight per latent cell

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.mean.shape[1]), int(self.mean.shape[2])

    def sample(self, noise: Tensor) -> Tensor:
        """z_0 ~ N(mean, std²)."""
        return self.mean + self.std * noise


def encode_views(
    model: DiffusionModel,
    pictures: Sequence[NDArray[Any]],
    masks: Sequence[Mask | None],
    settings: ViewSettings,
    seed: int = 0,
) -> Steps[tuple[View, ...]]:
    """Crop and encode every picture; one step per view, in the order of the pictures.

    ``pictures``: sRGB in [0, 1], (height, width, 3), upright. ``masks``: where the subject is, or None.
    The first view of a picture is the plain one, without jitter.
    """
    views = []
    total = len(pictures) * settings.per_picture
    for index, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        rng = np.random.default_rng([seed, index])
        for number in range(settings.per_picture):
            views.append(_encode_view(model, index, picture, mask, settings, number, rng))
            yield Step("prepare", len(views), total)
    return tuple(views)


def _encode_view(
    model: DiffusionModel,
    index: int,
    picture: NDArray[Any],
    mask: Mask | None,
    settings: ViewSettings,
    number: int,
    rng: np.random.Generator,
) -> View:
    window = _window(picture.shape[:2], mask, settings, number, rng)
    seen = picture[window]
    seen_mask = None if mask is None else mask[window]
    context = float(np.mean(settings.context) if number == 0 else rng.uniform(*settings.context))
    canvas = Size(seen.shape[1], seen.shape[0])
    region = plan(canvas, seen_mask, model.native_size, model.granularity, context)
    pixels = cut(seen, region)  # (1, 3, height, width)
    covered = functional.avg_pool2d(working_mask(seen_mask, region), model.stride)
    if settings.mirrored and number % 2 == 1:
        pixels, covered = pixels.flip(-1), covered.flip(-1)
    mean, std = model.encode_moments(pixels)
    weight = settings.outside_weight + (1 - settings.outside_weight) * covered[0]
    return View(index, mean[0].cpu(), std[0].cpu(), weight)


def _window(
    shape: tuple[int, ...],
    mask: Mask | None,
    settings: ViewSettings,
    number: int,
    rng: np.random.Generator,
) -> tuple[slice, slice]:
    """The part of the picture a view may show: all of it first, then a little less; the subject always."""
    if number == 0:
        return slice(0, shape[0]), slice(0, shape[1])
    height, width = shape
    keep_top, keep_left, keep_bottom, keep_right = height, width, 0, 0
    if mask is not None:
        box = bounds(mask, Size(width, height))
        keep_top, keep_left, keep_bottom, keep_right = box.top, box.left, box.bottom, box.right
    top, bottom = _span(height, keep_top, keep_bottom, settings.shrink, rng)
    left, right = _span(width, keep_left, keep_right, settings.shrink, rng)
    return slice(top, bottom), slice(left, right)


def _span(
    length: int, keep_start: int, keep_stop: int, shrink: float, rng: np.random.Generator
) -> tuple[int, int]:
    kept = max(1, round(length * (1 - rng.uniform(0, shrink))))
    start = int(rng.integers(0, length - kept + 1))
    return min(start, keep_start), max(start + kept, keep_stop)


def grouped(views: Sequence[View], most: int) -> list[list[int]]:
    """Indices of views that can share a batch (same latent shape), at most ``most`` together."""
    by_shape: dict[tuple[int, int], list[int]] = {}
    for index, view in enumerate(views):
        by_shape.setdefault(view.shape, []).append(index)
    return [
        indices[start : start + most]
        for indices in by_shape.values()
        for start in range(0, len(indices), most)
    ]


def stacked(views: Sequence[View], noise: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Sampled latents z_0 (batch, c, h, w) and weights (batch, 1, h, w) of views of one shape."""
    z0 = torch.stack([view.sample(xi) for view, xi in zip(views, noise, strict=True)])
    return z0, torch.stack([view.weight for view in views])
