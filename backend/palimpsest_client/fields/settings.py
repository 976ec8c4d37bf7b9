"""What can be set about an edit, each field described once.

Both editors' panels, GIMP's procedures, the shell's options, the API's limits, the request and what is read
back from a layer's recipe are made from this table. How a field is added: CONTRIBUTING.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from ..editor.editor import CANVAS, LAYER
from ..limits import MOST_SEED
from ..methods import OFFERED, RECOMMENDED
from .control import (
    ADVANCED,
    BESIDE_APPLY,
    CHOICE,
    MAIN,
    NUMBER,
    OF_OPERATION,
    OF_PERSON,
    PERCENT,
    PIXELS,
    SLIDER,
    TEXT,
    Control,
    Stretch,
)
from .operations import NOISE, PHOTO, PHRASE, REPLACE, WEIGHTS, operations_that

AUTOMATIC, VIEW, DRAWING = "automatic", "view", "drawing"
STARTS = (AUTOMATIC, VIEW, DRAWING, NOISE, PHOTO)
MIDDLE = 0.5  # of a slider: what the operation recommends; sends nothing, the backend's recipe decides


def setting(kind: str, where: str = ADVANCED, default: Any = None, **told: Any) -> Any:
    """A field of Settings with its description."""
    made = Control(kind, where, default=default, **told)
    return dataclasses.field(default=default, metadata={"control": made})


@dataclass(frozen=True)
class Settings:
    """Everything that isn't words, in the order of the panel. ``None`` = automatic."""

    structure: float = setting(
        SLIDER,
        MAIN,
        MIDDLE,
        limits=Stretch(0, 1),
        step=0.05,
        digits=2,
        whole=False,
        ends=("free", "exact"),
        operations=operations_that(lambda operation: operation.windows),
        argument="keep-structure",
        preset=True,
        whose=OF_OPERATION,
    )
    strength: float = setting(
        SLIDER,
        MAIN,
        MIDDLE,
        limits=Stretch(0, 1),
        step=0.05,
        digits=2,
        whole=False,
        ends=("gentle", "strong"),
        operations=operations_that(lambda operation: operation.rewords),
        preset=True,
        whose=OF_OPERATION,
    )
    grow: Optional[int] = setting(
        SLIDER,
        MAIN,
        limits=Stretch(0, 512),
        offered=Stretch(0, 64),
        unit=PIXELS,
        automatic="automatic-operation",
        request=("grow",),
        preset=True,
        whose=OF_OPERATION,
    )
    feather: int = setting(
        SLIDER,
        MAIN,
        8,
        limits=Stretch(0, 4096),
        offered=Stretch(0, 64),
        unit=PIXELS,
        request=("feather",),
        argument="soft-edge",
        preset=True,
        whose=OF_PERSON,
    )
    variations: int = setting(
        NUMBER, BESIDE_APPLY, 1, limits=Stretch(1, 16), request=("variations",), whose=OF_PERSON
    )
    source: str = setting(CHOICE, default=CANVAS, choices=(CANVAS, LAYER))
    model: str = setting(
        CHOICE, default="built-in", request=("model",), view=True, whose=OF_PERSON
    )  # those there are
    method: str = setting(
        CHOICE,
        default=RECOMMENDED,
        choices=OFFERED,
        request=("inversion", "method"),
        view=True,
        preset=True,
    )
    steps: Optional[int] = setting(
        NUMBER,
        limits=Stretch(1, 1000),
        automatic="automatic-model",
        request=("inversion", "steps"),
        view=True,
        preset=True,
    )
    guidance: Optional[float] = setting(
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
    cross: Optional[float] = setting(
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
        whose=OF_OPERATION,
    )
    self_attention: Optional[float] = setting(
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
        whose=OF_OPERATION,
    )
    begin_from: str = setting(
        CHOICE,
        default=AUTOMATIC,
        choices=STARTS,
        operations=operations_that(lambda operation: operation.begins),
        request=("begin_from",),
        preset=True,
        whose=OF_OPERATION,
    )
    freedom: Optional[float] = setting(
        NUMBER,
        limits=Stretch(0, 1),
        step=5,
        unit=PERCENT,
        whole=False,
        operations=operations_that(lambda operation: operation.begins),
        automatic="automatic-operation",
        request=("freedom",),
        preset=True,
        whose=OF_OPERATION,
    )
    mirror: str = setting(
        CHOICE,
        default="auto",
        choices=("auto", "none"),
        requested=(True, False),
        operations=(REPLACE,),
        request=("reflect",),
        preset=True,
        whose=OF_OPERATION,
    )
    context: float = setting(
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
    working_size: Optional[int] = setting(
        NUMBER,
        limits=Stretch(64, 4096),
        step=64,
        unit=PIXELS,
        automatic="automatic-model",
        request=("inversion", "working_size"),
        view=True,
        preset=True,
        whose=OF_PERSON,
    )
    seed: int = setting(
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
OWN = tuple(name for name, control in CONTROLS.items() if control.whose == OF_OPERATION)
LASTING = tuple(name for name, control in CONTROLS.items() if control.whose == OF_PERSON)
SENTENCE = Control(TEXT, ADVANCED, "sentence", operations=operations_that(lambda one: one.asks == PHRASE))
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
    operations=operations_that(lambda operation: operation.asks == WEIGHTS),
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
            part[control.request[-1]] = control.to_request(getattr(settings, name))
    return request


def settings_in(request: Mapping[str, Any], beside: Mapping[str, Any]) -> Settings:
    """The inverse; ``beside``: what no field of the request says, see ``kept_beside``.

    The ends of windows are left out: they may follow from another field. What a recipe of before doesn't say
    is as recommended. Raises KeyError, and ValueError for what no choice stands for.
    """
    told: Dict[str, Any] = {name: beside[name] for name in INDIRECT if name in beside}
    for name, control in CONTROLS.items():
        if control.request and not control.window:
            part: Any = request
            for group in control.request[:-1]:
                part = part[group]
            last = control.request[-1]
            told[name] = control.from_request(part[last]) if last in part else control.default
    return Settings(**told)


def own_of(settings: Settings) -> Dict[str, Any]:
    """What the chosen operation keeps for itself, where it isn't as recommended."""
    told = {name: getattr(settings, name) for name in OWN}
    return {name: value for name, value in told.items() if value != CONTROLS[name].default}


def with_own(settings: Settings, own: Mapping[str, Any]) -> Settings:
    """The inverse: those of another operation in place of those of the one before."""
    return dataclasses.replace(settings, **{name: own.get(name, CONTROLS[name].default) for name in OWN})


def for_next_picture(settings: Settings) -> Settings:
    """With what a new picture begins after these."""
    return Settings(**{name: getattr(settings, name) for name in LASTING})


def settings_from_json(told: Any) -> Settings:
    """What can be used of it: a file of another version, or a damaged one, is no reason to fail."""
    known = told if isinstance(told, dict) else {}
    fitting = {n: known[n] for n, control in CONTROLS.items() if n in known and control.allows(known[n])}
    return Settings(**fitting)


INDIRECT = tuple(name for name, control in CONTROLS.items() if control.kind == SLIDER and not control.request)
"""Sliders that the request says by what they lead to: a layer's recipe keeps them beside it."""


def kept_beside(settings: Settings) -> Dict[str, Any]:
    return {name: getattr(settings, name) for name in INDIRECT}
