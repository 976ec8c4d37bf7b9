"""What an edit that is opened again brings along: its own settings, and of those that the model recommends
only the ones that were other ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Mapping, Optional

from ..fields.controls import RECOMMENDED, Form
from ..fields.settings import Settings
from .library import Model

PINNED = ("steps", "guidance", "cross", "self_attention", "variations", "seed")
"""Belong to the edit that is opened, never to the next one."""


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


class PinnedSettings:
    """The pinned settings as long as such an edit is in hand; afterwards what was set before is back. What
    people have changed themselves meanwhile is theirs, and another operation may be chosen."""

    def __init__(self, before: Form, now: Form) -> None:
        """Both of the same operation."""
        self._before = {name: getattr(before.settings, name) for name in PINNED}
        self._pinned = {name: getattr(now.settings, name) for name in PINNED}
        self._operation = now.operation

    def apply(self, form: Form) -> Form:
        """In hand again."""
        return self._exchanged(form, self._before, self._pinned)

    def remove(self, form: Form) -> Form:
        return self._exchanged(form, self._pinned, self._before)

    def _exchanged(self, form: Form, old: Mapping[str, Any], new: Mapping[str, Any]) -> Form:
        of = form.with_operation(self._operation)
        told = {name: value for name, value in new.items() if getattr(of.settings, name) == old[name]}
        return replace(of, settings=replace(of.settings, **told)).with_operation(form.operation)
