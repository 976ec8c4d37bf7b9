"""Layers of Krita that are renewed (``_client.renewing``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple, Union

from krita import Document, Node, Selection

from ._client.editor import LayerResult
from ._client.geometry import Bounds, Extent, strips
from ._client.imprints import Imprint, read_imprint
from ._client.krita_spaces import COPIED, Space
from ._client.renewing import Kept, difference, digest, judged
from ._client.slices import WORKED, Steps
from .nodes import bounds_of, canvas_of, id_of, mask_of
from .qt import QByteArray
from .spaces import space_of

IMPRINT = "palimpsest-imprint:"  # + a layer's id: the annotation of the document that holds its imprint


def kept(document: Document, layer: Node) -> Steps[Optional[Kept]]:
    """None if more than pixels of ours would be lost: it was painted on, transformed or converted."""
    if space_of(layer) != space_of(document) or layer.type() != "paintlayer":
        return None
    mask, imprint = mask_of(layer), imprint_of(document, layer)
    mask_at = None if mask is None else position(mask)
    now = Kept(layer, layer.name(), canvas_of(document).extent, imprint, position(layer), mask_at)
    if imprint is not None and not now.place.contains(bounds_of(layer)):
        return None
    covered = None if mask is None else digest_of(mask, now.mask_place)
    return (yield from judged(now, digest_of(layer, now.place), covered))


@dataclass(frozen=True)
class Blank:
    """A layer to be filled, in no document yet. ``mask``: None where it isn't ours to write. ``shift``,
    ``mask_shift``: how far from where they belong people have moved both."""

    layer: Node
    mask: Optional[Node]
    shift: Tuple[int, int] = (0, 0)
    mask_shift: Tuple[int, int] = (0, 0)

    def imprint(self, made: Node, result: LayerResult, canvas: Extent, pixels: str, mask: str) -> Imprint:
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
    layer.setName(kept.named if kept.own_name else result.name)
    mask = None if kept.own_mask else mask_of(layer)
    if kept.imprint is not None and not (kept.by_hand and kept.imprint.bounds == content_of(result)):
        yield from wiped(layer, kept.place, space_of(layer).pixel_bytes)
        if mask is not None:
            yield from wiped(mask, kept.mask_place, 1)
    return Blank(layer, mask, kept.shift, kept.mask_shift) if kept.by_hand else Blank(layer, mask)


def wiped(node: Node, bounds: Bounds, pixel_bytes: int) -> Steps[None]:
    for part in strips(bounds, COPIED):
        write(node, part, bytes(part.extent.pixels * pixel_bytes))
        yield WORKED


def write(target: Union[Node, Selection], bounds: Bounds, values: bytes) -> None:
    target.setPixelData(QByteArray(values), *bounds)


def digest_of(node: Node, bounds: Bounds) -> Steps[str]:
    return digest(lambda part: node.pixelData(*part).data(), bounds, COPIED)


def position(node: Node) -> Tuple[int, int]:
    found = node.position()
    return found.x(), found.y()


def imprint_of(document: Document, layer: Node) -> Optional[Imprint]:
    return read_imprint(document.annotation(IMPRINT + id_of(layer)).data().decode("utf-8", "replace"))


def keep_imprint(document: Document, layer: Node, imprint: Imprint) -> None:
    told = QByteArray(imprint.text.encode())
    document.setAnnotation(IMPRINT + id_of(layer), "Palimpsest: how this layer was when it was made", told)
