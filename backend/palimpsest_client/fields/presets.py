"""People's own settings, kept by a name for one operation; both editors share them.

What an operation has no bearing on (source, model, seed, number of variations) isn't kept with them.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from ..json_file import write_json
from ..text.wording import say
from .controls import Form
from .settings import CONTROLS, Settings, settings_from_json

PRESETS = "presets.json"
DAMAGED = "presets-damaged.json"
LONGEST = 60  # characters of a name
KEPT = tuple(name for name, control in CONTROLS.items() if control.preset)


class Presets:
    """``look`` reads them; every change reads them anew first, since the other editor may have written.

    What changes them returns why it can't be done; empty = it is done.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder / PRESETS
        self._known: Dict[str, Dict[str, Any]] = {}
        self.look()

    def look(self) -> str:
        """What is wrong with the file; empty = nothing, or there is none."""
        try:
            self._known = _read(self._place)
        except (OSError, ValueError, RecursionError) as error:
            self._known = {}
            return say("presets-unreadable", place=self._place, reason=str(error))
        return ""

    def names(self, operation: str) -> Tuple[str, ...]:
        return tuple(sorted(self._of(operation), key=str.casefold))

    def chosen(self, form: Form) -> str:
        """The name of what is set; empty if it is none of them."""
        now = told_of(form.settings)
        held = (name for name in self.names(form.operation) if told_of(self._settings(form, name)) == now)
        return next(held, "")

    def applied(self, form: Form, name: str) -> Form:
        return replace(form, settings=self._settings(form, name))

    def keep(self, form: Form, name: str) -> str:
        """What is set, by this name; one of this name is replaced."""
        name = name.strip()
        if not name:
            return say("say-preset-name")
        if len(name) > LONGEST:
            return say("preset-name-long", n=LONGEST)
        return self._change(form.operation, {name: told_of(form.settings)}, ())

    def rename(self, operation: str, name: str, new: str) -> str:
        new = new.strip()
        if not new or new == name:
            return "" if new else say("say-preset-name")
        if len(new) > LONGEST:
            return say("preset-name-long", n=LONGEST)
        self.look()
        if name not in self._of(operation):
            return say("preset-gone", name=name)
        if new in self._of(operation):
            return say("preset-taken", name=new)
        return self._change(operation, {new: self._of(operation)[name]}, (name,))

    def remove(self, operation: str, name: str) -> str:
        return self._change(operation, {}, (name,))

    def _of(self, operation: str) -> Mapping[str, Any]:
        return self._known.get(operation, {})

    def _settings(self, form: Form, name: str) -> Settings:
        """With those of the picture as they are."""
        told = settings_from_json(self._of(form.operation).get(name))
        return replace(form.settings, **told_of(told))

    def _change(self, operation: str, new: Mapping[str, Any], gone: Tuple[str, ...]) -> str:
        """A file that can't be read is moved aside, never overwritten."""
        damaged = bool(self.look())
        kept = {name: told for name, told in self._of(operation).items() if name not in gone}
        known = {**self._known, operation: {**kept, **new}}
        try:
            if damaged:
                os.replace(str(self._place), str(self._place.with_name(DAMAGED)))
            write_json(self._place, known)
        except OSError as error:
            return say("presets-not-kept", place=self._place, reason=str(error))
        self._known = known
        return ""


def told_of(settings: Settings) -> Dict[str, Any]:
    return {name: getattr(settings, name) for name in KEPT}


def _read(place: Path) -> Dict[str, Dict[str, Any]]:
    """Raises OSError, ValueError."""
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(told, dict) or not all(isinstance(named, dict) for named in told.values()):
        raise ValueError("no presets")
    return told
