"""Whether a layer's edit can be renewed, and what stays of the layer: everything but the pixels and the mask
that we made.

The new layer is a copy of the old one, which carries over by itself whatever people have set or added: name,
place, opacity, mode, visibility, colour tag, locks, further masks and filters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Tuple

from .editor import LayerResult
from .geometry import Bounds, Extent, strips
from .imprints import OWN, Digest, Imprint
from .slices import WORKED, Steps

Place = Tuple[int, int]


class OldLayer(NamedTuple):
    """A layer as it is now. ``at``, ``mask_at``: the editor's own positions of layer and mask."""

    layer: Any  # the editor's
    named: str
    canvas: Extent
    imprint: Optional[Imprint]  # None for layers of earlier versions
    at: Place
    mask_at: Optional[Place] = None  # None = it has no mask
    own_mask: bool = False  # people have painted on the mask, or removed it

    @property
    def shift(self) -> Place:
        """How far it was moved since it was put in, by hand or by a crop of the canvas."""
        return (0, 0) if self.imprint is None else difference(self.at, self.imprint.at)

    @property
    def mask_shift(self) -> Place:
        if self.imprint is None or self.mask_at is None:
            return (0, 0)
        return difference(self.mask_at, self.imprint.mask_at)

    @property
    def by_hand(self) -> bool:
        """Whether people moved it, and no crop did."""
        return self.imprint is not None and self.imprint.canvas == self.canvas

    @property
    def place(self) -> Bounds:
        """Where the pixels lie that we made."""
        return Bounds(0, 0, 0, 0) if self.imprint is None else self.imprint.bounds.moved(*self.shift)

    @property
    def mask_place(self) -> Bounds:
        return Bounds(0, 0, 0, 0) if self.imprint is None else self.imprint.bounds.moved(*self.mask_shift)

    @property
    def own_name(self) -> bool:
        """Whether people have given it another one."""
        return self.imprint is not None and self.named != self.imprint.name

    def to_wipe(self, result: LayerResult) -> bool:
        """Whether a copy holds pixels of ours that ``result`` doesn't all write over."""
        written = self.by_hand and self.imprint is not None and self.imprint.bounds == result.covered
        return self.imprint is not None and not written


@dataclass(frozen=True)
class Blank:
    """A layer to be filled, in no document yet. ``mask``: None where it isn't ours to write. ``shift``,
    ``mask_shift``: how far from where they belong people have moved both."""

    layer: Any  # the editor's
    mask: Any
    shift: Place = (0, 0)
    mask_shift: Place = (0, 0)

    def imprint(
        self, result: LayerResult, canvas: Extent, at: Place, mask_at: Optional[Place], *digests: str
    ) -> Imprint:
        """Of the layer that holds this one's content at ``at`` of the document, and its mask at ``mask_at``;
        None = it has none. ``digests``: of the pixels and of the mask."""
        covering = (0, 0) if mask_at is None else difference(mask_at, self.mask_shift)
        at = difference(at, self.shift)
        return Imprint(result.name, canvas, result.covered, at, covering, *digests)


def blank_of(kept: OldLayer, layer: Any, mask: Any) -> Blank:
    """``layer``: a copy of the one that is renewed, with its mask. A crop has moved it where it belongs."""
    ours = None if kept.own_mask else mask
    return Blank(layer, ours, kept.shift, kept.mask_shift) if kept.by_hand else Blank(layer, ours)


def compare_imprint(
    now: OldLayer, pixels: Steps[str], mask: Optional[Steps[str]]
) -> Steps[Optional[OldLayer]]:
    """``now`` with ``own_mask`` as it is; None if people's own pixels would be lost, since it was painted on.

    ``pixels``, ``mask`` tell the digests of what it holds where ours was; None = it has no mask.
    """
    if now.imprint is None:
        return now._replace(own_mask=mask is None)
    if (yield from pixels) != now.imprint.pixels:
        return None
    if mask is None or now.imprint.mask == OWN:
        return now._replace(own_mask=True)
    return now._replace(own_mask=(yield from mask) != now.imprint.mask)


def digest(read: Callable[[Bounds], bytes], bounds: Bounds, most: int) -> Steps[str]:
    """Of what ``read`` gives in bands of about ``most`` pixels."""
    found = Digest()
    for part in strips(bounds, most):
        found.add(read(part))
        yield WORKED
    return found.text


def difference(one: Place, other: Place) -> Place:
    return one[0] - other[0], one[1] - other[1]
