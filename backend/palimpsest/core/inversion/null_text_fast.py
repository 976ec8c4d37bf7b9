"""Null-text inversion (Mokady et al. 2022) in a fraction of its steps.

The embedding begins as the caption's own, where guidance leads nowhere and the photo nearly comes back
(negative-prompt inversion, Miyake et al. 2023), and a step is taken only where the loss asks for one. Loss,
rate and how much error is allowed are the published ones.
"""

from __future__ import annotations

from palimpsest.core.inversion.null_text import NullText, NullTextSettings


class FastNullText(NullText):
    """It ends as near to the photo as the published way: docs/algorithms.md has the figures."""

    def constants(self, inner_steps: int = NullTextSettings.inner_steps) -> NullTextSettings:
        return NullTextSettings(inner_steps=inner_steps, from_caption=True, asks_first=True)


METHOD = FastNullText()
