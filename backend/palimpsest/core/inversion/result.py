"""What an inversion leaves behind: the noise that leads back to the photo, and how to go there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from palimpsest_client.fields.methods import METHODS


@dataclass(frozen=True)
class Inversion:
    """The photo's trajectory through the noise levels, cleanest first.

    ``latents[0]`` is z_0, the photo itself, and ``latents[i]`` belongs to the i-th timestep from the
    clean end: with ``timesteps`` noisiest first, step k of sampling goes from ``latents[S-k]`` at
    ``timesteps[k]`` to ``latents[S-k-1]``.
    """

    latents: Tensor  # (steps + 1, 1, channels, height, width) float32, z_0 … z_T: the DDIM pivots
    timesteps: tuple[int, ...]  # noisiest first
    method: str  # by which it was made, of METHODS
    guidance: float  # what ``nulls`` were optimised for, and the edit's default
    prompt: str  # the source prompt
    nulls: Tensor | None = None  # (steps, 1, tokens, width) float32, noisiest first; if optimised
    unet_evaluations: int = 0

    @property
    def steps(self) -> int:
        return len(self.timesteps)

    @property
    def source_moves(self) -> bool:
        """Whether the photo's branch samples in an edit; else it is put on the pivots."""
        return METHODS[self.method].source_moves

    def before(self, step: int) -> Tensor:
        """z at ``timesteps[step]``, where sampling step ``step`` starts; (1, channels, height, width)."""
        return self.latents[self.steps - step]

    def after(self, step: int) -> Tensor:
        """The pivot that sampling step ``step`` should reach."""
        return self.latents[self.steps - step - 1]

    def to_tensors(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Tensors and string metadata, as safetensors stores them."""
        tensors = {"latents": self.latents.contiguous(), "timesteps": torch.tensor(self.timesteps)}
        if self.nulls is not None:
            tensors["nulls"] = self.nulls.contiguous()
        metadata = {
            "method": self.method,
            "guidance": repr(self.guidance),
            "prompt": self.prompt,
            "unet_evaluations": str(self.unet_evaluations),
        }
        return tensors, metadata

    @staticmethod
    def from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Inversion:
        """The inverse of ``to_tensors``. Raises KeyError or ValueError for what isn't an inversion."""
        return Inversion(
            latents=tensors["latents"],
            timesteps=tuple(int(t) for t in tensors["timesteps"]),
            method=metadata["method"],
            guidance=float(metadata["guidance"]),
            prompt=metadata["prompt"],
            nulls=tensors.get("nulls"),
            unet_evaluations=int(metadata["unet_evaluations"]),
        )
