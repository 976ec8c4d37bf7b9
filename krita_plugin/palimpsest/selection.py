"""What is selected in Krita's documents, read and set."""

from __future__ import annotations

from krita import Document, Selection

from ._client.geometry import Bounds, Extent, spread
from ._client.imprints import digest_of
from ._client.krita_spaces import COPIED
from ._client.slices import WORKED, Steps, elsewhere
from .documents import Documents
from .nodes import canvas_of
from .pictures import read_mask
from .renewal import write

ROWS = 32  # by which a selection is known


def selected(document: Document) -> Bounds | None:
    """On the canvas: empty when all of the selection lies outside it, None without a selection."""
    selection = document.selection()
    if selection is None:
        return None
    whole = Bounds(selection.x(), selection.y(), selection.width(), selection.height())
    return whole.intersect(canvas_of(document))


def mark_of(document: Document, bounds: Bounds) -> str:
    """Of what is selected within ``bounds``: some of its rows, since all of them may be 64 MB."""
    selection, rows = document.selection(), spread(bounds, ROWS)
    return digest_of(b"".join([selection.pixelData(*row).data() for row in rows]))


def select(documents: Documents, key: str, mask: bytes, bounds: Bounds, canvas: Extent | None) -> Steps[None]:
    picture = yield from elsewhere(lambda: read_mask(mask, bounds, COPIED))
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
