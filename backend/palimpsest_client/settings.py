"""What can be set about an edit, each field described once.

Both editors' panels, GIMP's procedures, the shell's options, the API's limits, the request and what is read
back from a layer's recipe are made from this table. How a field is added: docs/architecture.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, NamedTuple, Optional, Tuple

from .editor import CANVAS, LAYER
from .limits import MOST_SEED
from .operations import INSERT, OPERATIONS, REMOVE, REPLACE, RESTYLE, REWEIGHT
from .wording import ENGLISH, number, say

SLIDER, NUMBER, CHOICE, TEXT = "slider", "number", "choice", "text"
MAIN, BESIDE_APPLY, ADVANCED = "main", "apply", "advanced"
METHODS = ("direct", "null-text", "ddim")
MIDDLE = 0.5  # of a slider: what the operation recommends; sends nothing, the backend's recipe decides
PERCENT, PIXELS = "%", "px"


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
    ends: Tuple[str, str] = ("", "")  # keys: what a slider's ends mean
    operations: Tuple[str, ...] = OPERATIONS  # that it is shown for
    automatic: str = ""
    request: Tuple[str, ...] = ()  # the field of the request and, before it, those that it lies in
    window: bool = False  # the request has a window of the steps that ends here
    view: bool = False  # of every request that looks at a photo, not of edits alone
    argument: str = ""  # of GIMP's procedures, where it is not the key
    option: str = ""  # of the shell, where it is not the key
    dice: bool = False  # a button beside it draws another one
    preset: bool = False  # kept with a preset: it is about the operation, not about the picture

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


def described(kind: str, where: str = ADVANCED, default: Any = None, **told: Any) -> Any:
    """A field of Settings with its description."""
    made = Control(kind, where, default=default, **told)
    return dataclasses.field(default=default, metadata={"control": made})


@dataclass(frozen=True)
class Settings:
    """Everything that isn't words, in the order of the panel. ``None`` = automatic."""

    structure: float = described(
        SLIDER,
        MAIN,
        MIDDLE,
        limits=Stretch(0, 1),
        step=0.05,
        digits=2,
        whole=False,
        ends=("free", "exact"),
        operations=(REPLACE, RESTYLE, REWEIGHT),
        argument="keep-structure",
        preset=True,
    )
    strength: float = described(
        SLIDER,
        MAIN,
        MIDDLE,
        limits=Stretch(0, 1),
        step=0.05,
        digits=2,
        whole=False,
        ends=("gentle", "strong"),
        operations=(REPLACE, INSERT, RESTYLE),
        preset=True,
    )
    grow: Optional[int] = described(
        SLIDER,
        MAIN,
        limits=Stretch(0, 512),
        offered=Stretch(0, 64),
        unit=PIXELS,
        automatic="automatic-operation",
        request=("grow",),
        preset=True,
    )
    feather: int = described(
        SLIDER,
        MAIN,
        8,
        limits=Stretch(0, 4096),
        offered=Stretch(0, 64),
        unit=PIXELS,
        request=("feather",),
        argument="soft-edge",
        preset=True,
    )
    variations: int = described(NUMBER, BESIDE_APPLY, 1, limits=Stretch(1, 16), request=("variations",))
    source: str = described(CHOICE, default=CANVAS, choices=(CANVAS, LAYER))
    model: str = described(CHOICE, default="built-in", request=("model",), view=True)  # those there are
    method: str = described(
        CHOICE, default="direct", choices=METHODS, request=("inversion", "method"), view=True, preset=True
    )
    steps: Optional[int] = described(
        NUMBER,
        limits=Stretch(1, 1000),
        automatic="automatic-model",
        request=("inversion", "steps"),
        view=True,
        preset=True,
    )
    guidance: Optional[float] = described(
        NUMBER,
        limits=Stretch(0, 100),
        offered=Stretch(0.5, 100),  # at 0 the sentence counts for nothing
        step=0.5,
        digits=1,
        whole=False,
        automatic="automatic-model",
        request=("inversion", "guidance"),
        view=True,
        preset=True,
    )
    cross: Optional[float] = described(
        NUMBER,
        limits=Stretch(0, 1),
        step=5,
        unit=PERCENT,
        whole=False,
        automatic="automatic-structure",
        request=("control", "cross"),
        window=True,
        argument="cross-attention",
        preset=True,
    )
    self_attention: Optional[float] = described(
        NUMBER,
        limits=Stretch(0, 1),
        step=5,
        unit=PERCENT,
        whole=False,
        automatic="automatic-structure",
        request=("control", "self_attention"),
        window=True,
        option="self",
        preset=True,
    )
    context: float = described(
        NUMBER,
        default=0.5,
        limits=Stretch(0, 8),
        step=10,
        unit=PERCENT,
        whole=False,
        request=("context",),
        view=True,
        preset=True,
    )
    working_size: Optional[int] = described(
        NUMBER,
        limits=Stretch(64, 4096),
        step=64,
        unit=PIXELS,
        automatic="automatic-model",
        request=("inversion", "working_size"),
        view=True,
        preset=True,
    )
    seed: int = described(
        NUMBER,
        default=0,
        limits=Stretch(0, 2**63 - 1),
        offered=Stretch(0, MOST_SEED),
        request=("seed",),
        dice=True,
    )


