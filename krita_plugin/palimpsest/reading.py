"""Pixels of Krita's documents, read a band at a time.

They are read from a clone of the document (which shares its memory): painting goes on, and what is read
stays as it was.
"""

from __future__ import annotations

from krita import Document

from ._client.editor.editor import CANVAS, Capture
from ._client.editor.geometry import Bounds
from ._client.editor.imprints import sampled
from ._client.editor.packing import pack
from ._client.editor.picture_file import PictureFile
from ._client.editor.png import Layout
from ._client.editor.slices import WORKED, Steps, WorkError
from ._client.editor.sources import required_layer
from ._client.krita.spaces import COPIED
from ._client.text.wording import say
from .documents import Documents, copy_of, history
from .nodes import bounds_of, canvas_of, id_of, source_in
from .spaces import Backstage, discard, pack_png, space_of


def capture(
    documents: Documents, backstage: Backstage, key: str, source: str, crop: Bounds | None, file: PictureFile
) -> Steps[Capture]:
    document = documents.require(key)
    layer = required_layer(*source_in(document, source))
    selection = document.selection()
    if selection is not None:
        selection = selection.duplicate()
        yield WORKED
    yield from documents.quiet(key)
    canvas, of = canvas_of(document), CANVAS if layer is None else id_of(layer)
    part = canvas if crop is None else canvas.intersect(crop)
    copy, steps = copy_of(document), history()[0]
    try:
        yield WORKED
        content = content_of(copy, of, steps)
        yield WORKED
        if layer is None:
            node, read = copy, copy.pixelData
        else:
            node = required_layer(*source_in(copy, of))
            part, read = part.intersect(bounds_of(node)), node.projectionPixelData
        if part.empty:
            raise WorkError(say("canvas-empty") if layer is None else say("layer-empty", layer=layer.name()))
        image = yield from pack_png(backstage, space_of(node), part, read, file)
    finally:
        discard(copy)
    yield WORKED
    mask = None
    if selection is not None:
        grey = Layout(part.extent, 1)
        mask = yield from pack(grey, part, COPIED, lambda b: selection.pixelData(*b).data(), PictureFile())
    return Capture(key, image, mask, part, of, canvas.extent, content, file.arrived)


def content_of(document: Document, source: str, steps: int) -> str:
    """Some of the pixels, and where Krita's history is: after so many ``steps``."""
    layer = required_layer(*source_in(document, source))
    read = document.pixelData if layer is None else layer.projectionPixelData
    return f"{sampled(lambda row: read(*row).data(), canvas_of(document))} {steps}"
