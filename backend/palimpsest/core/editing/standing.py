"""Where a thing stands: by the maps of its words, and the outline found from these.

A person's trousers are where "trousers" is seen, hardly where "man" is.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.learning.subject import outlined, over_picture
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.region import Region, Size, resize
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt

LEAST_SHARE = 0.02  # of a selection that a thing may be to count as found
RIM = 4 / 128  # width of what lies around a selection, in sides of the picture
MOST_OF_RIM = 0.3  # that things beside a selection may take: what takes more is what all stands on


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


def find_beside(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    source: Prompt,
    words: Sequence[str],
    photo: Tensor,
    z0: Tensor,
    region: Region,
    selection: Tensor,
) -> Steps[Tensor | None]:
    """What ``words`` stand for outside the selection, as ``find_standing`` has it. None where that is next to
    nothing, or most of what the selection lies in: a wall is no thing beside it."""
    found = yield from find_standing(
        model, vocabulary, source, words, photo, z0, region, (selection <= 0).float()
    )
    if found is None:
        return None
    reach = round(RIM * max(selection.shape[-2:]))
    selected = (selection > 0).float()
    rim = functional.max_pool2d(selected, 2 * reach + 1, stride=1, padding=reach) - selected
    return found if float((found * rim).sum()) <= MOST_OF_RIM * float(rim.sum()) else None
