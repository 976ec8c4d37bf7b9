"""Start new parts from an older folder: matching tensors are copied, words keep their rows by spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from palimpsest.training.layout import Parts

RENAMED = {"sea": "water"}  # new word → the older word that named the same thing
TOKENS = "token_embedding.weight"
POSITIONS = "position_embedding.weight"
FACING_LATENTS = (
    "encoder.conv_out",
    "quant_conv",
    "post_quant_conv",
    "decoder.conv_in",
    "conv_in",
    "conv_out",
)
MOMENTS = ("encoder.conv_out", "quant_conv")  # their channels are means first, then logarithms of variances


@dataclass(frozen=True)
class Inherited:
    """What a warm start took over; ``left`` names the tensors that stayed random."""

    tensors: int
    words: int
    left: tuple[str, ...]

    def __str__(self) -> str:
        rest = f", {len(self.left)} tensors stayed random" if self.left else ""
        return f"{self.tensors} tensors and {self.words} words taken over{rest}"


@torch.no_grad()
def inherit(new: Parts, old: Parts, renamed: Mapping[str, str] = RENAMED) -> Inherited:
    """Copy into ``new`` whatever of ``old`` fits, in place."""
    taken, left = 0, []
    for name in ("vae", "unet", "text_encoder"):
        copied, refused = copy_matching(getattr(new, name), getattr(old, name))
        taken += len(copied)
        left += [f"{name}.{key}" for key in refused]
    words = _inherit_rows(new, old, renamed)
    return Inherited(taken, words, tuple(left))


def copy_matching(new: nn.Module, old: nn.Module) -> tuple[list[str], list[str]]:
    """Copy tensors of the same name and shape, and into wider ones where they face latents of fewer channels.

    The two tables that follow the tokenizer are left alone.
    """
    source, copied, refused = old.state_dict(), [], []
    for key, tensor in new.state_dict().items():
        if key.endswith((TOKENS, POSITIONS, "position_ids")):
            continue
        if key in source and source[key].shape == tensor.shape:
            tensor.copy_(source[key])
            copied.append(key)
        elif key in source and key.rpartition(".")[0] in FACING_LATENTS and _holds(tensor, source[key]):
            grow(tensor, source[key], key.startswith(MOMENTS))
            copied.append(key)
        else:
            refused.append(key)
    return copied, refused


def _holds(tensor: Tensor, older: Tensor) -> bool:
    wider = all(new >= old for new, old in zip(tensor.shape[:2], older.shape[:2], strict=True))
    return wider and tensor.shape[2:] == older.shape[2:]


def grow(tensor: Tensor, older: Tensor, moments: bool) -> None:
    """Put an older layer's weights or biases into a layer with more latent channels, in place.

    What was there before reads nothing of the new channels, so it computes what it did; new outputs stay
    random.
    """
    rows = _places(len(tensor), len(older), moments)
    if tensor.ndim == 1:
        tensor[rows] = older
        return
    columns = _places(tensor.shape[1], older.shape[1], moments)
    tensor[rows] = 0
    tensor[rows[:, None], columns] = older


def _places(channels: int, older: int, moments: bool) -> Tensor:
    """Where the older channels lie among the new ones."""
    if not moments:
        return torch.arange(older)
    return torch.cat([torch.arange(older // 2), channels // 2 + torch.arange(older // 2)])


def _inherit_rows(new: Parts, old: Parts, renamed: Mapping[str, str]) -> int:
    target, source = _table(new, TOKENS), _table(old, TOKENS)
    if target.shape[1] != source.shape[1]:
        return 0
    words = inherit_words(target, new.tokenizer.get_vocab(), source, old.tokenizer.get_vocab(), renamed)
    inherit_positions(_table(new, POSITIONS), _table(old, POSITIONS))
    return words


def _table(parts: Parts, ending: str) -> Tensor:
    return next(t for key, t in parts.text_encoder.state_dict().items() if key.endswith(ending))


def inherit_words(
    target: Tensor,  # (words, width)
    words: Mapping[str, int],
    source: Tensor,  # (older words, width)
    older: Mapping[str, int],
    renamed: Mapping[str, str],
) -> int:
    """Copy the row of every spelling that both know; rows of new words are brought to the same spread."""
    spread = source.std() / target.std()
    taken = 0
    for word, row in words.items():
        stem, ending = (word[:-4], "</w>") if word.endswith("</w>") else (word, "")
        known = older.get(word, older.get(renamed.get(stem, stem) + ending))
        if known is None:
            target[row] *= spread
        else:
            target[row] = source[known]
            taken += 1
    return taken


def inherit_positions(target: Tensor, source: Tensor) -> None:
    """Copy the positions both have; the further ones repeat the last, which padding has taught."""
    shared = min(len(target), len(source))
    target[:shared] = source[:shared]
    target[shared:] = source[shared - 1]
