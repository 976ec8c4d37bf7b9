"""Where a word's cross-attention looks, against where the thing it names truly is.

A real held-out picture is encoded, noised to a level and shown to the network once with its true caption.
The word's map at each resolution (averaged over heads and over that resolution's layers) is scaled up to the
picture and cut at Otsu's threshold; then intersection over union with the thing's true visible body. Nothing
of the body is used to choose the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from palimpsest.bench.generate import to_pixels
from palimpsest.bench.pictures import Picture
from palimpsest.core.attention.control import AttentionControl, Rows
from palimpsest.core.attention.maps import Levels, WordMaps, otsu
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, noised
from palimpsest.core.text.prompt import Prompt, Vocabulary, concepts_installed

Mask = NDArray[np.bool_]  # (height, width)


@dataclass(frozen=True)
class Captioned:
    """A real picture, its true caption, and for words that occur once in it what each names."""

    picture: Picture
    caption: str
    bodies: dict[str, Mask]


@dataclass(frozen=True)
class Overlap:
    """How well one word's map covers what the word names."""

    resolution: int  # longer side of the attention map in cells
    timestep: Level
    iou: float


def overlaps(model: DiffusionModel, sample: Captioned, timestep: Level, seed: int) -> list[Overlap]:
    """The overlap of every word of one sample at every resolution, in one UNet evaluation.

    Two things of one name leave a sample without a word to ask about, and without an overlap.
    """
    if not sample.bodies:
        return []
    with concepts_installed(model, ()) as vocabulary:
        prompt = vocabulary.parse(sample.caption)
        stores = read_maps(model, vocabulary, prompt, sample, timestep, seed)
    return [
        Overlap(max(store.size), timestep, iou(cut(map_.cpu().numpy()), sample.bodies[word]))
        for store in stores
        for word, map_ in store.normalised(sample.picture.shape[:2]).items()
    ]


@torch.no_grad()
def read_maps(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    prompt: Prompt,
    sample: Captioned,
    timestep: Level,
    seed: int,
) -> Sequence[WordMaps]:
    """The maps of the sample's words, one store per resolution that attends to words."""
    z = model.encode(to_pixels([sample.picture]).to(model.device))
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(seed)).to(z)
    levels = Levels.of(model.network, (z.shape[2], z.shape[3]))
    control = AttentionControl([], 1, levels)
    control.source_maps = [WordMaps(prompt, list(sample.bodies), size) for size in sorted(levels.cross)]
    with model.network.attending(control):
        control.begin(0, Rows((), source=0))
        model.predict(noised(model.process, z, noise, timestep), timestep, vocabulary.encode([prompt]))
    return control.source_maps


def cut(values: NDArray[np.float32]) -> Mask:
    """Values in [0, 1] above Otsu's threshold, as a word becomes a selection."""
    grey = np.rint(values * 255).astype(np.uint8)
    return grey > otsu(grey)


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union; 1 for two empty masks."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0
