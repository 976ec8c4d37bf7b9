"""Where a noun's thing is in pictures nobody has marked: its attention map, and the outline found from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palimpsest.core.attention.maps import otsu
from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.learning.templates import fill, templates_for
from palimpsest.core.learning.views import ViewSettings, encode_views
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.outline import OutlineSettings, outlines
from palimpsest.core.picture.region import Mask, Region, Size, plan, resize, to_canvas
from palimpsest.core.steps import Step, Steps, retold
from palimpsest.core.text.prompt import concepts_installed

WHOLE = ViewSettings(per_picture=1)
MOST_SIDE = 256  # pixels at which an outline is looked for
LEAST_SHARE, LARGEST_SHARE = 0.005, 0.7  # of a picture that a subject may be to count as found


def find_subjects(
    model: DiffusionModel,
    pictures: Sequence[NDArray[Any]],
    masks: Sequence[Mask | None],
    noun: str,
    seed: int = 0,
) -> Steps[tuple[Mask | None, ...]]:
    """The subject's mask in each picture that has none in ``masks``.

    None for a picture that has one, and where what was found is next to nothing or nearly everything.
    """
    missing = [index for index, mask in enumerate(masks) if mask is None]
    maps: list[Tensor] = []
    for number, index in enumerate(missing, start=1):
        one = Step("probe", number, len(missing))  # as which all steps of this picture are told
        seeing = retold(_noun_map(model, pictures[index], noun, seed), partial(_as, one))
        maps.append(over_picture(*(yield from seeing)))
    found: list[Mask | None] = [None] * len(pictures)
    drawn = yield from outlined([pictures[index] for index in missing], maps)
    for index, mask in zip(missing, drawn, strict=True):
        if LEAST_SHARE <= float((mask > 0).mean()) <= LARGEST_SHARE:
            found[index] = mask
    return tuple(found)


def _as(one: Step, _: Step) -> Step:
    return one


def find_roughly(model: DiffusionModel, picture: NDArray[Any], noun: str, seed: int = 0) -> Steps[Mask]:
    """A mask of 0 and 255 of the picture's size by the noun's map alone, cut at Otsu's threshold.
    ``picture``: as for ``encode_views``.

    It always finds something: what is most like the noun in a picture that doesn't show it, and all of a
    picture in which nothing is more like it than the rest.
    """
    seen, region = yield from _noun_map(model, picture, noun, seed)
    grey = (to_canvas(seen, region) * 255).round().astype(np.uint8)
    return _cut(grey > otsu(grey))


def _noun_map(
    model: DiffusionModel, picture: NDArray[Any], noun: str, seed: int
) -> Steps[tuple[Tensor, Region]]:
    """The noun's map (h, w) in [0, 1] of all that the model sees of the picture, and how it sees it."""
    (view,) = yield from encode_views(model, [picture], [None], WHOLE, seed)
    template = templates_for("subject", [part.tokenizer for part in model.text])[0]
    with concepts_installed(model, []) as vocabulary:
        prompt = vocabulary.parse(fill(template, noun))
        states = noised_states(model, view.mean[None], seed=seed)
        maps = yield from probe(model, vocabulary, prompt, [noun], states)
    size = Size(picture.shape[1], picture.shape[0])
    return maps[noun].float().cpu(), plan(size, None, model.native_size, model.granularity)


def over_picture(seen: Tensor, region: Region) -> Tensor:
    """Of a map (h, w) of all that the model sees the part that shows the picture, and not its reflection."""
    work = resize(seen[None, None], region.work)[0, 0]
    return work[: region.inner.height, : region.inner.width]


def outlined(pictures: Sequence[NDArray[Any]], maps: Sequence[Tensor]) -> Steps[list[Mask]]:
    """The thing's mask in each of the pictures that show it. ``maps``: of its noun over each picture, (h, w)
    in [0, 1] of any size."""
    small, roughs, thresholds = [], [], []
    for picture, seen in zip(pictures, maps, strict=True):
        scale = min(1.0, MOST_SIDE / max(picture.shape[:2]))
        size = Size(*(max(1, round(scale * length)) for length in picture.shape[1::-1]))
        pixels = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None]
        small.append(resize(pixels, size)[0].clamp(0, 1).permute(1, 2, 0).numpy())
        roughs.append(resize(seen[None, None], size)[0, 0].clamp(0, 1).numpy())
        thresholds.append(otsu((roughs[-1] * 255).round().astype(np.uint8)) / 255)
    found = yield from outlines(small, roughs, thresholds, OutlineSettings())
    return [_enlarged(chance, picture) for chance, picture in zip(found, pictures, strict=True)]


def _enlarged(chance: NDArray[np.float64], picture: NDArray[Any]) -> Mask:
    """Of the picture's size: where it is more likely the thing's than not."""
    full = Size(picture.shape[1], picture.shape[0])
    return _cut(resize(torch.from_numpy(chance.astype(np.float32))[None, None], full)[0, 0].numpy() > 0.5)


def _cut(inside: NDArray[np.bool_]) -> Mask:
    """All of it where nothing is inside."""
    return np.where(inside if inside.any() else ~inside, np.uint8(255), np.uint8(0))
