"""Krita's colour spaces: what is sent of each, and how much of it is converted at once."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from ..editor.geometry import Extent
from ..editor.png import Layout
from ..editor.slices import WorkError
from ..text.wording import say

CHANNELS = {"RGBA": 4, "GRAYA": 2}
MODELS = {"CMYKA": "CMYK", "LABA": "Lab", "XYZA": "XYZ", "YCbCrA": "YCbCr"}  # names of those without a way
DEPTHS = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}  # bytes per channel
PROFILES = {"RGBA": "sRGB-elle-V2-srgbtrc.icc", "GRAYA": "Gray-D50-elle-V2-srgbtrc.icc"}  # of what is sent
COPIED, CONVERTED, FLOAT = 1 << 18, 1 << 16, 1 << 14  # pixels that take Krita a few milliseconds


class Space(NamedTuple):
    """A colour space as Krita names it."""

    model: str
    depth: str
    profile: str

    @property
    def pixel_bytes(self) -> int:
        return CHANNELS[self.model] * DEPTHS[self.depth]


def most(space: Space, target: Space) -> int:
    """Pixels to take from one to the other in one step."""
    if space == target:
        return COPIED
    return FLOAT if {space.depth, target.depth} & {"F16", "F32"} else CONVERTED


def sent(model: str, deep: bool) -> Space:
    """What the backend is sent and sends: sRGB or its grey, of 8 or 16 bits."""
    return Space(model, "U16" if deep else "U8", PROFILES[model])


def sent_layout(space: Space, extent: Extent) -> Layout:
    """Of pixels in a space that is sent."""
    bits, blue_first = 8 * DEPTHS[space.depth], space.model == "RGBA"
    return Layout(extent, CHANNELS[space.model], bits, blue_first=blue_first)


def refused(model: str) -> Tuple[str, str]:
    """Why a document of this model can't be edited and what would help, or two empty strings."""
    if model in CHANNELS:
        return "", ""
    return say("colour-model", name=MODELS.get(model, model)), say("rgb-copy")


def edited(depth: str) -> Space:
    """What a document that is refused becomes to be edited: as deep as it is, where that can be."""
    return sent("RGBA", False)._replace(depth=depth if depth in DEPTHS else "U16")


def sent_for(space: Space) -> Space:
    """8 bits where that is all there is. Raises WorkError for other models than RGB and grey."""
    if space.model not in CHANNELS or space.depth not in DEPTHS:
        name = MODELS.get(space.model, space.model)
        raise WorkError(say("layer-colour-model", name=name))
    return sent(space.model, space.depth != "U8")
