"""Propose a caption for a picture. The built-in model's judge knows its own world only."""

from __future__ import annotations

import numpy as np

from palimpsest.contract import BUILT_IN, DescribeRequest
from palimpsest.core.composite import quantise
from palimpsest.core.region import Size, bounds
from palimpsest.errors import ModelIncapableError
from palimpsest.jobs.events import Finished, Progressed
from palimpsest.storage.pictures import read_picture, read_selection, to_model_rgb
from palimpsest.tasks.progress import Events
from palimpsest.tasks.workplace import Workplace


def describe(place: Workplace, request: DescribeRequest) -> Events[None]:
    """No artifacts; the result holds caption and confidence."""
    from palimpsest.demo.describe import describe as propose
    from palimpsest.demo.judge import load_judge

    if request.model != BUILT_IN:
        raise ModelIncapableError(
            f"Palimpsest can't describe pictures for the model {request.model!r}.",
            "Describe it in your own words; only the built-in model's world is known.",
        )
    picture = read_picture(place.images.get(request.image), place.limits)
    box = None
    if request.selection is not None:
        mask = read_selection(place.images.get(request.selection), picture.size, place.limits)
        box = bounds(mask, Size(*picture.size))
    yield Progressed("looking", 0, 1)
    pixels = quantise(to_model_rgb(picture, box), 255).astype(np.uint8)
    proposal = propose(load_judge(), pixels)
    yield Progressed("looking", 1, 1)
    yield Finished({}, {"caption": proposal.caption, "confidence": round(proposal.confidence, 4)})
