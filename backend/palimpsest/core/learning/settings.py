"""How a word is learned, as figures, and which ones a model family recommends. Without torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from palimpsest.core.learning.stopping import Dvar


@dataclass(frozen=True)
class AdapterSettings:
    """Of adapters that are learned with a word, by AdamW (Loshchilov & Hutter 2019).

    The rate is absolute and runs the same course as the rows' does; 1e-4 is the published one.
    """

    rank: int = 8
    rate: float = 1e-4
    decay: float = 1e-2  # of the weights, in units of the rate
    layers: str = "all"  # or "cross": see ``adapters.projections``


@dataclass(frozen=True)
class LearnSettings:
    """How to learn. ``rate`` is relative: Adam's step in units of the noun's own rows (root mean square).

    For CLIP-L's table (rms 0.0145) the default is an absolute 3.6e-3, between diffusers' recipe
    (2e-3) and the paper's (5e-3); a table of another scale needs no other number.
    """

    steps: int = 400
    batch: int = 4
    rate: float = 0.25
    final_rate: float = 0.05  # at the end of a cosine
    warmup: int = 10
    betas: tuple[float, float] = (0.9, 0.99)
    norms: tuple[float, float] = (0.8, 1.25)  # every row's norm, in units of its first norm
    times: tuple[float, float] = (0.1, 0.9)  # t/T that are trained on
    spread_noise: float = 0.02  # between rows that start from the same token
    exam_every: int = 5
    exam_size: int = 8
    stop: Dvar = field(default_factory=Dvar)
    at_once: int = 4  # most latents in the network together; less needs less memory, the word is the same
    adapters: AdapterSettings | None = None  # learned with the rows: the word "with detail"


@dataclass(frozen=True)
class LearningAdvice:
    """What a model family recommends; the defaults where nothing else was found better."""

    quick: LearnSettings = field(default_factory=LearnSettings)
    detailed: LearnSettings = field(default_factory=lambda: LearnSettings(adapters=AdapterSettings()))

    def settings(self, detail: bool) -> LearnSettings:
        return self.detailed if detail else self.quick

    def one_at_once(self) -> LearningAdvice:
        """The same words with less memory, in more time."""
        return LearningAdvice(replace(self.quick, at_once=1), replace(self.detailed, at_once=1))
