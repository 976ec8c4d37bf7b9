"""What a LoRA's file holds, by its header: kohya's names, PEFT's and diffusers', LyCORIS' forms, DoRA.

    lora_unet_<layer>.lora_down.weight         kohya; lora_te_, lora_te1_, lora_te2_ for text encoders
    unet.<layer>.lora_A.weight                 PEFT and diffusers; text_encoder., text_encoder_2.
    unet.<layer>.lora.down.weight              older diffusers, also <attention>.processor.to_q_lora. …
    lora_unet_<layer>.hada_w1_a, .lokr_w1 …    LyCORIS

Without torch. What a stranger's file says is believed within bounds only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from palimpsest.errors import LoraFileError, LoraIncompatibleError
from palimpsest.models.families.modules import Modules
from palimpsest.models.header import Header

#: How a tensor's name ends → what it is to its layer.
ROLES: Mapping[str, str] = {
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_mid.weight": "mid",
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    ".lora_A.default.weight": "down",
    ".lora_B.default.weight": "up",
    ".lora.down.weight": "down",
    ".lora.up.weight": "up",
    ".lora_linear_layer.down.weight": "down",
    ".lora_linear_layer.up.weight": "up",
    "_lora.down.weight": "down",
    "_lora.up.weight": "up",
    ".alpha": "alpha",
    ".dora_scale": "scale",
    ".lora_magnitude_vector": "magnitude",
    ".lora_magnitude_vector.weight": "magnitude",
    ".lora_magnitude_vector.default.weight": "magnitude",
    **{f".hada_{part}": part for part in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".lokr_{part}": f"k{part}" for part in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")},
}
ENDING = re.compile("|".join(re.escape(ending) + "$" for ending in sorted(ROLES, key=len, reverse=True)))
#: How a tensor's name begins → the text encoder that it is of; -1 is the network.
PARTS: Mapping[str, int] = {
    "lora_unet_": -1,
    "lora_te_": 0,
    "lora_te1_": 0,
    "lora_te2_": 1,
    "unet.": -1,
    "text_encoder.": 0,
    "text_encoder_2.": 1,
    "model.diffusion_model.": -1,
    "diffusion_model.": -1,
    "base_model.model.": -1,
}
OPTIONAL = {"alpha", "scale", "magnitude"}
WHOLE: tuple[tuple[set[str], set[str]], ...] = (  # what a form must have, and what it may have
    ({"down", "up"}, {"mid"}),
    ({"w1_a", "w1_b", "w2_a", "w2_b"}, set()),
    ({"w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2"}, set()),
    *(
        (first | second, more)
        for first in ({"kw1"}, {"kw1_a", "kw1_b"})
        for second, more in (({"kw2"}, set[str]()), ({"kw2_a", "kw2_b"}, {"kt2"}))
    ),
)
BASES: Mapping[int, str] = {
    128: "demo",
    768: "sd1",
    1024: "sd2",
    2048: "sdxl",
}  # by the width of the text that is read; demo: the built-in
STATED: tuple[tuple[str, str], ...] = (  # what metadata say of the base → the family
    (r"xl", "sdxl"),
    (r"v2|sd2|sd_2|diffusion-2", "sd2"),
    (r"v1|sd1|sd_1|diffusion-1", "sd1"),
    (r"flux", "Flux"),
    (r"sd3|diffusion-3", "Stable Diffusion 3"),
)
READS_TEXT = re.compile(r"attn2[._]to_(?:k|v)$|attn2\.processor\.to_(?:k|v)$")

Names = dict[str, str]
"""Role → the tensor's name in the file."""


@dataclass(frozen=True)
class Layout:
    """By place: the network's layers, and those of each text encoder. ``alphas``: by part (-1 the network's),
    what the metadata say for layers that have no ``alpha`` of their own."""

    network: Mapping[str, Names]
    encoders: tuple[Mapping[str, Names], ...]
    alphas: Mapping[int, float]


def is_lora(header: Header) -> bool:
    return any(ENDING.search(name) for name in header.shapes if not name.endswith(".alpha"))


