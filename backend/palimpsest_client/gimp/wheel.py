"""A wheel or a touchpad over a slider, in GTK 3: it tells of notches, and of parts of one."""

from __future__ import annotations

from typing import Any, Callable

NOTCHES = {"up": 1, "right": 1, "down": -1, "left": -1}  # by the nicks of Gdk.ScrollDirection


class Wheel:
    """``move`` gets whole places, to the right if positive: one for each notch."""

    def __init__(self, move: Callable[[int], None]) -> None:
        self._move = move
        self._rest = 0.0  # of a notch, from the turns before

    def turned(self, _: Any, event: Any) -> bool:
        """At a "scroll-event" (Gdk.EventScroll). True: nobody else moves the slider."""
        places = self.places(notches(event.direction.value_nick, event.delta_x, event.delta_y))
        if places:
            self._move(places)
        return True

    def places(self, turned: float) -> int:
        """What is whole with the rest of before; a turn the other way begins anew."""
        self._rest = turned + (self._rest if self._rest * turned >= 0 else 0)
        places = int(round(self._rest, 6))  # ten tenths are one, as floats too
        self._rest -= places
        return places


def notches(direction: str, right: float, down: float) -> float:
    """``direction``: "smooth" where the others say how far."""
    return (right or -down) if direction == "smooth" else NOTCHES[direction]
