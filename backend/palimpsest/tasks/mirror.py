"""What is replaced beside a mirror changes in the mirror, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from palimpsest.contract import EditRequest
from palimpsest.core.editing.mirror import WORD, Scene, find_scene, reflected
from palimpsest.core.picture.region import Region, Size, bounds, to_canvas, working_mask
from palimpsest.core.picture.selection import grown
from palimpsest.core.text.alignment import align
from palimpsest.core.text.phrases import content_words
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import SelectionError, Text, in_a_row
from palimpsest.jobs.events import Events
from palimpsest.tasks.canvas import Begun, Canvas
from palimpsest.tasks.context import TaskContext
from palimpsest.tasks.progress import PhaseTimer, with_progress

LOOKS = 3  # evaluations for where words are
STAYING = 0.35  # part of the noise levels up to which a thing stays where it was laid in
NO_MIRROR = in_a_row((Text("mirror-not-found"), Text("select-mirror-image")))
BY_MASK = "Or say with a mask where the mirror is (--mirror FILE)."  # no Text: the panels can't
NO_IMAGE = in_a_row((Text("mirror-image-unknown"), Text("select-image-or-draw")))
NOT_INSERTED = Text("mirror-without-inserted")


@dataclass(frozen=True, eq=False)
class Mirrored:
    """What a mirror makes of the edits' pictures."""

    pictures: tuple[Tensor, ...] = ()  # (1, 3, h, w) in [-1, 1] each; none: as the decoder makes them
    left: Tensor | None = None  # (1, 1, h, w), above 0 where the photo stays as it is
    told: dict[str, Any] = field(default_factory=dict)  # what a result says of it
    notices: tuple[str, ...] = ()


def mirrored(
    canvas: Canvas,
    vocabulary: Vocabulary,
    request: EditRequest,
    shown: Tensor | None,
    rows: Sequence[tuple[Tensor, Begun | None]],
) -> Events[Mirrored]:
    """Nothing changes where the request has no mirror to do with, or the mirror itself goes, nor where
    something is inserted: no image says how the mirror would show it.

    ``shown``: as ``shown_mirror`` has it; ``rows``: each edit's latent (c, h, w), and what it began from.
    """
    source, target = vocabulary.parse(request.source_prompt), vocabulary.parse(request.target_prompt)
    if request.operation == "insert" and request.reflect and source.contains(WORD):
        return Mirrored(notices=(NOT_INSERTED,))
    alignment = align(source, target, request.pairs)
    old, new = (content_words(words) for words in (alignment.changed_source, alignment.changed_target))
    if not old or not new or not concerns(request, source, target, old):
        return Mirrored()
    selection = _inner(working_mask(canvas.mask, canvas.region), canvas.region)
    photo = (canvas.pixels + 1) / 2
    timer = PhaseTimer({"looking": (LOOKS * (1 + len(rows)), 1.0)})
    looking = find_scene(
        canvas.model, vocabulary, source, old, photo, canvas.z0, canvas.working_selection, selection, shown
    )
    scene = yield from with_progress(looking, timer)
    if scene is None:
        return Mirrored(told={"mirror": {"image": "none"}}, notices=(NO_MIRROR, BY_MASK))
    if scene.law is None:
        return Mirrored(left=scene.image, told={"mirror": {"image": "left"}}, notices=(NO_IMAGE,))
    pictures: list[Tensor] = []
    for latent, begun in rows:
        z = latent[None]
        trip = canvas.roundtrip if begun is None else canvas.decoded(begun.z)
        laid = None if begun is None or begun.noise > STAYING else begun.laid.opacity
        steps = reflected(canvas.model, vocabulary, target, new, z, canvas.decoded(z), scene, trip, laid)
        pictures.append((yield from with_progress(steps, timer)))
    how = "found" if shown is None else "shown"
    return Mirrored(tuple(pictures), told={"mirror": {"image": how, **_told(canvas, scene)}})


def shown_mirror(context: TaskContext, canvas: Canvas, request: EditRequest) -> Tensor | None:
    """Where the request says that the mirror is, (1, 1, h, w) of 0 and 1 where the model sees it; None where
    it doesn't say. Raises SelectionError where it shares nothing with the selection, and what reading a mask
    raises: empty, of another size."""
    if request.reflection is None:
        return None
    size = canvas.whole.size
    pane = context.decoded.selection(request.reflection, size).within((0, 0, *size))
    pane = pane[canvas.placed.box.slices]
    if canvas.selected is None or not bool(((pane > 0) & (canvas.selected > 0)).any()):
        raise SelectionError(
            "The mirror's mask lies outside of the selection.",
            "Select the thing and its image in the mirror; the mask says which part of that is the image.",
            field="reflection",
        )
    return working_mask(grown(pane, canvas.grow), canvas.region)


def without(canvas: Canvas, left: Tensor | None) -> Canvas:
    """The canvas, of which the part ``left`` (1, 1, h, w), above 0, stays as it is."""
    if left is None or canvas.mask is None:
        return canvas
    stays = to_canvas(left[0, 0], canvas.region) > 0.5
    return canvas.with_mask(np.where(stays, np.uint8(0), canvas.mask))


def concerns(request: EditRequest, source: Prompt, target: Prompt, old: Sequence[str]) -> bool:
    """Whether there may be a mirror that has to show what is done: one that the request shows, or that both
    sentences name and that is not among the words that go (``old``)."""
    if request.operation != "replace" or request.selection is None:
        return False
    stays = source.contains(WORD) and target.contains(WORD) and WORD not in old
    return request.reflect and (request.reflection is not None or stays)


def _inner(mask: Tensor, region: Region) -> Tensor:
    """Without what the model sees only reflected."""
    inner = torch.zeros_like(mask)
    inner[..., : region.inner.height, : region.inner.width] = 1
    return mask * inner


def _told(canvas: Canvas, scene: Scene) -> dict[str, Any]:
    """Where in the picture the image is, and how it is shown there."""
    law = scene.law
    assert law is not None
    there = to_canvas(scene.image[0, 0], canvas.region) > 0.5
    left, top, right, bottom = bounds(np.where(there, np.uint8(255), np.uint8(0)), Size(*there.shape[::-1]))
    across, down = canvas.placed.box[:2]
    return {
        "box": [left + across, top + down, right + across, bottom + down],  # pixels of the picture
        "scale": round(law.scale, 3),  # of the image against the thing
        "share": round(law.share, 3),  # 1 = the thing itself, 0 = the glass
        "explained": round(law.explained, 3),
    }