def layout_of(header: Header, modules: Modules, name: str, model: str) -> Layout:
    """Raises LoraFileError for what is no LoRA or half of one, LoraIncompatibleError for what isn't the
    model's. ``name`` is the LoRA's."""
    if not is_lora(header):
        raise LoraFileError(
            f"{name} is no LoRA: it holds no low-rank updates of a known form.",
            "Known are LoRA, LoCon, LoHa, LoKr and DoRA, as kohya's scripts, LyCORIS, PEFT and diffusers "
            "save them.",
        )
    base = base_of(header)
    width = context_of(header)
    if width not in (None, modules.context):
        raise _other_base(name, base or f"a model that reads text of width {width}", modules, model)
    found: dict[int, dict[str, Names]] = {part: {} for part in range(-1, len(modules.encoders))}
    unknown: list[str] = []
    for key in header.shapes:
        told = _told(key, modules)
        if told is None:
            unknown.append(key)
        else:
            part, place, role = told
            found[part].setdefault(place, {})[role] = key
    if len(unknown) == len(header.shapes):
        raise _other_base(name, base or "another kind of model", modules, model)
    if unknown:
        raise LoraIncompatibleError(
            f"The LoRA {name} updates what {model} ({modules.family}) doesn't have, or in a way that isn't "
            f"known: {len(unknown)} of {len(header.shapes)} tensors, the first is {unknown[0][:120]!r}.",
            "Use the model that it was made for, or a LoRA of a known form: LoRA, LoCon, LoHa, LoKr, DoRA.",
            lora=name,
            unknown=len(unknown),
        )
    for places in found.values():
        for place, names in places.items():
            _require_whole(name, place, names)
    encoders = tuple(found[part] for part in range(len(modules.encoders)))
    return Layout(found[-1], encoders, _stated_alphas(header))


def _other_base(name: str, base: str, modules: Modules, model: str) -> LoraIncompatibleError:
    return LoraIncompatibleError(
        f"The LoRA {name} was made for {base}; {model} is {modules.family}.",
        f"Choose a model of its own base, or a LoRA for {modules.family}.",
        lora=name,
        base=base,
        family=modules.family,
    )


def _told(key: str, modules: Modules) -> tuple[int, str, str] | None:
    """The part, the place in it and the role of a tensor; None for what isn't known."""
    ending = ENDING.search(key)
    if ending is None:
        return None
    begins = next((start for start in PARTS if key.startswith(start)), "")
    part = PARTS.get(begins, -1)
    if part >= len(modules.encoders):
        return None
    layer = key[len(begins) : ending.start()]
    layer = layer.removeprefix("model.diffusion_model.").replace(".processor.", ".").replace(".", "_")
    if ending[0].startswith("_lora.") and layer.endswith("to_out"):
        layer += "_0"
    if part < 0:
        place = modules.network.get(layer)
    else:
        place = modules.encoders[part].get(layer.removeprefix("text_model_"))
    return None if place is None else (part, place, ROLES[ending[0]])


def _require_whole(name: str, place: str, names: Names) -> None:
    roles = set(names) - OPTIONAL
    if not any(needed <= roles <= needed | more for needed, more in WHOLE):
        there = ", ".join(sorted(key.rpartition(place)[2] or key for key in names.values()))
        raise LoraFileError(
            f"{name} is half a LoRA: of the update of {place} only {there[:200]} is there.",
            "The file may be cut out or damaged: get it again from where it comes from.",
            lora=name,
        )


def base_of(header: Header) -> str | None:
    """The family that it was made for, by what it updates, else by what it says; None if neither tells."""
    width = context_of(header)
    if width is not None:
        return BASES.get(width)
    said = " ".join(
        header.metadata.get(key, "")
        for key in ("modelspec.architecture", "ss_base_model_version", "ss_sd_model_name")
    ).lower()
    return next((family for mark, family in STATED if re.search(mark, said)), None)


def context_of(header: Header) -> int | None:
    """The width of the text that its base reads; None where it doesn't update what reads it."""
    kroneckers: dict[str, dict[str, int]] = {}
    for key, shape in header.shapes.items():
        ending = ENDING.search(key)
        layer = key[: ending.start()] if ending else ""
        if ending is None or not shape or not READS_TEXT.search(layer):
            continue
        role = ROLES[ending[0]]
        if role in ("down", "w1_b"):
            return shape[1] if len(shape) > 1 else None
        if role in ("kw1", "kw1_b", "kw2", "kw2_b") and len(shape) > 1:
            kroneckers.setdefault(layer, {})[role[:3]] = shape[1]
    widths = [one["kw1"] * one["kw2"] for one in kroneckers.values() if len(one) == 2]
    return widths[0] if widths else None


def rank_of(header: Header) -> int | None:
    """The largest rank of an update; None where all are whole."""
    ranks: list[int] = []
    for key, shape in header.shapes.items():
        ending = ENDING.search(key)
        if ending and shape and ROLES[ending[0]] in ("down", "w1_b", "kw1_b", "kw2_b"):
            ranks.append(shape[0])
    return max(ranks, default=None)


def _stated_alphas(header: Header) -> dict[int, float]:
    """PEFT's ``lora_alpha``, which diffusers writes into the metadata instead of a tensor for each layer."""
    try:
        told: Any = json.loads(header.metadata.get("lora_adapter_metadata", "{}"))
        names = {"unet.lora_alpha": -1, "text_encoder.lora_alpha": 0, "text_encoder_2.lora_alpha": 1}
        return {part: float(told[key]) for key, part in names.items() if key in told}
    except (ValueError, TypeError, RecursionError):
        return {}
