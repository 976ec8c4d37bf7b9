"""Propose a caption for a picture: of the built-in model's world by its judge, of photographs by BLIP."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from palimpsest.contract import BUILT_IN, DescribeRequest
from palimpsest.core.picture.composite import quantise
from palimpsest.core.picture.region import Size, bounds
from palimpsest.errors import ModelIncapableError, Text
from palimpsest.jobs.events import Finished, Progressed
from palimpsest.models.captioner import Caption, Captioner
from palimpsest.models.catalog import captioners
from palimpsest.storage.pictures import read_picture, read_selection, to_model_rgb
from palimpsest.tasks.context import Workplace
from palimpsest.tasks.progress import Events, memory_told

Rgb = NDArray[np.float32]  # (h, w, 3) sRGB in [0, 1]


def describe(place: Workplace, request: DescribeRequest) -> Events[None]:
    """No artifacts; the result holds caption and confidence, and the words that are doubtful."""
    if request.model != BUILT_IN and place.captioner is None:
        yield Progressed("loading", 0, 1)
        place.captioner = open_captioner(place, request.model)
    pixels, notices = read_pixels(place, request)
    yield Progressed("looking", 0, 1)
    said = said_of_toys(pixels) if request.model == BUILT_IN else said_of(place, pixels)
    yield Progressed("looking", 1, 1)
    told = {"confidence": round(said.confidence, 4), "doubts": [doubt._asdict() for doubt in said.doubts]}
    yield Finished({}, {"caption": said.text, **told, "notices": notices})


def read_pixels(place: Workplace, request: DescribeRequest) -> tuple[Rgb, list[str]]:
    """The picture, or what is around its selection; and what is to be said of its file."""
    picture = read_picture(place.images.get(request.image), place.limits)
    if request.selection is None:
        return to_model_rgb(picture), list(picture.notices)
    mask = read_selection(place.images.get(request.selection), picture.size, place.limits)
    return to_model_rgb(picture, bounds(mask, Size(*picture.size))), list(picture.notices)


def said_of_toys(pixels: Rgb) -> Caption:
    from palimpsest.builtin.describe import describe as propose
    from palimpsest.builtin.judge import load_judge

    proposal = propose(load_judge(), quantise(pixels, 255).astype(np.uint8))
    return Caption(proposal.caption, proposal.confidence, proposal.doubts)


def said_of(place: Workplace, pixels: Rgb) -> Caption:
    assert place.captioner is not None
    with memory_told(place.device, Text("what-describing"), Text("free-memory")):
        return place.captioner.caption(torch.from_numpy(pixels).permute(2, 0, 1)[None])


def open_captioner(place: Workplace, model: str) -> Captioner:
    """Raises ModelIncapableError where there is none, ModelUnreadableError."""
    folder = next(iter(captioners(place.models.models).values()), None)
    if folder is None:
        raise ModelIncapableError(Text("nothing-describes", model=model), Text("describe-or-pull"))
    with memory_told(place.device, Text("what-captioner"), Text("free-memory")):
        return Captioner(folder, place.device)
