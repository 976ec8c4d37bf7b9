"""What an edit that is opened again brings along: its own settings, and of those that the model recommends
only the ones that were other ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Optional

from .controls import RECOMMENDED, Form
from .library import Model
from .settings import Settings

PINNED = ("steps", "guidance", "cross", "self_attention")
"""Belong to the edit that is opened, never to the next picture."""


def as_reopened(form: Form, before: Settings, model: Optional[Model]) -> Settings:
    """``form``: as its recipe has it, in which every default is filled in. ``model``: its model, if that is
    here. What is to be taken (``source``) is what was chosen ``before``: the edit has its pictures."""
    usual = recommended(form.operation, model)
    automatic = {name: None for name, value in usual.items() if getattr(form.settings, name) == value}
    return replace(form.settings, source=before.source, **automatic)


def recommended(operation: str, model: Optional[Model]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    if model is not None:
        found.update((name, model.details[name]) for name in ("steps", "guidance") if name in model.details)
    if operation in RECOMMENDED:
        found.update(zip(("cross", "self_attention"), RECOMMENDED[operation]))
    return found


class Lent:
    """The pinned settings as long as such an edit is in hand; afterwards what was set before is back."""

    def __init__(self, before: Form, now: Form) -> None:
        """Both of the same operation."""
        told = {name: (getattr(before.settings, name), getattr(now.settings, name)) for name in PINNED}
        self._changed = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
        self._operation = now.operation

    def returned(self, form: Form) -> Form:
        """What people have changed themselves since is theirs. Another operation may be chosen by now."""
        lent = form.turned_to(self._operation)
        return replace(lent, settings=self._returned(lent.settings)).turned_to(form.operation)

    def _returned(self, settings: Settings) -> Settings:
        back = {
            name: before for name, (before, lent) in self._changed.items() if getattr(settings, name) == lent
        }
        return replace(settings, **back)
