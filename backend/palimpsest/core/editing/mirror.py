"""An edited thing's image in a mirror: once the thing is drawn, its image is laid into the pane.

Small and pale as it is, the network draws a smudge there. So the photo is asked how the mirror shows the old
thing (``core/picture/reflection.py``), and the new one is shown by the same law. Where things and mirror are,
their words' maps say, drawn to outlines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from palimpsest.core.attention.maps import otsu
from palimpsest.core.attention.probe import noised_states, probe
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.outline import OutlineSettings, outlines
from palimpsest.core.picture.reflection import Law, law_of, lay, reached, wider, without_holes
from palimpsest.core.picture.region import Size, resize
from palimpsest.core.steps import Steps
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt

WORD = "mirror"
SAME, OTHER = 0.06, 0.25  # differences of colours, in [0, 1], up to which it is the same, from which another
MOST_SIDE = 256  # pixels at which an outline is looked for
FAINT, FULL = 0.25, 0.55  # chances from which on a pixel is the thing's a little, and wholly
ROOM = 0.03  # in sides of the picture, by which a pane is taken to be wider than it was found
RIM = 2 / 128  # in the same, by which an outline may be wrong
LEAST_SHARE = 0.02  # of a selection, for a part of it to be a mirror's


@dataclass(frozen=True, eq=False)
class Scene:
    """A photo, a thing in it, and the mirror beside it; masks (1, 1, h, w) in [0, 1]."""

    photo: Tensor  # (1, 3, h, w) in [0, 1]
    thing: Tensor  # where the thing and what takes its place may be
    image: Tensor  # where their images may be
    old: Tensor  # the thing's opacity
    law: Law | None  # by which the mirror shows the thing; None where its image isn't recognised


def find_scene(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    source: Prompt,
    words: Sequence[str],
    photo: Tensor,
    z0: Tensor,
    selected: Tensor,
    selection: Tensor,
    shown: Tensor | None = None,
) -> Steps[Scene | None]:
    """Which part of the selection is the thing, and which is the mirror's; None where nothing of it is.

    ``photo`` (1, 3, h, w) in [0, 1], ``z0`` its latent; ``words``: those of ``source`` that name the thing.
    ``selected``, that as it was grown (``selection``) and, if it is known where the mirror is, ``shown``:
    (1, 1, h, w) of 0 and 1 each. Without the last the source has to name the mirror. Raises
    WordNotFoundError.
    """
    asked = [*words, *([WORD] if shown is None else [])]
    maps = yield from probe(model, vocabulary, source, asked, noised_states(model, z0))
    pane = (yield from _pane(photo, maps[WORD])) if shown is None else shown > 0
    image = pane * selection
    if not _shares(selection, image):
        return None
    chance = yield from _outlined(photo, _together(maps, words, photo), selection)
    before = _before(chance, image)
    images = [image * ~before, image] if bool(before.any()) else [image]
    scenes = [_scene(photo, selected, selection, part, chance) for part in images if _shares(selection, part)]
    return max(scenes, key=lambda scene: 0.0 if scene.law is None else scene.law.explained)


def _shares(selection: Tensor, image: Tensor) -> bool:
    """Whether enough of a selection is a mirror's, and enough is not."""
    least = LEAST_SHARE * float(selection.sum())
    return least <= float(image.sum()) <= float(selection.sum()) - least


def _before(chance: Tensor, image: Tensor) -> Tensor:
    """What of the thing stands before the mirror: (1, 1, h, w) of bool.

    ``chance``: that a pixel is the thing's; it hangs together with what of it is beside ``image``.
    """
    thing = chance > 0.5
    return wider(reached(thing & (image == 0), thing) & (image > 0), 1)


def _scene(photo: Tensor, selected: Tensor, selection: Tensor, image: Tensor, chance: Tensor) -> Scene:
    """``image``: which part of the selection is the mirror's."""
    thing = selection * (1 - image)
    old = _opacity(chance, thing)
    law = law_of(photo, old, image * selected)  # growing brings frame and ground in, which obey no law
    return Scene(photo, thing, image, old, law)


