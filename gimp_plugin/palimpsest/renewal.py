"""Layers of GIMP that are renewed (``_client.renewing``)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pixels as px
from _client.editor.geometry import Extent
from _client.editor.imprints import Imprint, read_imprint
from _client.editor.renewing import OldLayer, compare_imprint, digest
from _client.editor.slices import Steps
from gi.repository import Gimp
from images import canvas_of, placed_at, told_by

IMPRINT = "palimpsest-imprint"  # the parasite that holds it


def find_renewable(layer: Gimp.Layer, opened: Callable[[], object]) -> Steps[OldLayer | None]:
    """None if more than pixels of ours would be lost: it was painted on, transformed or converted.
    ``opened`` raises when the picture was closed."""
    imprint, mask, place = imprint_of(layer), layer.get_mask(), placed_at(layer)
    if imprint is not None and place.extent != imprint.bounds.extent:
        return None
    named = re.sub(r" #\d+$", "", layer.get_name())  # GIMP adds a number where a name is taken
    now = OldLayer(layer, named, canvas_of(layer.get_image()), imprint, place[:2])
    covered = None if mask is None else digest_of(mask, opened)
    return (yield from compare_imprint(now, digest_of(layer, opened), covered))


def digest_of(drawable: Gimp.Drawable, opened: Callable[[], object]) -> Steps[str]:
    """Of its pixels as GIMP keeps them."""
    buffer = drawable.get_buffer()
    whole = Extent(drawable.get_width(), drawable.get_height()).bounds
    return digest(lambda part: (opened(), px.read(buffer, part, None))[1], whole, px.STRIPE)


def imprint_of(layer: Gimp.Layer) -> Imprint | None:
    return read_imprint(told_by(layer, IMPRINT))
