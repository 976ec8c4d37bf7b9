"""Where a noun's thing is in a picture nobody has marked: its attention map, cut in two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from palimpsest.core.attention.maps import otsu
from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.learning.templates import fill, templates_for
from palimpsest.core.learning.views import ViewSettings, encode_views
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.region import Mask
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import concepts_installed

WHOLE = ViewSettings(per_picture=1)


def find_subject(model: DiffusionModel, picture: NDArray[Any], noun: str, seed: int = 0) -> Steps[Mask]:
    """A mask of 0 and 255 of the picture's size. ``picture``: as for ``encode_views``.

    It always finds something: the cells most like the noun in a picture that doesn't show it, and all of a
    picture in which no cell is more like it than another.
    """
    (view,) = yield from encode_views(model, [picture], [None], WHOLE, seed)
    template = templates_for("subject", [part.tokenizer for part in model.text])[0]
    with concepts_installed(model, []) as vocabulary:
        prompt = vocabulary.parse(fill(template, noun))
        states = noised_states(model, view.mean[None], seed=seed)
        maps = yield from probe(model, vocabulary, prompt, [noun], states)
    height, width = picture.shape[:2]
    scaled = functional.interpolate(maps[noun][None, None].float(), (height, width), mode="bilinear")[0, 0]
    grey = (scaled * 255).round().cpu().numpy().astype(np.uint8)
    inside = grey > otsu(grey)
    return np.where(inside if inside.any() else ~inside, np.uint8(255), np.uint8(0))
