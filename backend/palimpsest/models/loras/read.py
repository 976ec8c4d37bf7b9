"""The numbers of a LoRA's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from palimpsest.core.lora import DecomposedPart, HadamardPart, KroneckerPart, Lora, LowRankPart, Part
from palimpsest.errors import LoraFileError
from palimpsest.models.families.modules import Modules
from palimpsest.models.loras.layout import Names, layout_of
from palimpsest.models.loras.library import read_lora_header
from palimpsest.models.weights_hash import file_hash

Get = Callable[[str], Tensor]


def read_lora(path: Path, name: str, modules: Modules, model: str, memory: Path | None = None) -> Lora:
    """The LoRA ``name`` for the model called ``model``, whose layers are ``modules``.

    ``memory``: remembers the file's hash. Raises LoraFileError, LoraIncompatibleError.
    """
    layout = layout_of(read_lora_header(path), modules, name, model)
    try:
        with safe_open(path, framework="pt") as file:

            def get(key: str) -> Tensor:
                return _finite(file.get_tensor(key), key, name)

            network = _parts(layout.network, get, layout.alphas.get(-1))
            encoders = tuple(
                _parts(places, get, layout.alphas.get(i)) for i, places in enumerate(layout.encoders)
            )
    except (SafetensorError, OSError, RuntimeError, IndexError) as error:
        raise LoraFileError(
            f"The LoRA {name} can't be read: {error}.", "Get it again from where it comes from."
        ) from error
    return Lora(name, file_hash(path, memory), network, encoders)


def _finite(tensor: Tensor, key: str, name: str) -> Tensor:
    if not tensor.is_floating_point() or not bool(tensor.float().isfinite().all()):
        raise LoraFileError(
            f"The LoRA {name} holds numbers that aren't finite, in {key[:120]}.",
            "It came out broken of its training: take an earlier one.",
            lora=name,
        )
    return tensor


def _parts(places: Mapping[str, Names], get: Get, alpha: float | None) -> dict[str, Part]:
    return {place: _part(names, get, alpha) for place, names in places.items()}


def _part(names: Names, get: Get, stated: float | None) -> Part:
    alpha = float(get(names["alpha"])) if "alpha" in names else stated
    if "down" in names:
        down, up = get(names["down"]), get(names["up"])
        mid = get(names["mid"]) if "mid" in names else None
        part: Part = LowRankPart(_scale(alpha, len(down)), down, up, mid)
    elif "w1_a" in names:
        one_a, one_b, two_a, two_b = (get(names[role]) for role in ("w1_a", "w1_b", "w2_a", "w2_b"))
        cores = (get(names["t1"]), get(names["t2"])) if "t1" in names else None
        part = HadamardPart(_scale(alpha, len(one_b)), (one_a, two_a), (one_b, two_b), cores)
    else:
        first, second = (_factors(names, get, which) for which in ("kw1", "kw2"))
        ranks = [len(pair[1]) for pair in (first, second) if len(pair) == 2]
        core = get(names["kt2"]) if "kt2" in names else None
        part = KroneckerPart(_scale(alpha, ranks[-1]) if ranks else 1.0, first, second, core)
    if "magnitude" in names:
        return DecomposedPart(1.0, part, get(names["magnitude"]).flatten(), per_output=True)
    if "scale" in names:
        scale = get(names["scale"])
        return DecomposedPart(1.0, part, scale.flatten(), per_output=scale.ndim == 1 or len(scale) > 1)
    return part


def _factors(names: Names, get: Get, which: str) -> tuple[Tensor, ...]:
    roles = (which,) if which in names else (f"{which}_a", f"{which}_b")
    return tuple(get(names[role]) for role in roles)


def _scale(alpha: float | None, rank: int) -> float:
    """Where a file says nothing of alpha, it is the rank."""
    return 1.0 if alpha is None else alpha / rank
