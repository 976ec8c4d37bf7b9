"""Propose a caption for a picture: of the built-in model's world by its judge, of photographs by BLIP."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from palimpsest.contract import BUILT_IN, DescribeRequest
from palimpsest.core.picture.composite import quantise
from palimpsest.errors import ModelIncapableError, Text, noticed
from palimpsest.jobs.events import Events, Finished, Progressed
from palimpsest.models.captioner import Caption, Captioner
from palimpsest.models.catalog import captioners
from palimpsest.storage.pictures import to_model_rgb
from palimpsest.tasks.context import TaskContext
from palimpsest.tasks.progress import memory_errors

Rgb = NDArray[np.float32]  # (h, w, 3) sRGB in [0, 1]


def describe(context: TaskContext, request: DescribeRequest) -> Events[None]:
    """No artifacts; the result holds caption and confidence, and the words that are doubtful."""
    if request.model != BUILT_IN and context.captioner is None:
        yield Progressed("loading", 0, 1)
        context.captioner = open_captioner(context, request.model)
    pixels, notices = read_pixels(context, request)
    yield Progressed("looking", 0, 1)
    caption = built_in_caption(pixels) if request.model == BUILT_IN else photo_caption(context, pixels)
    yield Progressed("looking", 1, 1)
    doubts = [doubt._asdict() for doubt in caption.doubts]
    result = {"caption": caption.text, "confidence": round(caption.confidence, 4), "doubts": doubts}
    yield Finished({}, {**result, **noticed(*notices)})


def read_pixels(context: TaskContext, request: DescribeRequest) -> tuple[Rgb, list[str]]:
    """The picture, or what is around its selection; and what is to be said of its file."""
    picture = context.decoded.picture(request.image)
    if request.selection is None:
        return to_model_rgb(picture), list(picture.notices)
    selected = context.decoded.selection(request.selection, picture.size)
    return to_model_rgb(picture, selected.box), list(picture.notices)


def built_in_caption(pixels: Rgb) -> Caption:
    from palimpsest.builtin.describe import describe as propose
    from palimpsest.builtin.judge import load_judge

    proposal = propose(load_judge(), quantise(pixels, 255).astype(np.uint8))
    return Caption(proposal.caption, proposal.confidence, proposal.doubts)


def photo_caption(context: TaskContext, pixels: Rgb) -> Caption:
    assert context.captioner is not None
    with memory_errors(context.device, Text("what-describing"), Text("free-memory")):
        return context.captioner.caption(torch.from_numpy(pixels).permute(2, 0, 1)[None])


def open_captioner(context: TaskContext, model: str) -> Captioner:
    """Raises ModelIncapableError where there is none, ModelUnreadableError."""
    folder = next(iter(captioners(context.models.models).values()), None)
    if folder is None:
        raise ModelIncapableError(Text("nothing-describes", model=model), Text("describe-or-pull"))
    with memory_errors(context.device, Text("what-captioner"), Text("free-memory")):
        return Captioner(folder, context.device)
