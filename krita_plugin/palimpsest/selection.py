"""What is selected in Krita's documents, read and set."""

from __future__ import annotations

from krita import Document, Selection

from ._client.editor.geometry import Bounds, Extent
from ._client.editor.imprints import sampled
from ._client.editor.slices import WORKED, Steps, on_thread
from ._client.krita.pictures import read_mask
from ._client.krita.spaces import COPIED
from .documents import Documents
from .nodes import canvas_of
from .pictures import decode
from .renewal import write


def selection_bounds(document: Document) -> Bounds | None:
    """On the canvas: empty when all of the selection lies outside it, None without a selection."""
    selection = document.selection()
    if selection is None:
        return None
    whole = Bounds(selection.x(), selection.y(), selection.width(), selection.height())
    return whole.intersect(canvas_of(document))


def mark_of(document: Document, bounds: Bounds) -> str:
    return sampled(lambda row: document.selection().pixelData(*row).data(), bounds)


def select(documents: Documents, key: str, mask: bytes, bounds: Bounds, canvas: Extent | None) -> Steps[None]:
    picture = yield from on_thread(lambda: read_mask(decode, mask, bounds, COPIED))
    selection = Selection()
    selection.select(*picture.whole, 255)  # Krita draws rectangles' outline, not pixels'
    for gap in picture.gaps:
        selection.select(*gap, 0)
        yield WORKED
    for piece in picture.pieces:
        write(selection, piece.bounds, piece.mask)
        yield WORKED
    yield from documents.quiet(key)
    documents.require_fit(key, bounds, canvas)
    documents.require(key).setSelection(selection)
