"""What an edit that is renewed keeps of its layer: everything but the pixels and the mask that we made.

The new layer is a copy of the old one, which carries over by itself whatever people have set or added: name,
place, opacity, blending mode, visibility, colour label, locks, inherited alpha, further masks and filters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional, Tuple, Union

from krita import Document, Node, Selection

from ._client.editor import LayerResult
from ._client.geometry import Bounds, Extent, strips
from ._client.imprints import OWN, Digest, Imprint, read_imprint
from ._client.slices import WORKED, Steps
from .nodes import bounds_of, id_of, mask_of
from .qt import QByteArray
from .spaces import COPIED, Space, space_of

IMPRINT = "palimpsest-imprint:"  # + a layer's id: the annotation of the document that holds its imprint


@dataclass(frozen=True)
class Kept:
    """A layer that can be renewed. ``shift``, ``mask_shift``: how far it was moved since it was put in, by
    hand or by a crop of the canvas."""

    layer: Node
    canvas: Extent
    imprint: Optional[Imprint]  # None for layers of earlier versions
    own_mask: bool  # people have painted on the mask, or removed it

    @property
    def shift(self) -> Tuple[int, int]:
        return (0, 0) if self.imprint is None else difference(position(self.layer), self.imprint.at)

    @property
    def mask_shift(self) -> Tuple[int, int]:
        mask = mask_of(self.layer)
        if self.imprint is None or mask is None:
            return (0, 0)
        return difference(position(mask), self.imprint.mask_at)

    @property
    def by_hand(self) -> bool:
        return self.imprint is not None and self.imprint.canvas == self.canvas

    def name(self, given: str) -> str:
        """``given``, unless people have given it another one."""
        named = self.imprint is not None and self.layer.name() != self.imprint.name
        return self.layer.name() if named else given


def kept(document: Document, layer: Node) -> Steps[Optional[Kept]]:
    """None if more than pixels of ours would be lost: it was painted on, transformed or converted."""
    imprint, canvas = imprint_of(document, layer), Extent(document.width(), document.height())
    if space_of(layer) != space_of(document) or layer.type() != "paintlayer":
        return None
    if imprint is None:
        return Kept(layer, canvas, None, mask_of(layer) is None)
    found = Kept(layer, canvas, imprint, False)
    where = imprint.bounds.moved(*found.shift)
    if not where.contains(bounds_of(layer)):
        return None
    pixels = yield from digest(layer.pixelData, where)
    if pixels != imprint.pixels:
        return None
    mask = mask_of(layer)
    if mask is None or imprint.mask == OWN:
        return Kept(layer, canvas, imprint, True)
    covered = yield from digest(mask.pixelData, imprint.bounds.moved(*found.mask_shift))
    return Kept(layer, canvas, imprint, covered != imprint.mask)


@dataclass(frozen=True)
class Blank:
    """A layer to be filled, in no document yet. ``mask``: None where it isn't ours to write. ``shift``,
    ``mask_shift``: how far from where they belong people have moved both."""

    layer: Node
    mask: Optional[Node]
    shift: Tuple[int, int] = (0, 0)
    mask_shift: Tuple[int, int] = (0, 0)

    def imprint(
        self, made: Node, result: LayerResult, canvas: Extent, pixels: str, mask: str
    ) -> Imprint:
        """Of ``made``, the layer in the document that holds what this one does."""
        covering, at = mask_of(made), difference(position(made), self.shift)
        mask_at = (0, 0) if covering is None else difference(position(covering), self.mask_shift)
        return Imprint(result.name, canvas, content_of(result), at, mask_at, pixels, mask)


def content_of(result: LayerResult) -> Bounds:
    return result.content.intersect(result.bounds)


def new_blank(layer: Node, name: str, space: Space) -> Blank:
    layer.setName(name)
    layer.setColorSpace(*space)
    return Blank(layer, mask_of(layer))


def copied_blank(kept: Kept, result: LayerResult) -> Steps[Blank]:
    """A copy of the layer that is renewed, without what we made of it."""
    layer = kept.layer.duplicate()
    layer.setName(kept.name(result.name))
    mask = None if kept.own_mask else mask_of(layer)
    if kept.imprint is not None and not (kept.by_hand and kept.imprint.bounds == content_of(result)):
        yield from wiped(layer, kept.imprint.bounds.moved(*kept.shift), space_of(layer).pixel_bytes)
        if mask is not None:
            yield from wiped(mask, kept.imprint.bounds.moved(*kept.mask_shift), 1)
    return Blank(layer, mask, kept.shift, kept.mask_shift) if kept.by_hand else Blank(layer, mask)


def wiped(node: Node, bounds: Bounds, pixel_bytes: int) -> Steps[None]:
    for part in strips(bounds, COPIED):
        write(node, part, bytes(part.extent.pixels * pixel_bytes))
        yield WORKED


def write(target: Union[Node, Selection], bounds: Bounds, values: bytes) -> None:
    target.setPixelData(QByteArray(values), *bounds)


def digest(read: Callable[[int, int, int, int], QByteArray], bounds: Bounds) -> Steps[str]:
    found = Digest()
    for part in strips(bounds, COPIED):
        found.add(read(*part).data())
        yield WORKED
    return found.text


def position(node: Node) -> Tuple[int, int]:
    found = node.position()
    return found.x(), found.y()


def difference(one: Tuple[int, int], other: Tuple[int, int]) -> Tuple[int, int]:
    return one[0] - other[0], one[1] - other[1]


def imprint_of(document: Document, layer: Node) -> Optional[Imprint]:
    return read_imprint(document.annotation(IMPRINT + id_of(layer)).data().decode("utf-8", "replace"))


def keep_imprint(document: Document, layer: Node, imprint: Imprint) -> None:
    told = QByteArray(imprint.text.encode())
    document.setAnnotation(IMPRINT + id_of(layer), "Palimpsest: how this layer was when it was made", told)
