"""A strip of small pictures over *Keep structure*, drafted in one batch, that its slider runs through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Mapping, Optional, Tuple

from ..fields.controls import SHOWN, Form, control_of
from ..fields.settings import CONTROLS
from ..text.wording import say

SLIDER = CONTROLS["structure"]
PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Tile:
    """One of the strip; a click sets the slider to ``value``."""

    value: float
    text: str  # the value, where there is no picture
    tip: str
    picture: Optional[bytes] = None  # PNG
    chosen: bool = False  # the slider stands there


def strip_of(draft: Mapping[str, Any], form: Form) -> Dict[str, Any]:
    """The request for all places, from the one for where the slider stands."""
    windows = [control_of(at(form, value)) for value in PLACES]
    return {**draft, "control": control_of(at(form, PLACES[2])), "windows": windows}


def at(form: Form, value: float) -> Form:
    return replace(form, settings=replace(form.settings, structure=value))


def has_strip(form: Form) -> bool:
    """Whether the slider makes a difference: not where Advanced says both windows."""
    return "structure" in SHOWN[form.operation] and control_of(at(form, 0.0)) != control_of(at(form, 1.0))


def pictures_in(artifacts: Mapping[str, bytes]) -> Tuple[bytes, ...]:
    """In the places' order."""
    names = ("draft", *(f"draft:{number}" for number in range(2, len(PLACES) + 1)))
    return tuple(artifacts[name] for name in names)


def nearest(value: float) -> int:
    """The number of the place."""
    return min(range(len(PLACES)), key=lambda number: abs(PLACES[number] - value))


def tiles(form: Form, pictures: Tuple[bytes, ...]) -> Tuple[Tile, ...]:
    """``pictures``: none, or one of each place."""
    chosen = nearest(form.settings.structure)
    found = []
    for number, value in enumerate(PLACES):
        text = SLIDER.text(value)
        tip = say("strip-place", name=SLIDER.label, value=text)
        picture = pictures[number] if pictures else None
        found.append(Tile(value, text, tip, picture, number == chosen))
    return tuple(found)
