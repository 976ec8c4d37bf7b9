"""Where learning starts: the rows of a class noun (Gal et al. 2022, section 4: "a coarse descriptor")."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from palimpsest.core.model import DiffusionModel, TextPart
from palimpsest.errors import RequestError, Text

LETTERS_PER_PIECE = 2  # a word cut finer than this is spelled, not known
FEW_WORDS = 200  # a vocabulary of so few words can be shown whole in an error's hint


def noun_rows(model: DiffusionModel, noun: str, vectors: int, noise: float, seed: int) -> tuple[Tensor, ...]:
    """Per text encoder, the noun's embedding spread over ``vectors`` rows, float32 (vectors, width).

    A single row of a one-token noun is the vocabulary's own. Where vectors outnumber the noun's tokens,
    the repeated rows differ by Gaussian noise of ``noise`` times the row's standard deviation.
    Raises RequestError for a noun the model doesn't know.
    """
    generator = torch.Generator().manual_seed(seed)
    return tuple(_part_rows(part, noun, vectors, noise, generator) for part in model.text)


def _part_rows(part: TextPart, noun: str, vectors: int, noise: float, generator: torch.Generator) -> Tensor:
    ids = _known_ids(part.tokenizer, noun)
    table = part.encoder.get_input_embeddings().weight.detach()
    rows = spread(table[torch.tensor(ids, device=table.device)].float().cpu(), vectors)
    jitter = torch.randn(rows.shape, generator=generator) * rows.std(dim=1, keepdim=True) * noise
    repeated = [i > 0 and i * len(ids) // vectors == (i - 1) * len(ids) // vectors for i in range(vectors)]
    return torch.where(torch.tensor(repeated)[:, None], rows + jitter, rows)


def spread(tokens: Tensor, vectors: int) -> Tensor:
    """(n, width) → (vectors, width): in order, repeated where too few, averaged where too many.

    An average of different rows is shorter than they are, so it is given back their mean norm.
    """
    n = len(tokens)
    if vectors >= n:
        return torch.stack([tokens[i * n // vectors] for i in range(vectors)])
    groups = [tokens[i * n // vectors : (i + 1) * n // vectors] for i in range(vectors)]
    return torch.stack([_mean_direction(group) for group in groups])


def _mean_direction(group: Tensor) -> Tensor:
    mean = group.mean(dim=0)
    return mean if len(group) == 1 else mean * (group.norm(dim=1).mean() / mean.norm())


def _known_ids(tokenizer: Any, noun: str) -> list[int]:
    ids: list[int] = []
    for word in noun.split():
        pieces = tokenizer(word, add_special_tokens=False)["input_ids"]
        if len(word) > 2 and len(word) < LETTERS_PER_PIECE * len(pieces):
            raise RequestError(
                Text("word-in-pieces", word=word, n=len(pieces)),
                _nearest(tokenizer),
                word=word,
            )
        ids += pieces
    if not ids:
        raise RequestError("The noun is empty.", "Say what kind of thing the new word is: 'toy', 'dog'.")
    return ids


def _nearest(tokenizer: Any) -> Text:
    """With the whole words of a small vocabulary; CLIP's is too large to be told."""
    words = sorted(
        token.removesuffix("</w>")
        for token in tokenizer.get_vocab()
        if token.endswith("</w>") and len(token) > len("ab</w>") and token.removesuffix("</w>").isalpha()
    )
    whole = [word for word in words if len(tokenizer(word, add_special_tokens=False)["input_ids"]) == 1]
    few = 0 < len(whole) <= FEW_WORDS
    return Text("nouns-known", words=", ".join(whole)) if few else Text("nearest-noun")