def reflected(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    target: Prompt,
    words: Sequence[str],
    z: Tensor,
    edited: Tensor,
    scene: Scene,
    roundtrip: Tensor,
    opacity: Tensor | None = None,
) -> Steps[Tensor]:
    """``edited`` with the new thing's image in the mirror: (1, 3, h, w) in [-1, 1]. The scene has a law.

    ``edited``: the picture of the latent ``z`` (1, c, h, w), an edit of the scene's photo; ``roundtrip``:
    what the autoencoder makes of the photo; (1, 3, h, w) in [-1, 1] each. Where the image changes nothing,
    ``roundtrip`` comes back. ``words``: those of ``target`` that name the new thing; ``opacity``: its own,
    (1, 1, h, w) in [0, 1], where that is known.
    """
    assert scene.law is not None
    seen = (edited + 1) / 2
    if opacity is None:
        maps = yield from probe(model, vocabulary, target, words, noised_states(model, z))
        new = yield from _new_opacity(seen, _together(maps, words, seen), scene)
    else:
        new = opacity * scene.thing
    change = lay(scene.photo, seen, scene.old, new, scene.image, scene.law) - scene.photo
    kept = 1 - (change.abs().amax(1, keepdim=True) / SAME).clamp(0, 1)
    laid = torch.lerp(scene.photo + change, (roundtrip + 1) / 2 + change, kept)
    return torch.where(scene.image > 0, laid, seen).clamp(0, 1) * 2 - 1


def _new_opacity(edited: Tensor, seen: Tensor, scene: Scene) -> Steps[Tensor]:
    """Of what ``seen``, a map (h, w), shows in the edited picture: (1, 1, h, w) in [0, 1].

    Where nothing stood and nothing changed there is nothing; where the old thing stood and nothing changed,
    or nothing stood and much changed, there is the new thing.
    """
    rim = max(1, round(RIM * max(edited.shape[-2:])))
    difference = (edited - scene.photo).abs().amax(1, keepdim=True)
    stood = scene.old > 0.5
    free, sure = ~wider(stood, rim), ~wider(~stood, rim)
    nothing = free & (difference < SAME)
    there = sure & (difference < SAME)
    seen = torch.where(
        nothing[0, 0], 0.0, torch.where((there | (free & (difference > OTHER)))[0, 0], 1.0, seen)
    )
    chance = yield from _outlined(edited, seen, scene.thing)
    return _opacity(torch.where(nothing, 0.0, torch.where(there, 1.0, chance)), scene.thing)


def _opacity(chance: Tensor, within: Tensor) -> Tensor:
    return ((chance - FAINT) / (FULL - FAINT)).clamp(0, 1) * within


def _together(maps: Mapping[str, Tensor], words: Sequence[str], picture: Tensor) -> Tensor:
    """What the words' maps show, over the picture: (h, w) in [0, 1]."""
    return _over(torch.stack([maps[word] for word in words]).amax(0), picture)


def _over(seen: Tensor, picture: Tensor) -> Tensor:
    size = picture.shape[-2:]
    return functional.interpolate(seen[None, None].float().cpu(), size, mode="bilinear")[0, 0]


def _outlined(picture: Tensor, seen: Tensor, within: Tensor) -> Steps[Tensor]:
    """The chance that a pixel is what a map (h, w) shows, inside ``within``: (1, 1, h, w) in [0, 1]."""
    full = Size(int(picture.shape[-1]), int(picture.shape[-2]))
    scale = min(1.0, MOST_SIDE / max(full))
    size = Size(*(max(1, round(scale * length)) for length in full))
    colours = resize(picture, size)[0].clamp(0, 1).permute(1, 2, 0).numpy()
    inside = resize(within, size)[0, 0].numpy() > 0.5
    grey = resize(seen[None, None], size)[0, 0].numpy()
    if not inside.any():
        return torch.zeros_like(within)
    low, high = grey[inside].min(), grey[inside].max()
    rough = np.where(inside, ((grey - low) / max(high - low, 1e-6)).clip(0, 1), 0)
    threshold = otsu((rough[inside] * 255).round().astype(np.uint8)) / 255
    (found,) = yield from outlines([colours], [rough], [threshold], OutlineSettings())
    return resize(torch.from_numpy(found.astype(np.float32))[None, None], full).clamp(0, 1)


def _pane(photo: Tensor, seen: Tensor) -> Steps[Tensor]:
    """What a mirror's map (h, w) shows, in one piece without holes, and a little more:
    (1, 1, h, w) of bool."""
    over = _over(seen, photo)
    found = (yield from _outlined(photo, over, torch.ones_like(photo[:, :1]))) > 0.5
    middle = torch.zeros_like(found)
    middle.view(-1)[int((over * found).argmax())] = True
    piece = without_holes(reached(middle, found))
    return wider(piece, max(1, round(ROOM * max(photo.shape[-2:]))))
