"""Models that were distilled for few steps: how each kind is sampled, and by what it is told. Without torch.

As published: Lightning (Lin et al. 2024) and Hyper-SD (Ren et al. 2024) by DDIM on "trailing" timesteps;
TCD (Zheng et al. 2024) so, too, at γ = 0, on the levels that it was taught; LCM (Luo et al. 2023) on those,
each step noising ẑ_0 anew, as DMD2 (Yin et al. 2024) does on "trailing" ones. Turbo (Sauer et al. 2023) was
trained on pictures noised so; its published ancestral sampler renews nearly all of the noise in such steps.
None of them is guided: guidance is in what they learned.

A kind is stated in ``palimpsest.json``, told by the scheduler or the UNet, or else guessed by the name. What
is guessed is a recommendation: everything that it decides can be stated otherwise, and
``{"distilled": "none"}`` takes it back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

SAMPLERS = ("ddim", "consistency")
NONE = "none"  # in palimpsest.json: not distilled, whatever its name is
MOST_NAMED = 16  # steps that a name may state
EMBEDDED_GUIDANCE = 8.0  # that a UNet is told which learned guidance: LCM's own


@dataclass(frozen=True)
class Distilled:
    """How a model of few steps is sampled."""

    kind: str
    title: str
    steps: int
    sampler: str
    spacing: str  # of Ddpm
    known_by: str = ""  # "settings", "scheduler", "unet", "name"
    guidance: float = 1.0


KINDS: Mapping[str, Distilled] = {
    few.kind: few
    for few in (
        Distilled("lightning", "Lightning", 4, "ddim", "trailing"),
        Distilled("hyper", "Hyper-SD", 8, "ddim", "trailing"),
        Distilled("tcd", "TCD", 8, "ddim", "distilled"),
        Distilled("turbo", "Turbo", 4, "consistency", "trailing"),
        Distilled("dmd2", "DMD2", 4, "consistency", "trailing"),
        Distilled("lcm", "LCM", 8, "consistency", "distilled"),
    )
}
SCHEDULERS = {"LCMScheduler": "lcm", "TCDScheduler": "tcd"}
WORDS = {**{kind: kind for kind in KINDS}, "dmd": "dmd2"}
COMMON = ("lightning", "hyper", "turbo")  # also words of the language, so a name must say more
TECHNICAL = re.compile(
    r"[a-z]|\d+|(sd|xl|sdxl|pony|illustrious|version|steps?|lora|merged?|unet|vae|baked|bakedvae|no|fix|full|pruned"
    r"|fp|bf|dpm|dpmpp|sde|dpmsde|dpmppsde|dpmsdekarras|karras|euler|cfg|final|beta|alpha|main|base|by|rd"
    r"|rundiffusion|diffusers|lcm|tcd|dmd|dpo|turbo|lightning|hyper)"
)
"""What follows the kind in the names of such models, and not in ``lightning-cat`` or ``hyper-realistic``."""


def distilled(
    names: tuple[str, ...], scheduler: Mapping[str, Any], unet: Mapping[str, Any], own: Mapping[str, Any]
) -> Distilled | None:
    """None for an ordinary model. ``names``: the model's own, and its title in the file's metadata."""
    stated = own.get("distilled")
    if stated is not None:
        return None if stated == NONE else replace(KINDS[stated], known_by="settings")
    found = next((kind for name in names for kind in _named(name)), None)
    if unet.get("time_cond_proj_dim") is not None:
        return _as_named(replace(KINDS["lcm"], known_by="unet"), names)
    told = SCHEDULERS.get(str(scheduler.get("_class_name")))
    if told is not None and found != "dmd2":  # which is published with LCM's scheduler
        return _as_named(replace(KINDS[told], known_by="scheduler"), names)
    return None if found is None else _as_named(replace(KINDS[found], known_by="name"), names)


def _named(name: str) -> list[str]:
    words = _words(name)
    return [
        WORDS[word]
        for index, word in enumerate(words)
        if word in WORDS and (word not in COMMON or _is_technical(words, index) or _steps(words))
    ]


def _is_technical(words: list[str], index: int) -> bool:
    """Whether a common word isn't the whole name, and nothing but technical words follow it."""
    return len(words) > 1 and all(TECHNICAL.fullmatch(word) for word in words[index + 1 :])


def _words(name: str) -> list[str]:
    """``realvisXL_v40Lightning-4step`` → realvis, xl, v, 40, lightning, 4, step."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def _as_named(few: Distilled, names: tuple[str, ...]) -> Distilled:
    """With the number of steps that a name states."""
    stated = next((steps for name in names if (steps := _steps(_words(name)))), few.steps)
    return replace(few, steps=stated)


def _steps(words: list[str]) -> int | None:
    """The number that stands before "steps"."""
    for number, after in pairwise(words):
        if number.isdigit() and 1 <= int(number) <= MOST_NAMED and after in ("step", "steps"):
            return int(number)
    return None
