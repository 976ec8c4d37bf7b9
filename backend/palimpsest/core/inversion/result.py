"""What an inversion leaves behind: the noise that leads back to the photo, and how to go there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from palimpsest.core.process import Level
from palimpsest_client.methods import METHODS


@dataclass(frozen=True)
class Inversion:
    """The photo's trajectory through the noise levels, cleanest first.

    ``latents[0]`` is z_0, the photo itself, and ``latents[i]`` belongs to the i-th noise level from the
    clean end: with ``levels`` noisiest first, step k of sampling goes from ``latents[S-k]`` at
    ``levels[k]`` to ``latents[S-k-1]``. It may end at a level below the noisiest, its ``reach``: edits that
    begin there or lower need no more.
    """

    latents: Tensor  # (reach + 1, 1, channels, height, width) float32, z_0 first: the DDIM pivots
    levels: tuple[Level, ...]  # noisiest first
    method: str  # by which it was made, of METHODS
    guidance: float  # what ``nulls`` were optimised for, and the edit's default
    prompt: str  # the source prompt
    nulls: Tensor | None = None  # (steps, 1, tokens, width) float32, noisiest first; if optimised
    path: Tensor | None = None  # like ``latents``: where the photo's branch goes; None: along the pivots
    noises: Tensor | None = None  # (reach, 1, c, h, w), cleanest first: what a target's steps add, if any
    evaluations: int = 0  # of the network, to make it; 0 of one that was kept

    @property
    def steps(self) -> int:
        return len(self.levels)

    @property
    def reach(self) -> int:
        """How many noise levels from the clean end are known."""
        return len(self.latents) - 1

    @property
    def source_moves(self) -> bool:
        """Whether the photo's branch samples in an edit; else it is put on the stored path."""
        return METHODS[self.method].source_moves

    @property
    def from_caption(self) -> bool:
        """Whether guidance leads away from the photo's caption in an edit."""
        return METHODS[self.method].from_caption

    def source(self, levels: int) -> Tensor:
        """The photo's branch where so many noise levels are left; 0: its picture. Of one that samples, where
        it should be; (1, channels, height, width)."""
        return (self.latents if self.path is None else self.path)[levels]

    def before(self, step: int) -> Tensor:
        """z at ``levels[step]``, where sampling step ``step`` starts; (1, channels, height, width)."""
        return self.latents[self.steps - step]

    def after(self, step: int) -> Tensor:
        """The pivot that sampling step ``step`` should reach."""
        return self.latents[self.steps - step - 1]

    def noise(self, step: int) -> Tensor | None:
        """What a target's sampling step ``step`` adds, if anything; (1, channels, height, width)."""
        return None if self.noises is None else self.noises[self.steps - step - 1]

    def to_tensors(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Tensors and string metadata, as safetensors stores them."""
        exact = torch.int64 if all(isinstance(level, int) for level in self.levels) else torch.float64
        levels = torch.tensor(self.levels, dtype=exact)
        tensors = {"latents": self.latents.contiguous(), "timesteps": levels}
        for name, tensor in (("nulls", self.nulls), ("path", self.path), ("noises", self.noises)):
            if tensor is not None:
                tensors[name] = tensor.contiguous()
        metadata = {
            "method": self.method,
            "guidance": repr(self.guidance),
            "prompt": self.prompt,
        }
        return tensors, metadata

    @staticmethod
    def from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Inversion:
        """The inverse of ``to_tensors``. Raises KeyError or ValueError for what isn't an inversion."""
        return Inversion(
            latents=tensors["latents"],
            levels=tuple(tensors["timesteps"].tolist()),
            method=metadata["method"],
            guidance=float(metadata["guidance"]),
            prompt=metadata["prompt"],
            nulls=tensors.get("nulls"),
            path=tensors.get("path"),
            noises=tensors.get("noises"),
        )
