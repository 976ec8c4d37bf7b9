"""The settings page without a widget: with what new pictures begin, the language, what is kept here.

Its fields are described like the panel's: a window makes them in the same way, with this in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..fields.control import ADVANCED, CHOICE, Control
from ..fields.controls import Drawn
from ..fields.settings import CONTROLS, Settings, settings_from_json
from ..json_file import read_json, write_json
from ..text.language import names, read_language, write_language
from ..text.wording import say

DEFAULTS = "defaults.json"
LANGUAGE = Control(CHOICE, ADVANCED, "language")
ON, OFF = "on", "off"
LIVE = Control(CHOICE, ADVANCED, "live", ON, choices=(ON, OFF))
BEGINNING = ("feather", "variations")
FIELDS = (LANGUAGE, LIVE, *(CONTROLS[name] for name in BEGINNING))


class Preferences:
    """``settings``: with what a new picture begins. ``live``: whether a small preview follows what is
    changed. ``trouble``: why the last change can't be kept."""

    def __init__(
        self, folder: Path, begun: Callable[[Settings], None], forgotten: Callable[[], None]
    ) -> None:
        self.folder = folder
        self.settings = read_defaults(folder / DEFAULTS)
        self.live = read_live(folder / DEFAULTS)
        self.trouble = ""
        self._begun, self._forgotten = begun, forgotten

    def change(self, name: str, value: Any) -> None:
        """One of ``FIELDS``. A language is spoken from the editor's next start."""
        try:
            if name == LANGUAGE.name:
                write_language(self.folder, value)
            elif name == LIVE.name:
                self.live = value == ON
                self._write()
            else:
                self.settings = replace(self.settings, **{name: value})
                self._write()
                self._begun(self.settings)
            self.trouble = ""
        except OSError as error:
            self.trouble = say("preferences-not-kept", place=self.folder, reason=str(error))

    def drawn(self, control: Control) -> Drawn:
        if control is LANGUAGE:
            spoken = read_language(self.folder)
            return Drawn(spoken, spoken, "", "", choices=(("", say("as-the-editor")), *names().items()))
        if control is LIVE:
            value, choices = self._live(), tuple((name, LIVE.choice(name)) for name in LIVE.choices)
            return Drawn(value, value, ON, "", choices=choices)
        value = getattr(self.settings, control.name)
        return Drawn(value, value, control.default, control.text(value))

    def _write(self) -> None:
        begun = {name: getattr(self.settings, name) for name in BEGINNING}
        write_json(self.folder / DEFAULTS, {**begun, LIVE.name: self._live()})

    def _live(self) -> str:
        return ON if self.live else OFF

    def forget(self) -> None:
        """Sentences of files, and which concepts were used last. What is open stays as it is."""
        try:
            self._forgotten()
            self.trouble = ""
        except OSError as error:
            self.trouble = say("not-forgotten", reason=str(error))


def read_defaults(place: Path) -> Settings:
    """As recommended where nothing, or nothing that can be read, is kept."""
    told = settings_from_json(read_json(place))
    return Settings(**{name: getattr(told, name) for name in BEGINNING})


def read_live(place: Path) -> bool:
    told = read_json(place)
    return not (isinstance(told, dict) and told.get(LIVE.name) == OFF)
