"""What people set, what each operation needs of it, and what it is in the request's terms.

Sliders run from 0 to 1; the middle is what the operation recommends and sends nothing, so that the
backend's own recipe decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from ..text.sentences import changes, words
from ..text.wording import number, say
from .control import Control
from .operations import OPERATIONS, PHRASE, REPLACE, WEIGHTS, WHOLE
from .settings import CONTROLS, MIDDLE, SENTENCE, WEIGHT, Settings, own_of, request_fields, with_own

_FIELDS: Mapping[str, Tuple[str, ...]] = {
    WHOLE: ("second", "changes"),
    PHRASE: ("second",),
    WEIGHTS: ("weights",),
}
SHOWN: Mapping[str, FrozenSet[str]] = {
    name: frozenset(
        [*_FIELDS[told.asks], *(c.name for c in (SENTENCE, *CONTROLS.values()) if name in c.operations)]
    )
    for name, told in OPERATIONS.items()
}
"""The controls of each operation. "second" is the field under the first sentence; "sentence" is the whole
second sentence, made from it and open to change under Advanced."""

RECOMMENDED: Mapping[str, Tuple[float, float]] = {
    name: told.windows for name, told in OPERATIONS.items() if told.windows is not None
}
"""Ends of the cross- and self-attention windows with the slider in the middle; as the backend's recipes."""


@dataclass(frozen=True)
class Form:
    """What is filled in for one document."""

    operation: str = REPLACE
    source_prompt: str = ""  # what the picture shows
    operands: Mapping[str, str] = field(default_factory=dict)  # per operation: the field below
    own_targets: Mapping[str, str] = field(default_factory=dict)  # per operation: written by oneself
    weights: Mapping[str, float] = field(default_factory=dict)  # word → -1 gone … 0 as it is … 1 strong
    settings: Settings = field(default_factory=Settings)
    other_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # own_of other operations

    @property
    def operand(self) -> str:
        """A whole one is the first sentence until something else is written: a word is to be changed."""
        whole = OPERATIONS[self.operation].asks == WHOLE
        return self.operands.get(self.operation, self.source_prompt if whole else "")

    @property
    def composed_target(self) -> str:
        """The second sentence as it follows from the fields."""
        return OPERATIONS[self.operation].target(self.source_prompt, self.operand)

    @property
    def target_prompt(self) -> str:
        """What the picture should show: one's own sentence, or the one that is made."""
        return self.own_targets.get(self.operation, "").strip() or self.composed_target

    def with_operation(self, operation: str) -> Form:
        """Each operation finds its own words and settings again."""
        if operation == self.operation:
            return self
        here = own_of(self.settings)
        other_settings = {**self.other_settings, self.operation: here} if here else dict(self.other_settings)
        settings = with_own(self.settings, other_settings.pop(operation, {}))
        return replace(self, operation=operation, settings=settings, other_settings=other_settings)

    def with_words_of(self, edit: Form) -> Form:
        """Its operation and its words; those of the other operations stay."""
        of = edit.operation
        now = self.with_operation(of)
        operands = exchanged(now.operands, edit.operands, of)
        own_targets = exchanged(now.own_targets, edit.own_targets, of)
        weights = edit.weights if OPERATIONS[of].asks == WEIGHTS else now.weights
        return replace(
            now, source_prompt=edit.source_prompt, operands=operands, own_targets=own_targets, weights=weights
        )

    def with_operand(self, text: str) -> Form:
        operands = {**self.operands, self.operation: text}
        if OPERATIONS[self.operation].asks == WHOLE and text == self.source_prompt:
            del operands[self.operation]  # nothing of its own: it follows the first sentence again
        return replace(self, operands=operands)

    def with_own_target(self, text: str) -> Form:
        return replace(self, own_targets={**self.own_targets, self.operation: text})


def exchanged(mine: Mapping[str, str], its: Mapping[str, str], operation: str) -> Dict[str, str]:
    """The text of this operation as ``its`` has it, or none; the others as they are."""
    others = {name: text for name, text in mine.items() if name != operation}
    return {**others, operation: its[operation]} if operation in its else others


def edit_fields(form: Form) -> Dict[str, Any]:
    """An edit's request without its pictures."""
    return {
        "operation": form.operation,
        "source_prompt": form.source_prompt.strip(),
        "target_prompt": form.target_prompt,
        "weights": weights_of(form),
        "control": control_of(form),
        **request_fields(form.settings, view=False),
        **view_fields(form.settings),
    }


def growth(operation: str, settings: Settings) -> int:
    """Pixels that the selection will be grown by; the defaults are those of the backend's recipes."""
    if settings.grow is not None:
        return settings.grow
    return settings.feather if OPERATIONS[operation].clears else 0


def view_fields(settings: Settings) -> Dict[str, Any]:
    """What every request that looks at a photo has."""
    return request_fields(settings, view=True)


def control_of(form: Form) -> Dict[str, Any]:
    cross, self_attention = windows_of(form)
    told = {"cross": cross, "self_attention": self_attention}
    return {name: [0.0, round(end, 3)] for name, end in told.items() if end is not None}


def windows_of(form: Form) -> Tuple[Optional[float], Optional[float]]:
    """Ends of the cross- and the self-attention window; None = as the recipe has it."""
    settings = form.settings
    cross = self_attention = None
    if "structure" in SHOWN[form.operation] and settings.structure != MIDDLE:
        middles = RECOMMENDED[form.operation]
        cross, self_attention = (around(middle, settings.structure) for middle in middles)
    cross = settings.cross if settings.cross is not None else cross
    return cross, settings.self_attention if settings.self_attention is not None else self_attention


