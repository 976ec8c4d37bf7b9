"""LocalBlend (Prompt-to-Prompt, Hertz et al. 2022, "Local Editing"): change only where the words are.

The words' maps, summed over each word's tokens and averaged over heads, layers and the steps so far,
are thresholded; outside the mask the target takes the source's latent,
z_tgt := z_src + mask·(z_tgt - z_src).

Two choices differ from the published code, and are meant: a target's map is its own, read before the
edit (in place, the published code overwrites it by the source's); a word that is nowhere in the
prompts is an error instead of an empty mask divided by zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from palimpsest.core.attention.control import AttentionControl
from palimpsest.core.attention.maps import WordMaps
from palimpsest.core.networks import Size
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import RequestError, WordNotFoundError

DILATION = 3
"""Cells of the map: the published max-pooling, so that outlines may move a little."""
CELLS = 16
"""Of the published map's longer side."""


@dataclass(frozen=True)
class BlendSettings:
    """The published constants. ``start``: fraction of the steps before which nothing is blended."""

    threshold: float = 0.3
    start: float = 0.2


@dataclass(frozen=True)
class _Side:
    """One prompt's maps: where the changed words are, and where the protected ones are."""

    include: WordMaps
    exclude: WordMaps

    @staticmethod
    def of(prompt: Prompt, include: Sequence[str], exclude: Sequence[str], size: Size) -> _Side:
        words = [[word for word in some if prompt.contains(word)] for some in (include, exclude)]
        return _Side(WordMaps(prompt, words[0], size), WordMaps(prompt, words[1], size))


class LocalBlend:
    """Reads maps through ``control`` and blends the targets' latents after each step."""

    def __init__(
        self,
        control: AttentionControl,
        source: Prompt,
        targets: Sequence[Prompt],
        include: Sequence[str],
        exclude: Sequence[str] = (),
        settings: BlendSettings | None = None,
    ) -> None:
        prompts = (source, *targets)
        if not include:
            raise RequestError("LocalBlend has no word to blend by.", "Name the words that may change.")
        for word in (*include, *exclude):
            _refuse_unknown(word, prompts)
        size = control.levels.map_size
        self.settings = BlendSettings() if settings is None else settings
        self.sides = [_Side.of(prompt, include, exclude, size) for prompt in prompts]
        self.first = int(self.settings.start * control.steps)
        control.source_maps += [self.sides[0].include, self.sides[0].exclude]
        for stores, side in zip(control.target_maps, self.sides[1:], strict=True):
            stores += [side.include, side.exclude]

    def masks(self, latent: Size) -> Tensor:
        """Where each target may differ from the source now: (targets, 1, height, width) of 0 and 1."""
        source, *targets = [self._mask(side, latent) for side in self.sides]
        return torch.stack([source | target for target in targets])[:, None].float()

    def blend(self, step: int, z_src: Tensor, z_tgt: Tensor) -> Tensor:
        """``z_src`` (1, c, h, w) and ``z_tgt`` (targets, c, h, w) after sampling step ``step``."""
        if step < self.first:
            return z_tgt
        height, width = z_tgt.shape[-2:]
        return torch.where(self.masks((height, width)).to(z_tgt.device) > 0, z_tgt, z_src)

    def facts(self, step: int) -> tuple[Any, ...]:
        """All that decides what is done at this step beside the maps, as ``trajectory.py`` compares it."""
        return () if step < self.first else (self.settings.threshold,)

    def _mask(self, side: _Side, latent: Size) -> Tensor:
        include, exclude = (_fine(maps.mean.sum(0)[None, None]) for maps in (side.include, side.exclude))
        near = F.max_pool2d(include, DILATION, stride=1, padding=DILATION // 2)
        threshold = self.settings.threshold
        return _above(near, threshold, latent) & ~_above(exclude, threshold, latent)


def _fine(seen: Tensor) -> Tensor:
    """(1, 1, h, w) smoothly enlarged to the cells of the paper's maps if it has fewer."""
    factor = CELLS / max(seen.shape[-2:])
    return seen if factor <= 1 else F.interpolate(seen, scale_factor=factor, mode="bilinear")


def _above(seen: Tensor, threshold: float, latent: Size) -> Tensor:
    """(1, 1, h, w) to (height, width) of bool: where the map exceeds this share of its maximum."""
    enlarged = F.interpolate(seen, size=latent, mode="nearest")[0, 0]
    return enlarged > threshold * enlarged.max()  # never a division, so no NaN for an empty map


def _refuse_unknown(word: str, prompts: Sequence[Prompt]) -> None:
    if any(prompt.contains(word) for prompt in prompts):
        return
    names = list(dict.fromkeys(name for prompt in prompts for name in prompt.names))
    raise WordNotFoundError(
        f"The word {word!r} to blend by is in neither prompt.",
        f"Words there: {', '.join(names)}.",
        word=word,
        words=names,
    )
