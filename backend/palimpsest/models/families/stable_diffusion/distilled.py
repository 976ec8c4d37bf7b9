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
AFTER_HYPER = ("real", "photo", "detail")  # hyperrealistic, and its like: no Hyper-SD


def distilled(
    names: tuple[str, ...], scheduler: Mapping[str, Any], unet: Mapping[str, Any], own: Mapping[str, Any]
) -> Distilled | None:
    """None for an ordinary model. ``names``: the model's own, and its title in the file's metadata."""
    stated = own.get("distilled")
    if stated is not None:
        return None if stated == NONE else replace(KINDS[stated], known_by="settings")
    told = SCHEDULERS.get(str(scheduler.get("_class_name")))
    if told is not None:
        return _as_named(replace(KINDS[told], known_by="scheduler"), names)
    if unet.get("time_cond_proj_dim") is not None:
        return _as_named(replace(KINDS["lcm"], known_by="unet"), names)
    found = next((kind for name in names for kind in _named(name)), None)
    return None if found is None else _as_named(replace(KINDS[found], known_by="name"), names)


def _named(name: str) -> list[str]:
    return [
        WORDS[word]
        for word, after in pairwise([*_words(name), ""])
        if word in WORDS and not (word == "hyper" and after.startswith(AFTER_HYPER))
    ]


def _words(name: str) -> list[str]:
    """``realvisXL_v40Lightning-4step`` → realvis, xl, v, 40, lightning, 4, step."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def _as_named(few: Distilled, names: tuple[str, ...]) -> Distilled:
    """With the number of steps that a name states."""
    for name in names:
        words = _words(name)
        for number, after in pairwise(words):
            if number.isdigit() and 1 <= int(number) <= MOST_NAMED and after in ("step", "steps"):
                return replace(few, steps=int(number))
    return few
