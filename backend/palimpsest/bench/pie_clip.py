"""CLIP similarity (Radford et al. 2021): how well a picture fits a sentence, by a model on this machine.

PIE-Bench's is ``clip-vit-large-patch14``; figures of another model don't compare with its.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from palimpsest.bench.pictures import Picture
from palimpsest.models.captioner import ImagePreprocessor
from palimpsest.models.libraries import quiet_libraries, reading
from palimpsest.models.spec import read_json

LONGEST = 77  # tokens


@dataclass(frozen=True)
class Similarity:
    """100 times the cosine, at least 0. ``edited``: with all black but what is to change, None = nothing."""

    whole: float
    edited: float | None


class Clip:
    """From a folder in transformers' layout. Raises ModelErrors when it is opened."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        from transformers import AutoTokenizer, CLIPModel

        options: dict[str, Any] = {"local_files_only": True}
        weights = {**options, "use_safetensors": True}
        with quiet_libraries():
            self._tokenizer: Any = reading(folder, lambda: AutoTokenizer.from_pretrained(folder, **options))
            self._model: Any = reading(folder, lambda: CLIPModel.from_pretrained(folder, **weights))
        self._model.eval().to(device)
        self._device = device
        self._eye = _eye_of(folder, self._model.config.vision_config.image_size)

    def similarity(self, picture: Picture, sentence: str, mask: NDArray[np.bool_]) -> Similarity:
        """``mask`` (height, width): what was to change."""
        edited = self._fit(picture * mask[..., None], sentence) if mask.any() else None
        return Similarity(self._fit(picture, sentence), edited)

    @torch.inference_mode()
    def _fit(self, picture: Picture, sentence: str) -> float:
        pixels = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        tokens = self._tokenizer([sentence], truncation=True, max_length=LONGEST, return_tensors="pt")
        given = {name: value.to(self._device) for name, value in tokens.items()}
        made = self._model(**given, pixel_values=self._eye.look(pixels).to(self._device))
        return max(0.0, 100 * float((made.image_embeds * made.text_embeds).sum()))


def _eye_of(folder: Path, side: int) -> ImagePreprocessor:
    said = reading(folder, lambda: read_json(folder / "preprocessor_config.json"))
    return reading(
        folder,
        lambda: ImagePreprocessor((side, side), tuple(said["image_mean"]), tuple(said["image_std"])),
    )
