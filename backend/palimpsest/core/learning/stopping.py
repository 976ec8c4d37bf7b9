"""When learning has finished: DVAR (Voronov et al. 2023, "Is This Loss Informative?").

The training loss of textual inversion is noise. The loss on a batch whose pictures, timesteps and noise
never change, L_det, is not: it falls, then flattens. DVAR stops when its recent variance is small beside
its variance since the start. A long steady fall would satisfy that too, so we also ask that the window
itself brought little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance


@dataclass(frozen=True)
class Dvar:
    """``window`` evaluations; stop if var(window) < ``ratio`` · var(all) and the gain has dried up."""

    window: int = 30
    ratio: float = 0.15
    gain: float = 0.05  # of the whole fall so far, from the window's first half to its second

    def satisfied(self, losses: Sequence[float]) -> bool:
        if len(losses) <= self.window:
            return False
        recent = losses[-self.window :]
        fall = losses[0] - min(losses)
        half = self.window // 2
        recent_fall = fmean(recent[:half]) - fmean(recent[half:])
        flat = pvariance(recent) < self.ratio * pvariance(losses)
        return flat and recent_fall < self.gain * fall
