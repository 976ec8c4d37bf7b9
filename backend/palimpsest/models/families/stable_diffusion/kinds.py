"""What each kind of Stable Diffusion needs, and its configuration doesn't say. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from palimpsest.core.learning.settings import AdapterSettings, LearningAdvice, LearnSettings
from palimpsest.models.families.family import HALVES


@dataclass(frozen=True)
class Kind:
    widths: tuple[int, ...] = ()  # of the published text encoders, by which embeddings are told
    guidance: float = 7.5
    halves: tuple[str, ...] = HALVES  # the half precisions that its UNet computes well in
    standard_latents: bool = False  # see DiffusionModel
    learning: LearningAdvice = field(default_factory=LearningAdvice)


#: The built-in model's small text encoder learns in a quarter of the steps: after 80 a combination of words
#: it never saw is as well described by the learned word as by the words themselves.
_BUILT_IN = LearningAdvice(
    LearnSettings(steps=100, exam_every=10),
    LearnSettings(steps=500, exam_every=25, times=(0.0, 1.0), adapters=AdapterSettings(rank=32, rate=5e-3)),
)
KINDS: Mapping[str, Kind] = {
    "sd1": Kind((768,)),
    "sd2": Kind((1024,), halves=("bfloat16",)),  # its attention overflows float16
    "sdxl": Kind((768, 1280), guidance=5.0),
    "demo": Kind(halves=(), standard_latents=True, learning=_BUILT_IN),
}


def kind_of(family: str) -> Kind:
    """By the name that its structure has, or that a ``palimpsest.json`` gives it."""
    return KINDS.get(family, Kind())
