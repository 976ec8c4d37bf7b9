"""Captions for photographs by BLIP (Li et al. 2022), from a folder on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.finite import require_finite
from palimpsest.errors import ModelUnreadableError
from palimpsest.models.load import quiet_libraries, reading
from palimpsest.models.spec import read_json

MOST_TOKENS = 40


@dataclass(frozen=True)
class Caption:
    """confidence: geometric mean of the probabilities of its tokens, 0 … 1."""

    text: str
    confidence: float


class Captioner:
    """Greedy decoding: the same picture has the same caption. Raises ModelErrors when it is opened."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        from transformers import AutoTokenizer, BlipForConditionalGeneration

        options: dict[str, Any] = {"local_files_only": True}
        weights = {**options, "use_safetensors": True}
        network = BlipForConditionalGeneration
        with quiet_libraries():
            self._tokenizer = reading(folder, lambda: AutoTokenizer.from_pretrained(folder, **options))
            self._model: Any = reading(folder, lambda: network.from_pretrained(folder, **weights))
        self._model.eval().to(device)
        self._eye = Eye.read(folder / "preprocessor_config.json")
        self._device = device

    def caption(self, pixels: Tensor) -> Caption:
        """``pixels``: (1, 3, h, w) in [0, 1]."""
        seen = self._eye.look(pixels).to(self._device)
        with torch.inference_mode():
            said = self._model.generate(
                pixel_values=seen,
                max_new_tokens=MOST_TOKENS,
                num_beams=1,
                do_sample=False,
                return_dict_in_generate=True,
                output_scores=True,
            )
            scores = self._model.text_decoder.compute_transition_scores(
                said.sequences, said.scores, normalize_logits=True
            )
        own = said.sequences[0, -len(said.scores) :]  # without the mark that it begins with
        text = self._tokenizer.decode(own, skip_special_tokens=True).strip()
        confidence = scores[0].mean().exp()
        return Caption(text, float(require_finite(confidence, "The captioning model", self._model.dtype)))


@dataclass(frozen=True)
class Eye:
    """What the model was trained to see: pictures of one size, with mean 0 and variance 1."""

    size: tuple[int, int]  # height, width
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @staticmethod
    def read(file: Path) -> Eye:
        told = read_json(file)
        try:
            size = told["size"]["height"], told["size"]["width"]
            return Eye(size, tuple(told["image_mean"]), tuple(told["image_std"]))
        except (KeyError, TypeError) as error:
            raise ModelUnreadableError(f"{file} doesn't say what the model sees: {error!r}.") from error

    def look(self, pixels: Tensor) -> Tensor:
        """(1, 3, h, w) in [0, 1] → (1, 3, *size)."""
        seen = torch.nn.functional.interpolate(pixels, self.size, mode="bicubic", antialias=True)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (self.mean, self.deviation))
        return (seen.clamp(0, 1) - mean) / deviation
