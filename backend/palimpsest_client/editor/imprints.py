"""How a layer was when it was put in. What is otherwise by now is people's own work, and stays when the edit
is renewed."""

from __future__ import annotations

import hashlib
import json
from typing import Callable, NamedTuple, Optional, Tuple

from .geometry import Bounds, Extent, spread

FORMAT = 1
ROWS = 32  # by which a selection or a picture is known
OWN = ""  # the digest of a mask that people have made their own


class Imprint(NamedTuple):
    """``name``: that we gave it. ``bounds``: where its pixels belong on the ``canvas``; ``at``, ``mask_at``:
    the editor's own positions of layer and mask when they were there. ``pixels``, ``mask``: what they hold.

    On a canvas of another size, what has moved was moved by a crop or the like, and not by hand.
    """

    name: str
    canvas: Extent
    bounds: Bounds
    at: Tuple[int, int]
    mask_at: Tuple[int, int]
    pixels: str  # Digest.text
    mask: str

    @property
    def text(self) -> str:
        """To be kept with the layer."""
        places = [list(place) for place in (self.canvas, self.bounds, self.at, self.mask_at)]
        return json.dumps([FORMAT, self.name, *places, self.pixels, self.mask])


def read_imprint(text: str) -> Optional[Imprint]:
    """None for what can't be read, as of layers of earlier versions."""
    try:
        format, name, canvas, bounds, at, mask_at, pixels, mask = json.loads(text)
        if format != FORMAT:
            return None
        x, y = at
        mask_x, mask_y = mask_at
        places = Extent(*canvas), Bounds(*bounds), (x, y), (mask_x, mask_y)
        return Imprint(str(name), *places, str(pixels), str(mask))
    except (ValueError, TypeError):
        return None


class Digest:
    """Of pixels that come in bands, row by row."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, pixels: bytes) -> None:
        self._hash.update(pixels)

    @property
    def text(self) -> str:
        return self._hash.hexdigest()


def digest_of(pixels: bytes) -> str:
    return hashlib.sha256(pixels).hexdigest()


def sampled(read: Callable[[Bounds], bytes], bounds: Bounds) -> str:
    """A digest of some rows of what ``read`` gives: all of them may be hundreds of MB."""
    return digest_of(b"".join([read(row) for row in spread(bounds, ROWS)]))
