"""For how long of the sampling something is done to a target's attention."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import RequestError

Window = float | tuple[float, float]
"""A span of the sampling steps: fractions (from, to), or a number f for (0, f). Step 0 is the noisiest."""

WHOLE = (0.0, 1.0)
NEVER = (0.0, 0.0)


def window_bounds(window: Window, steps: int) -> tuple[int, int]:
    """First step in and first step out. As published, .8 of 50 steps is 40 and .5 is 25."""
    low, high = (0.0, float(window)) if isinstance(window, (int, float)) else window
    if not 0 <= low <= high <= 1:
        raise RequestError(
            f"The window {window} is not a span of the sampling steps.", "Give fractions 0 ≤ from ≤ to ≤ 1."
        )
    # A hair above, or 0.29 of 100 steps would be 28 by rounding of the product.
    return int(low * steps + 1e-6), int(high * steps + 1e-6)


def within(window: Window, step: int, steps: int) -> bool:
    start, stop = window_bounds(window, steps)
    return start <= step < stop


def step_table(steps: int, target: Prompt, window: Window, words: Mapping[str, Window]) -> Tensor:
    """α: 1 where the edit is in force, per step and target token; ``words`` override ``window``."""
    table = torch.zeros(steps, target.length)
    start, stop = window_bounds(window, steps)
    table[start:stop] = 1
    for word, own in words.items():
        columns = list(target.span_of(word))
        start, stop = window_bounds(own, steps)
        table[:, columns] = 0
        table[start:stop, columns] = 1
    return table  # (steps, target tokens)
