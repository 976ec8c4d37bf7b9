"""Negative-prompt inversion (Miyake et al. 2023): the caption stands where null-text inversion optimises.

The embedding that null-text inversion would find is near the caption's own. With the caption C in place of
the empty prompt, guidance leads nowhere on the photo's branch, ε(C) + w·(ε(C) - ε(C)) = ε(C): so the branch
samples without it, as the pivots were made, and misses them only by DDIM inversion's error. In the targets
guidance leads away from C (``from_caption`` in the table of methods).
"""

from __future__ import annotations

from palimpsest.core.inversion.ddim import ddim_inversion
from palimpsest.core.inversion.method import Found, Method, Photo
from palimpsest.core.steps import Steps


class NegativePrompt(Method):
    """Nothing is optimised: the pivots are all there is."""

    def invert(self, photo: Photo, constants: None) -> Steps[Found]:
        return Found((yield from ddim_inversion(photo)))


METHOD = NegativePrompt()
