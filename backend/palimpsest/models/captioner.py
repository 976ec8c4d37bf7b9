"""Captions for photographs by BLIP (Li et al. 2022), from a folder on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from palimpsest.contract import Doubt
from palimpsest.core.finite import require_finite
from palimpsest.errors import ModelUnreadableError
from palimpsest.models.libraries import quiet_libraries, reading
from palimpsest.models.spec import read_json

MOST_TOKENS = 40
DOUBTFUL = 0.5  # a word that is less probable than all others together


@dataclass(frozen=True)
class Caption:
    """confidence: geometric mean of the probabilities of its tokens, 0 … 1."""

    text: str
    confidence: float
    doubts: tuple[Doubt, ...] = ()


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
        self._eye = ImagePreprocessor.read(folder / "preprocessor_config.json")
        self._device = device

    def caption(self, pixels: Tensor) -> Caption:
        """``pixels``: (1, 3, h, w) in [0, 1]."""
        seen = self._eye.look(pixels).to(self._device)
        with torch.inference_mode():
            generated = self._model.generate(
                pixel_values=seen,
                max_new_tokens=MOST_TOKENS,
                num_beams=1,
                do_sample=False,
                return_dict_in_generate=True,
                output_scores=True,
            )
            scores = self._model.text_decoder.compute_transition_scores(
                generated.sequences, generated.scores, normalize_logits=True
            )
        own = generated.sequences[0, -len(generated.scores) :]  # without the mark that it begins with
        text = self._tokenizer.decode(own, skip_special_tokens=True).strip()
        confidence = require_finite(scores[0].mean().exp(), "The captioning model", self._model.dtype)
        tokens = self._tokenizer.convert_ids_to_tokens(own.tolist())
        marks = self._tokenizer.all_special_tokens
        sure = zip(tokens, scores[0].exp().tolist(), strict=True)
        pieces = [(token, probability) for token, probability in sure if token not in marks]
        return Caption(text, float(confidence), doubts_of(text, pieces))


def doubts_of(text: str, pieces: Sequence[tuple[str, float]]) -> tuple[Doubt, ...]:
    """The words of ``text`` that are less probable than ``DOUBTFUL``, where it is made of these WordPieces.

    ``pieces``: each with its probability after those before it; "##ing" goes on with a word, whose
    probability is the product. Of a tokenizer of another kind nothing is told.
    """
    words: list[Doubt] = []
    at = 0
    for piece, probability in pieces:
        letters = piece.removeprefix("##")
        start = text.find(letters, at)
        if start < 0:
            return ()
        at = start + len(letters)
        if words and piece.startswith("##"):
            words[-1] = Doubt(words[-1].start, at, words[-1].probability * probability)
        else:
            words.append(Doubt(start, at, probability))
    return tuple(w._replace(probability=round(w.probability, 4)) for w in words if w.probability < DOUBTFUL)


@dataclass(frozen=True)
class ImagePreprocessor:
    """What the model was trained to see: pictures of one size, with mean 0 and variance 1."""

    size: tuple[int, int]  # height, width
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @staticmethod
    def read(file: Path) -> ImagePreprocessor:
        stated = read_json(file)
        try:
            size = stated["size"]["height"], stated["size"]["width"]
            return ImagePreprocessor(size, tuple(stated["image_mean"]), tuple(stated["image_std"]))
        except (KeyError, TypeError) as error:
            raise ModelUnreadableError(f"{file} doesn't say what the model sees: {error!r}.") from error

    def look(self, pixels: Tensor) -> Tensor:
        """(1, 3, h, w) in [0, 1] → (1, 3, *size)."""
        seen = torch.nn.functional.interpolate(pixels, self.size, mode="bicubic", antialias=True)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (self.mean, self.deviation))
        return (seen.clamp(0, 1) - mean) / deviation
