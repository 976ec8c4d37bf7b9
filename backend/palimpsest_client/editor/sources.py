"""Which layer is meant by a source (``Capture.source``).

``of`` gives the layer of an id, or None if it is gone; ``active`` is the active layer, None = there is none.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from ..text.wording import say
from .editor import CANVAS, LAYER
from .slices import WorkError

Of = Callable[[str], Optional[Any]]


def required_layer(source: str, of: Of, active: Optional[Any]) -> Optional[Any]:
    """The one that is read; None = what is seen. Raises WorkError."""
    if source == CANVAS:
        return None
    layer = active if source == LAYER else of(source)
    if layer is None:
        raise WorkError(say("no-active-layer") if source == LAYER else say("layer-gone"))
    return layer


def layer_below(source: str, of: Of, active: Optional[Any]) -> Optional[Any]:
    """The one that a result belongs above: what it was made from, or the active layer if that is gone.
    None = what was seen, so above everything."""
    if source == CANVAS:
        return None
    found = None if source == LAYER else of(source)
    return active if found is None else found
