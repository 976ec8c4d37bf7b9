"""Layers of Krita that are renewed (``_client.renewing``)."""

from __future__ import annotations

from typing import Optional, Tuple, Union

from krita import Document, Node, Selection

from ._client.editor.editor import LayerResult
from ._client.editor.geometry import Bounds, strips
from ._client.editor.imprints import read_imprint
from ._client.editor.renewing import Blank, OldLayer, blank_of, compare_imprint, digest
from ._client.editor.slices import WORKED, Steps
from ._client.krita.spaces import COPIED, Space
from .documents import keep, told_by
from .nodes import bounds_of, canvas_of, id_of, mask_of
from .qt import QByteArray
from .spaces import space_of

IMPRINT = "palimpsest-imprint:"  # + a layer's id: the annotation of the document that holds its imprint


def find_renewable(document: Document, layer: Node) -> Steps[Optional[OldLayer]]:
    """None if more than pixels of ours would be lost: it was painted on, transformed or converted."""
    if space_of(layer) != space_of(document) or layer.type() != "paintlayer":
        return None
    mask, imprint = mask_of(layer), read_imprint(told_by(document, IMPRINT + id_of(layer)))
    now = OldLayer(layer, layer.name(), canvas_of(document).extent, imprint, *positions(layer))
    if imprint is not None and not now.place.contains(bounds_of(layer)):
        return None
    covered = None if mask is None else digest_of(mask, now.mask_place)
    return (yield from compare_imprint(now, digest_of(layer, now.place), covered))


def new_blank(layer: Node, name: str, space: Space) -> Blank:
    layer.setName(name)
    layer.setColorSpace(*space)
    return Blank(layer, mask_of(layer))


def copy_blank(kept: OldLayer, result: LayerResult) -> Steps[Blank]:
    """A copy of the layer that is renewed, without what we made of it."""
    layer = kept.layer.duplicate()
    layer.setName(kept.named if kept.own_name else result.name)
    blank = blank_of(kept, layer, mask_of(layer))
    if kept.to_wipe(result):
        yield from wipe(layer, kept.place, space_of(layer).pixel_bytes)
        if blank.mask is not None:
            yield from wipe(blank.mask, kept.mask_place, 1)
    return blank


def wipe(node: Node, bounds: Bounds, pixel_bytes: int) -> Steps[None]:
    for part in strips(bounds, COPIED):
        write(node, part, bytes(part.extent.pixels * pixel_bytes))
        yield WORKED


def write(target: Union[Node, Selection], bounds: Bounds, values: bytes) -> None:
    target.setPixelData(QByteArray(values), *bounds)


def digest_of(node: Node, bounds: Bounds) -> Steps[str]:
    return digest(lambda part: node.pixelData(*part).data(), bounds, COPIED)


def positions(layer: Node) -> Tuple[Tuple[int, int], Optional[Tuple[int, int]]]:
    """Of a layer and of its mask, as Krita tells them; None = it has no mask."""
    mask = mask_of(layer)
    at, mask_at = (None if node is None else node.position() for node in (layer, mask))
    return (at.x(), at.y()), None if mask_at is None else (mask_at.x(), mask_at.y())


def keep_imprint(document: Document, layer: Node, blank: Blank, result: LayerResult, *digests: str) -> None:
    """Of the layer in the document that holds what ``blank`` does."""
    imprint = blank.imprint(result, canvas_of(document).extent, *positions(layer), *digests)
    keep(document, IMPRINT + id_of(layer), "how this layer was when it was made", imprint.text)