def sliders_of(request: Mapping[str, Any]) -> Dict[str, float]:
    """Where the sliders stand that lead to a request's windows and weights; one that does so nowhere is left
    out."""
    operation, weights = request["operation"], set(request.get("weights", {}).values())
    windows = [request["control"].get(name) for name in ("cross", "self_attention")]
    ends = [None if window is None else window[1] for window in windows]

    def windows_at(position: float) -> List[float]:
        return [round(around(middle, position), 3) for middle in RECOMMENDED[operation]]

    structure = standing("structure", operation, windows_at, ends)
    weight = weights.pop() if len(weights) == 1 else None
    return {**structure, **standing("strength", operation, strength_factor, weight)}


def standing(name: str, operation: str, leads_to: Callable[[float], Any], found: Any) -> Dict[str, float]:
    """Where the slider stands that leads to what was found; nothing where it doesn't."""
    control = CONTROLS[name]
    positions = [control.at(place) for place in range(control.places + 1)] if name in SHOWN[operation] else []
    fitting = [position for position in positions if leads_to(position) == found]
    return {name: fitting[0]} if fitting else {}


def around(middle: float, position: float) -> float:
    """0 at 0, ``middle`` in the middle, 1 at 1; straight in between."""
    if position <= MIDDLE:
        return middle * position / MIDDLE
    return middle + (1 - middle) * (position - MIDDLE) / (1 - MIDDLE)


def weights_of(form: Form) -> Dict[str, float]:
    """Factors per target word: what Emphasise says, or the strength of the changed words."""
    if OPERATIONS[form.operation].asks == WEIGHTS:
        there = {word.text for word in words(form.target_prompt)}
        return {word: factor(at) for word, at in form.weights.items() if at != 0 and word in there}
    if "strength" not in SHOWN[form.operation] or form.settings.strength == MIDDLE:
        return {}
    weight = strength_factor(form.settings.strength)
    return dict.fromkeys(changed_words(form), weight)


def changed_words(form: Form) -> List[str]:
    new = [word.text for change in changes(form.source_prompt, form.target_prompt) for word in change.target]
    return list(dict.fromkeys(new))


def factor(position: float) -> float:
    """Of a word: 0 for -1 (gone), 1 for 0 (as it is), 3 for 1 (strong)."""
    return round(1 + position if position <= 0 else 1 + 2 * position, 3)


def position(of: float) -> float:
    """The inverse of ``factor``."""
    return round(max(-1.0, of - 1) if of <= 1 else min(1.0, (of - 1) / 2), 3)


def strength_factor(at: float) -> float:
    """Of the changed words: a third for 0 (gentle), 1 in the middle, 3 for 1 (strong)."""
    return round(3 ** (2 * at - 1), 3)


# What the windows draw.


class Drawn(NamedTuple):
    """One control as it is shown."""

    value: Any  # None = automatic
    place: Any  # where a slider stands: what an automatic one comes to
    recommended: Any  # where it would stand as recommended; None where the backend alone can tell
    text: str  # the place in words; of a text field: what it stands for while it is empty
    automatic: str = ""  # what a number's control says while it is automatic
    choices: Tuple[Tuple[str, str], ...] = ()  # name and label


def drawn(form: Form, models: Tuple[Tuple[str, str], ...], details: Mapping[str, Any]) -> Mapping[str, Drawn]:
    """Of every control. ``models``: name and title of those that can be chosen; ``details``: what the
    chosen one says of itself."""
    found = {name: _drawn(control, form, details) for name, control in CONTROLS.items()}
    found["model"] = found["model"]._replace(choices=models)
    own = form.own_targets.get(form.operation, "")
    return {**found, SENTENCE.name: Drawn(own, own, "", form.composed_target)}


def _drawn(control: Control, form: Form, details: Mapping[str, Any]) -> Drawn:
    value = getattr(form.settings, control.name)
    recommended = control.default if control.default is not None else _decided(control.name, form, details)
    place = recommended if value is None else value
    if control.limits is None:
        choices = tuple((name, control.choice(name)) for name in control.choices)
        return Drawn(value, place, recommended, str(place), choices=choices)
    return Drawn(value, place, recommended, control.text(place), _automatic_text(control, recommended))


def _decided(name: str, form: Form, details: Mapping[str, Any]) -> Any:
    """What an automatic field comes to; None where the backend alone can tell."""
    if name == "grow":
        return growth(form.operation, replace(form.settings, grow=None))
    if name in ("cross", "self_attention"):
        plain = replace(form, settings=replace(form.settings, cross=None, self_attention=None))
        place = ("cross", "self_attention").index(name)
        end = windows_of(plain)[place]
        return RECOMMENDED.get(form.operation, (None, None))[place] if end is None else end
    return details.get(name)


def _automatic_text(control: Control, value: Any) -> str:
    text = control.text(None) if control.automatic else ""
    return (
        text
        if value is None or not text
        else say("automatic-value", automatic=text, value=control.text(value))
    )


def drawn_weight(weight: float) -> Drawn:
    """A word's slider; beside it the factor that the word counts by."""
    return Drawn(weight, weight, WEIGHT.default, say("times", n=number(factor(weight), 2)))
