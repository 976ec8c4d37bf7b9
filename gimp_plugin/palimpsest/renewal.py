"""What an edit that is renewed keeps of its layer: everything but the pixels and the mask that we made.

The new layer is a copy of the old one, which carries over by itself whatever people have set or added: name,
place, opacity, mode, visibility, colour tag, locks and filters.
"""

# pyright: reportMissingImports=false
# GIMP's Python brings gi.
from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import gi

gi.require_version("Gimp", "3.0")
import pixels as px  # noqa: E402
from _client.geometry import Bounds, strips  # noqa: E402
from _client.imprints import OWN, Digest, Imprint, read_imprint  # noqa: E402
from _client.slices import WORKED, Steps  # noqa: E402
from gi.repository import Gimp  # noqa: E402

IMPRINT = "palimpsest-imprint"  # the parasite that holds it


class Kept(NamedTuple):
    """A layer that can be renewed."""

    layer: Gimp.Layer
    imprint: Imprint | None  # None for layers of earlier versions
    own_mask: bool  # people have painted on the mask, or removed it

    @property
    def shift(self) -> tuple[int, int]:
        """How far people have moved it since it was put in."""
        _, x, y = self.layer.get_offsets()
        image = self.layer.get_image()
        if self.imprint is None or self.imprint.canvas != (image.get_width(), image.get_height()):
            return (0, 0)
        return x - self.imprint.at[0], y - self.imprint.at[1]

    @property
    def own_name(self) -> bool:
        """Whether people have given it another one; GIMP itself adds a number where a name is taken."""
        if self.imprint is None:
            return False
        return re.fullmatch(re.escape(self.imprint.name) + r"( #\d+)?", self.layer.get_name()) is None


def kept(layer: Gimp.Layer, opened: Callable[[], object]) -> Steps[Kept | None]:
    """None if more than pixels of ours would be lost: it was painted on, transformed or converted.
    ``opened`` raises when the picture was closed."""
    imprint = imprint_of(layer)
    if imprint is None:
        return Kept(layer, None, layer.get_mask() is None)
    if (layer.get_width(), layer.get_height()) != imprint.bounds.extent:
        return None
    pixels = yield from digest(layer, opened)
    if pixels != imprint.pixels:
        return None
    mask = layer.get_mask()
    if mask is None or imprint.mask == OWN:
        return Kept(layer, imprint, True)
    covered = yield from digest(mask, opened)
    return Kept(layer, imprint, covered != imprint.mask)


def digest(drawable: Gimp.Drawable, opened: Callable[[], object]) -> Steps[str]:
    """Of its pixels as GIMP keeps them."""
    found, buffer = Digest(), drawable.get_buffer()
    for part in strips(Bounds(0, 0, drawable.get_width(), drawable.get_height()), px.STRIPE):
        opened()
        found.add(px.read(buffer, part, None))
        yield WORKED
    return found.text


def imprint_of(layer: Gimp.Layer) -> Imprint | None:
    parasite = layer.get_parasite(IMPRINT)
    return None if parasite is None else read_imprint(bytes(parasite.get_data()).decode("utf-8", "replace"))

