"""The adapters of a concept in its file: named and shaped as LoRA files are, so that other tools read them.

Per projection of the UNet's attention, in the naming of kohya's scripts, which diffusers, A1111's interface
and ComfyUI read as well:

    lora_unet_<place>.lora_down.weight  (rank, input width)
    lora_unet_<place>.lora_up.weight    (output width, rank)
    lora_unet_<place>.alpha             ()

Torch is imported by ``torch_adapters`` alone. What a stranger's file says is believed within bounds only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from palimpsest.errors import ConceptFileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from palimpsest.core.adapters import Adapters

PREFIX = "lora_unet_"
DOWN, UP, ALPHA = ".lora_down.weight", ".lora_up.weight", ".alpha"
KEY = re.compile(r"lora_unet_([a-z0-9_]{1,160})(\.lora_down\.weight|\.lora_up\.weight|\.alpha)")
MOST_RANK = 128
MOST_WIDTH = 8192
MOST_PLACES = 2048  # SDXL has 560 projections


@dataclass(frozen=True)
class AdapterArrays:
    """``parts``: down and up, float32, by place."""

    parts: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    alpha: float


def is_adapter(key: str) -> bool:
    return key.startswith(PREFIX)


def rank_of(table: Mapping[str, Any], file: str) -> int | None:
    """The rank that the header's entries of adapters have; None where there are none.

    Raises ConceptFileError for entries that can't be adapters of one rank.
    """
    entries = {key: entry for key, entry in table.items() if is_adapter(key)}
    if not entries:
        return None
    if len(entries) > 3 * MOST_PLACES:
        raise ConceptFileError(f"{file} holds {len(entries)} tensors of adapters: too many.")
    places = {place for place, _ in (_split(key, file) for key in entries)}
    ranks = {_rank(entries, place, file) for place in places}
    if len(ranks) != 1:
        raise ConceptFileError(f"{file} holds adapters of different ranks: {sorted(ranks)}.")
    return ranks.pop()


def packed(adapters: AdapterArrays | None) -> dict[str, NDArray[np.float32]]:
    """The tensors of the file."""
    import numpy as np

    tensors: dict[str, NDArray[np.float32]] = {}
    for place, (down, up) in ({} if adapters is None else adapters.parts).items():
        tensors[f"{PREFIX}{place}{DOWN}"] = np.ascontiguousarray(down, np.float32)
        tensors[f"{PREFIX}{place}{UP}"] = np.ascontiguousarray(up, np.float32)
        assert adapters is not None
        tensors[f"{PREFIX}{place}{ALPHA}"] = np.array(adapters.alpha, np.float32)
    return tensors


def unpacked(tensors: Mapping[str, NDArray[np.float32]], file: str) -> AdapterArrays | None:
    """The inverse, of tensors whose header ``rank_of`` has let pass. Raises ConceptFileError."""
    places = sorted({_split(key, file)[0] for key in tensors if is_adapter(key)})
    if not places:
        return None
    alphas = {float(tensors[f"{PREFIX}{place}{ALPHA}"]) for place in places}
    if len(alphas) != 1:
        raise ConceptFileError(f"{file} holds adapters of different strengths (alpha): {sorted(alphas)[:4]}.")
    parts = {place: (tensors[f"{PREFIX}{place}{DOWN}"], tensors[f"{PREFIX}{place}{UP}"]) for place in places}
    return AdapterArrays(parts, alphas.pop())


def _split(key: str, file: str) -> tuple[str, str]:
    found = KEY.fullmatch(key)
    if found is None:
        raise ConceptFileError(f"{file} holds a tensor {key[:80]!r}, which is no adapter of attention.")
    return found[1], found[2]


def _rank(entries: Mapping[str, Any], place: str, file: str) -> int:
    down, up, alpha = (_shape(entries.get(f"{PREFIX}{place}{end}"), place, file) for end in (DOWN, UP, ALPHA))
    if len(down) != 2 or len(up) != 2 or alpha or down[0] != up[1] or not 0 < down[0] <= MOST_RANK:
        raise ConceptFileError(
            f"{file}: the adapter {place} has the shapes {down}, {up}, {alpha}; they don't fit each other."
        )
    return down[0]


def _shape(entry: Any, place: str, file: str) -> list[int]:
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    whole = isinstance(shape, list) and all(type(side) is int and 0 < side <= MOST_WIDTH for side in shape)
    if dtype != "F32" or not whole:
        raise ConceptFileError(f"{file}: the adapter {place} is not whole ({dtype} {shape}).")
    assert isinstance(shape, list)
    return shape


def torch_adapters(arrays: AdapterArrays | None) -> Adapters | None:
    """For torch, from the file's."""
    import torch

    from palimpsest.core.adapters import Adapters, LowRank

    if arrays is None:
        return None
    parts = {
        place: LowRank(torch.from_numpy(down), torch.from_numpy(up))
        for place, (down, up) in arrays.parts.items()
    }
    return Adapters(parts, arrays.alpha)


def arrays_of(adapters: Adapters | None) -> AdapterArrays | None:
    """For the file, from torch's."""
    if adapters is None:
        return None
    parts = {
        place: (part.down.detach().float().cpu().numpy(), part.up.detach().float().cpu().numpy())
        for place, part in adapters.parts.items()
    }
    return AdapterArrays(parts, adapters.alpha)
