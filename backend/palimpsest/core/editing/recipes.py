"""The recipe of each operation: which attention is taken from the photo and for how long, where sampling
starts, and what it starts from.

The figures were chosen on the built-in model (docs/algorithms.md has the table). What else is to be known of
an operation stands in ``palimpsest_client/fields/operations.py``.

  replace   word for word, or word for a learned <word>: the layout's attention is the photo's, the new
            word's only at first; inside the selection shapes are free
  insert    new words, seen only from inside the selection, on fresh noise there
  restyle   new words around the old ones; the self-attention, and with it the layout, is the photo's
  remove    the selection starts from its surroundings gone on, and looks neither at itself, nor at other
            things that stand beside it, nor at the words, which name what stays
  reweight  the same words, some of them louder or softer
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from palimpsest.core.attention.windows import NEVER, WHOLE, Window


@dataclass(frozen=True)
class Recipe:
    """How an operation uses the loop."""

    cross: Window  # unchanged words see what they saw in the photo
    changed: Window  # replaced words see what the replaced ones saw
    self_attention: Window
    self_limit: float = 0.25  # largest layer injected, as a fraction of the latent's cells
    free_inside: bool = True  # the selection keeps its own self-attention
    blend: bool = False  # LocalBlend on the changed words
    noise: float = 1.0  # sampling starts at this fraction of the noise levels; 0 = what lies there comes back
    renoise: float = 0.0  # share of fresh noise in the selection's starting noise
    fill: bool = False  # the selection starts from its surroundings gone on
    key_mask: Window = NEVER  # the selection may not look at itself
    negative: str = "empty"  # the prompt that guidance leads away from: "empty" or "source"
    words_inside: bool = False  # inserted words are seen from inside the selection only
    words_outside: bool = False  # all words are seen from outside the selection only
    alone: bool = False  # the model is told of the words that come in, and of no others


FIGURES = tuple(figure.name for figure in fields(Recipe))


@dataclass(frozen=True)
class Recipes:
    """Of one operation; None where it can't be done so."""

    selected: Recipe  # inside a selection, which bounds the change
    unselected: Recipe | None = None  # without one: LocalBlend finds where the changed words are
    styled: Recipe | None = None  # by a learned style, from the photo in its colours (``colours.py``)
    viewed: Recipe | None = None  # a picture of the learned subject lies in the selection (``cutout.py``)


VIEW_NOISE = 0.15
"""To which part of the noise levels the subject's own picture is noised, where nothing else is said."""
DRAWING_NOISE = 0.35
"""The same of a picture that the model drew."""

_REPLACE = Recipe(cross=(0.0, 0.8), changed=(0.0, 0.4), self_attention=(0.0, 0.4))
_INSERT = Recipe(cross=NEVER, changed=NEVER, self_attention=NEVER, renoise=1.0, words_inside=True)
_RESTYLE = Recipe(
    cross=(0.0, 1.0),
    changed=(0.0, 1.0),
    self_attention=(0.0, 0.6),
    self_limit=1.0,
    free_inside=False,
    noise=0.7,
    negative="source",
)
_REMOVE = Recipe(
    cross=NEVER,
    changed=NEVER,
    self_attention=NEVER,
    noise=0.5,
    renoise=0.5,
    fill=True,
    key_mask=WHOLE,
    words_outside=True,
)
_REWEIGHT = Recipe(
    cross=(0.0, 0.8),
    changed=(0.0, 0.8),
    self_attention=(0.0, 0.4),
    free_inside=False,
    negative="source",
)

RECIPES: Mapping[str, Recipes] = {
    "replace": Recipes(
        _REPLACE,
        replace(_REPLACE, blend=True),
        viewed=replace(_REPLACE, cross=NEVER, changed=NEVER, noise=VIEW_NOISE, renoise=1.0, alone=True),
    ),
    "insert": Recipes(
        _INSERT,
        Recipe(cross=(0.0, 0.8), changed=(0.0, 0.8), self_attention=(0.0, 0.4), blend=True),
        viewed=replace(_INSERT, noise=VIEW_NOISE, alone=True),
    ),
    "restyle": Recipes(_RESTYLE, _RESTYLE, replace(_RESTYLE, self_attention=(0.0, 0.75), noise=0.5)),
    "remove": Recipes(_REMOVE),
    "reweight": Recipes(_REWEIGHT, _REWEIGHT),
}
AS_IT_IS = "reweight"
"""By which a photo is given back as it is: the same words, none of them with a factor."""
