"""Where the thing stands that an edit replaces: by the maps of its words, and the outline found from these.

A person's trousers are where "trousers" is seen, hardly where "man" is.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.learning.subject import outlined, over_picture
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.region import Region, Size, resize
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt

LEAST_SHARE = 0.02  # of a selection that a thing may be to count as found


def find_standing(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    source: Prompt,
    words: Sequence[str],
    photo: Tensor,  # (1, 3, h, w) in [-1, 1], as the model sees it
    z0: Tensor,
    region: Region,
    selection: Tensor,  # (1, 1, h, w), above 0 where selected
) -> Steps[Tensor | None]:
    """What ``words`` of the photo's sentence stand for, inside the selection: (1, 1, h, w) of 0 and 1. None
    where next to nothing of the selection is. Raises WordNotFoundError."""
    maps = yield from probe(model, vocabulary, source, words, noised_states(model, z0))
    together = torch.stack([maps[word].float().cpu() for word in words]).amax(dim=0)
    width, height = region.inner
    selected = (selection[0, 0, :height, :width] > 0).float()
    seen = resize(over_picture(together, region)[None, None], Size(width, height))[0, 0]
    shown = ((photo[0, :, :height, :width] + 1) / 2).permute(1, 2, 0).numpy()
    (mask,) = yield from outlined([shown], [seen.clamp(0, 1) * selected])
    found = torch.zeros_like(selection, dtype=torch.float32)
    found[0, 0, :height, :width] = torch.from_numpy(mask > 0).float() * selected
    return found if float(found.sum()) >= LEAST_SHARE * float(selected.sum()) else None
