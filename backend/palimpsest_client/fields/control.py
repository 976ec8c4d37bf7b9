"""One field of the panel, described: its limits, its texts, its place and how its value is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Tuple

from ..text.wording import ENGLISH, number, say
from .operations import OPERATIONS

SLIDER, NUMBER, CHOICE, TEXT = "slider", "number", "choice", "text"
MAIN, BESIDE_APPLY, ADVANCED = "main", "apply", "advanced"
PERCENT, PIXELS = "%", "px"
OF_OPERATION, OF_PICTURE, OF_PERSON = "operation", "picture", "person"
"""Whose a value is. Each operation of a picture has its own; all operations of a picture share it; the next
new picture begins with it, too."""


class Stretch(NamedTuple):
    """The least and the most of a number."""

    least: float
    most: float


@dataclass(frozen=True)
class Control:
    """One field of the panel. ``limits`` are the backend's, in the request's unit.

    Texts are found by ``key``: its label, ``tip-key`` and, as it is called in the papers, ``technical-key``.
    A field whose default is None is automatic until it is set; ``automatic`` is the key of what decides then.
    """

    kind: str
    where: str = ADVANCED
    name: str = ""  # in Settings
    default: Any = None
    limits: Optional[Stretch] = None
    offered: Optional[Stretch] = None  # what the controls reach, where that is less
    step: float = 1  # as it is shown: of a percentage in percent
    unit: str = ""
    digits: int = 0  # shown behind the point
    whole: bool = True  # a whole number in the request
    choices: Tuple[str, ...] = ()  # the label of each is key-choice
    requested: Tuple[Any, ...] = ()  # what the request has for each of them; none: the choice itself
    ends: Tuple[str, str] = ("", "")  # keys: what a slider's ends mean
    operations: Tuple[str, ...] = tuple(OPERATIONS)  # that it is shown for
    automatic: str = ""
    request: Tuple[str, ...] = ()  # the field of the request and, before it, those that it lies in
    window: bool = False  # the request has a window of the steps that ends here
    view: bool = False  # of every request that looks at a photo, not of edits alone
    argument: str = ""  # of GIMP's procedures, where it is not the key
    option: str = ""  # of the shell, where it is not the key
    dice: bool = False  # a button beside it draws another one
    preset: bool = False  # kept with a preset
    whose: str = OF_PICTURE

    @property
    def key(self) -> str:
        return self.name.replace("_", "-")

    @property
    def label(self) -> str:
        return say(self.key)

    @property
    def about(self) -> str:
        """What it does, what its ends mean, how it is called in papers: a line each."""
        lines = [say("tip-" + self.key)]
        if any(self.ends):
            left, right = (say(end) for end in self.ends)
            lines.append(say("slider-ends", left=left, right=right))
        if "technical-" + self.key in ENGLISH:
            lines.append(say("technical-name", name=say("technical-" + self.key)))
        return "\n".join(lines)

    @property
    def tip(self) -> str:
        """In a panel: also who decides while it is automatic."""
        lines = [self.about, *([say(self.automatic)] if self.automatic else [])]
        return "\n".join([*lines, say("slider-back")] if self.kind == SLIDER else lines)

    def choice(self, name: str) -> str:
        return say(f"{self.key}-{name}")

    def allows(self, value: Any) -> bool:
        """Whether it can be this field's, wherever it comes from."""
        if value is None:
            return bool(self.automatic)
        if self.limits is None:
            return isinstance(value, str) and (not self.choices or value in self.choices)
        numbers = (int,) if self.whole else (int, float)
        fits = isinstance(value, numbers) and not isinstance(value, bool)
        return fits and self.limits.least <= value <= self.limits.most

    def to_request(self, value: Any) -> Any:
        return self.requested[self.choices.index(value)] if self.requested else value

    def from_request(self, told: Any) -> Any:
        """The inverse. Raises ValueError for what no choice stands for."""
        return self.choices[self.requested.index(told)] if self.requested else told

    # As it is shown: percent, or the request's own unit.

    @property
    def scale(self) -> int:
        return 100 if self.unit == PERCENT else 1

    @property
    def least(self) -> float:
        return self._reach().least * self.scale

    @property
    def most(self) -> float:
        return self._reach().most * self.scale

    @property
    def lowest(self) -> float:
        """Of a number's control: one step below the least stands for what is automatic."""
        return self.least - self.step if self.automatic else self.least

    def _reach(self) -> Stretch:
        reach = self.offered or self.limits
        assert reach is not None, self.name
        return reach

    def shown(self, value: Any) -> float:
        """A value as the control's number."""
        return self.lowest if value is None else round(value * self.scale, self.digits)

    def meant(self, shown: float) -> Any:
        """The inverse; None for a number below the least, which is no value: automatic."""
        if self.automatic and shown < self.least:
            return None
        return round(shown) if self.whole else round(shown / self.scale, 6)

    # As a slider's place, 0 … ``places``.

    @property
    def places(self) -> int:
        return round((self.most - self.least) / self.step)

    def place(self, value: float) -> int:
        """The nearest; what lies beyond a slider's end is at its end."""
        at = round((value * self.scale - self.least) / self.step)
        return min(max(at, 0), self.places)

    def at(self, place: int) -> Any:
        return self.meant(self.least + place * self.step)

    def text(self, value: Any) -> str:
        """With its unit; a value that isn't set is automatic."""
        if value is None:
            return say("automatic")
        written = number(value * self.scale, self.digits)
        if self.unit == PERCENT:
            return say("percent", n=written)
        return say("pixels", n=written) if self.unit == PIXELS else written