CONTROLS: Dict[str, Control] = {
    field.name: dataclasses.replace(field.metadata["control"], name=field.name)
    for field in dataclasses.fields(Settings)
}
SENTENCE = Control(TEXT, ADVANCED, "sentence", operations=(INSERT, RESTYLE, REMOVE))
"""The whole second sentence: words, and so kept for each operation beside the settings."""
WEIGHT = Control(
    SLIDER,
    MAIN,
    "weight",
    0.0,
    limits=Stretch(-1, 1),
    step=0.05,
    digits=2,
    whole=False,
    ends=("word-gone", "strong"),
    operations=(REWEIGHT,),
)
"""Of one word that is emphasised: -1 gone … 0 as it is … 1 strong."""


def controls_at(where: str, all: Optional[Mapping[str, Control]] = None) -> Tuple[Control, ...]:
    """Those of one part of the panel, in their order."""
    known = CONTROLS if all is None else all
    found = tuple(control for control in known.values() if control.where == where)
    return (SENTENCE, *found) if where == ADVANCED else found


def request_fields(settings: Settings, view: bool) -> Dict[str, Any]:
    """What stands in a request as it is set; ``view``: those of every request that looks at a photo, or
    those of edits alone."""
    request: Dict[str, Any] = {}
    for name, control in CONTROLS.items():
        if control.request and control.view == view and not control.window:
            part = request
            for group in control.request[:-1]:
                part = part.setdefault(group, {})
            part[control.request[-1]] = getattr(settings, name)
    return request


def settings_in(request: Mapping[str, Any], beside: Mapping[str, Any]) -> Settings:
    """The inverse; ``beside``: what no field of the request says, see ``kept_beside``. Raises KeyError.

    The ends of windows are left out: they may follow from another field.
    """
    told: Dict[str, Any] = {name: beside[name] for name in INDIRECT if name in beside}
    for name, control in CONTROLS.items():
        if control.request and not control.window:
            part: Any = request
            for group in control.request[:-1]:
                part = part[group]
            told[name] = part[control.request[-1]]
    return Settings(**told)


def settings_from_json(told: Any) -> Settings:
    """What can be used of it: a file of another version, or a damaged one, is no reason to fail."""
    known = told if isinstance(told, dict) else {}
    fitting = {n: known[n] for n, control in CONTROLS.items() if n in known and control.allows(known[n])}
    return Settings(**fitting)


INDIRECT = tuple(name for name, control in CONTROLS.items() if control.kind == SLIDER and not control.request)
"""Sliders that the request says by what they lead to: a layer's recipe keeps them beside it."""


def kept_beside(settings: Settings) -> Dict[str, Any]:
    return {name: getattr(settings, name) for name in INDIRECT}
