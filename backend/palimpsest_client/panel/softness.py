"""What the model sees of the picture, said before Apply: a large canvas comes back softer than it was."""

from __future__ import annotations

from typing import NamedTuple, Optional

from ..editor.editor import DocumentFacts
from ..editor.geometry import Extent
from ..editor.regions import RegionSettings, plan_region
from ..fields.controls import Form
from ..fields.controls import growth as growth_of
from ..text.wording import number, say
from .library import Model

SOFT = 1.25  # canvas pixels for one of the model's, from which on it is said


class Seen(NamedTuple):
    """The longer sides of what the model works at, and of the part of the canvas that it sees so. px."""

    seen: int
    of: int

    @property
    def softer(self) -> float:
        return self.of / self.seen


def seen_by(model: Model, facts: DocumentFacts, form: Form) -> Seen:
    """As the backend plans it for this form (``core/picture/region.py``)."""
    settings = form.settings
    reach = growth_of(form.operation, settings)
    region_settings = RegionSettings(
        model.native_size, model.granularity, settings.context, settings.working_size, reach
    )
    plan = plan_region(Extent(facts.width, facts.height), facts.selection, region_settings)
    return Seen(max(plan.inner), max(plan.box.extent))


def softness_text(model: Optional[Model], facts: Optional[DocumentFacts], form: Form) -> str:
    """How much softer; empty where it isn't worth a word."""
    if model is None or facts is None or facts.refusal:
        return ""
    found = seen_by(model, facts, form)
    if found.softer < SOFT:
        return ""
    return say("sees", seen=found.seen, of=found.of, times=times_text(found.softer))


def softness_tip(facts: DocumentFacts) -> str:
    """The ways out."""
    return say("sees-select" if facts.selection is None else "sees-less")


def times_text(times: float) -> str:
    """1.5, 2.0, 12."""
    return number(times, 0 if times >= 10 else 1)
